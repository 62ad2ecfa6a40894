//go:build storebench

package storebench

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/record"
)

const (
	apps   = 20
	hosts  = 10
	groups = 200
	month  = 30 * 24 * time.Hour
)

// workload makes records, the i-th always the same but for its id.
type workload struct {
	records int
	end     time.Time
	span    time.Duration // of all records, before end
}

func (w *workload) at(i int) time.Time {
	step := w.span / time.Duration(w.records)
	return w.end.Add(-w.span).Add(time.Duration(i) * step)
}

// record returns the i-th record: three of ten are exceptions, as many events
// and slow requests, the rest lives of processes and tails of logs.
func (w *workload) record(i int) *record.Record {
	random := rand.New(rand.NewPCG(uint64(i), 25))
	at := w.at(i).Add(time.Duration(random.Int64N(int64(time.Second))))
	app := skewed(random, apps)
	r := &record.Record{
		V: record.Version, ID: record.NewID(at), At: at.UnixNano(),
		Host: fmt.Sprintf("web-%02d", random.IntN(hosts)), Daemon: "deploy", Namespace: "default", App: fmt.Sprintf("app-%02d", app),
		PMID: app*4 + random.IntN(4), Started: at.Truncate(24 * time.Hour).UnixMilli(),
		Version: fmt.Sprintf("1.%d.%d", app, int(at.Sub(w.end.Add(-w.span)).Hours()/72)), Revision: fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, app, at.Day())))[:10],
		Node: "v24.11.0", Mode: "cluster", Level: record.LevelInfo, Source: record.FromExt,
	}
	r.PID = 1000 + int(r.Started/86_400_000)%30*1000 + r.PMID
	switch n := random.IntN(100); {
	case n < 30:
		w.exception(r, random)
	case n < 60:
		r.Kind = record.Event
		r.Event = &record.EventInfo{Name: fmt.Sprint("order ", random.IntN(5)), Data: []byte(`{"order":` + fmt.Sprint(random.IntN(1e9)) + `,"items":[` + filler(random, 1400) + `]}`)}
	case n < 85:
		r.Kind, r.Level = record.SlowRequest, record.LevelWarn
		r.Request = &record.RequestInfo{Method: "GET", Route: fmt.Sprint("/api/v1/things/:id/part", random.IntN(30)), Code: 200 + 100*random.IntN(4), Seconds: random.ExpFloat64(), Target: "/api/v1/things/" + fmt.Sprint(random.IntN(1e9))}
		r.Message = filler(random, 1200)
	case n < 90:
		r.Kind, r.Level, r.Source = record.Exit, record.LevelError, record.FromPM2
		r.Exit = &record.ExitInfo{Reason: []string{"crash", "oom", "signal"}[random.IntN(3)], Code: 1, Uptime: random.Float64() * 1e5, Memory: uint64(random.IntN(1 << 30))}
		r.Logs = logs(random)
	case n < 95:
		r.Kind, r.Source = record.Restart, record.FromPM2
		if i%100 == 0 {
			r.Kind, r.Deploy = record.Deploy, &record.DeployInfo{FromVersion: "1.0.0"}
		}
	default:
		r.Kind, r.Source, r.Logs = record.LogTail, record.FromLog, logs(random)
	}
	return r
}

func (w *workload) exception(r *record.Record, random *rand.Rand) {
	bug := skewed(random, groups/apps)
	r.Kind, r.Level = record.Exception, record.LevelError
	name := fmt.Sprint("TypeError", bug)
	e := &record.ExceptionInfo{
		Fingerprint: fingerprintOf(r.App, name), Algo: 1, Name: name, Message: "Cannot read properties of undefined (reading 'id') of order " + fmt.Sprint(random.IntN(1e9)),
		Mechanism: record.Uncaught, Culprit: fmt.Sprintf("handler%d (routes/orders.js)", bug),
	}
	e.Title = e.Name + ": " + e.Message
	var stack strings.Builder
	stack.WriteString(e.Title)
	for f := range 8 {
		frame := record.Frame{Function: fmt.Sprintf("handler%d", bug+f), File: fmt.Sprintf("routes/part%d/orders.js", f), Line: 10 + random.IntN(900), Column: 7, InApp: f < 5}
		fmt.Fprintf(&stack, "\n    at %s (/srv/%s/current/%s:%d:%d)", frame.Function, r.App, frame.File, frame.Line, frame.Column)
		e.Frames = append(e.Frames, frame)
	}
	e.Stack = stack.String()
	r.Exception, r.Logs = e, logs(random)[:3]
	r.Occurrences = uint64(1 + random.IntN(3))
}

func fingerprintOf(app, name string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(app+name)))
}

// skewed is below n, the small ones more often.
func skewed(random *rand.Rand, n int) int {
	return int(random.Float64() * random.Float64() * float64(n))
}

func logs(random *rand.Rand) (lines []record.LogLine) {
	for range 12 {
		lines = append(lines, record.LogLine{Stream: "out", Text: fmt.Sprintf(`{"level":"info","request":"%x","ms":%d,"msg":"request completed"}`, random.Uint64(), random.IntN(1000))})
	}
	return lines
}

// filler is text of about n bytes that compresses as JSON of apps does.
func filler(random *rand.Rand, n int) string {
	var b strings.Builder
	for b.Len() < n {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"sku":"%x","name":"a thing of kind %d","price":%d.%02d,"stock":%d}`, random.Uint32(), random.IntN(50), random.IntN(1000), random.IntN(100), random.IntN(10000))
	}
	return b.String()
}
