package pm2

import (
	"errors"
	"math"
)

// ReportVersion is the only version of pm25-ext's messages that is read.
const ReportVersion = 1

// Topics of pm25-ext.
const (
	TopicReport    = "pm25:report"
	TopicException = "pm25:exception"
	TopicEvent     = "pm25:event"
)

// What stands for a method that is none of HTTP's, and for a status code of no
// class.
const (
	OtherMethod = "(other)"
	OtherCode   = "other"
)

// Layout of the histograms in a report. The bounds are part of the version:
// a report with others is refused.
const (
	ReportSchema = 3    // bucket i ends at 2^(i/8) seconds
	MinBucket    = -319 // the first bucket above the zero threshold, 2^-40 s
	MaxBucket    = 160  // ends at 2^20 s, twelve days
)

// ReportBounds are the upper bounds of the classic buckets of a request's
// duration in seconds.
func ReportBounds() [13]float64 {
	return [13]float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 1, 2.5, 5, 10}
}

// Bounds of one report. What is over them is refused whole.
const (
	maxSeries = 2000
	maxRuns   = 512 // more than there are buckets
	maxSlow   = 64
	maxMethod = 32
)

// errReport means that an app sent something under pm25-ext's topic that is
// not a report of a version that is known.
var errReport = errors.New("not a report of pm25-ext")

// Report is what pm25-ext tells of its process: counts since the start of the
// process, and what it looks like now. The strings in it last, its slices do
// not outlive the call of the handler.
type Report struct {
	PID   int
	Start int64 // milliseconds since 1970
	Seq   uint64
	Full  bool // all series are in it

	HTTP       bool // the section is there
	InFlight   float64
	Collapsed  uint64
	Series     []ReportSeries
	Slow       []SlowRequest
	Runtime    *Runtime   // nil where the section is missing
	Exceptions *[4]uint64 // uncaught, rejection, handled, notified; nil where not told
	runtime    Runtime    // what Runtime points to
	exceptions [4]uint64  // what Exceptions points to
}

// ReportSeries is one series of requests.
type ReportSeries struct {
	Method, Route, Code string
	Count               uint64
	Sum                 float64
	Classic             [13]uint64 // not cumulative
	Zero                uint64
	Native              []ReportBucket // by index, ascending
}

// ReportBucket is one bucket that is not empty.
type ReportBucket struct {
	Index int
	Count uint64
}

// SlowRequest is one request that was slow or failed.
type SlowRequest struct {
	ID                  string // a UUID
	Method, Route, Code string
	Seconds             float64
	At                  int64 // milliseconds since 1970
	Status              int   // 0 where there was none
	Aborted             bool
	Target              string // the path, where the app asked for it
}

// Runtime is what a Node.js process says of itself. A figure that it could not
// tell is NaN.
type Runtime struct {
	HeapUsed, HeapTotal, HeapLimit, External, ArrayBuffers, HeapAfterGC float64

	GC           [4]GC // major, minor, incremental, weakcb
	Active, Idle float64
	Delay        [7]float64 // min, mean, max, stddev, p50, p90, p99
	DelayMax     float64
	Handles      float64
	Requests     float64
}

// GC is how long one kind of garbage collection took, since the start of the
// process.
type GC struct {
	Count   uint64
	Sum     float64
	Buckets [6]uint64 // not cumulative; see GCBounds
}

// GCBounds are the upper bounds of GC.Buckets in seconds.
func GCBounds() [6]float64 { return [6]float64{0.001, 0.01, 0.1, 1, 2, 5} }

// NoRuntime is what a process that said nothing says of itself.
func NoRuntime() Runtime {
	nan := math.NaN()
	return Runtime{
		HeapUsed: nan, HeapTotal: nan, HeapLimit: nan, External: nan, ArrayBuffers: nan, HeapAfterGC: nan,
		Delay: [7]float64{nan, nan, nan, nan, nan, nan, nan}, DelayMax: nan, Handles: nan, Requests: nan,
	}
}
