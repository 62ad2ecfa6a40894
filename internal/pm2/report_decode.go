package pm2

import (
	"fmt"
	"math"
	"strconv"

	"github.com/pm25/pm25/internal/pm2/jsonscan"
	"github.com/pm25/pm25/internal/record"
)

// reportDecoder reads reports. It keeps the room of the last one and one copy
// of each name, because a hundred processes send a report every few seconds.
type reportDecoder struct {
	scan   *jsonscan.Scanner
	names  interner
	report Report
	cells  []ReportBucket // what the series share
	ends   []int          // where in cells each series ends
	known  bool           // "le" and "schema" are as expected
}

func newReportDecoder(scan *jsonscan.Scanner) *reportDecoder {
	return &reportDecoder{scan: scan, names: interner{}}
}

// decode reads a report. Unlike PM2's own data it has to be right in every
// part that is taken: half a report would count wrongly for good.
func (d *reportDecoder) decode() (*Report, error) {
	r := &d.report
	*r = Report{Series: r.Series[:0], Slow: r.Slow[:0]}
	d.cells, d.ends, d.known = d.cells[:0], d.ends[:0], false
	var version uint64
	err := d.object(func(key []byte) (err error) {
		if kind, err := d.scan.Kind(); err != nil || kind == jsonscan.Null {
			return err // a part that is turned off, or failed
		}
		switch string(key) {
		case "v":
			version, err = d.count()
		case "pid":
			var pid uint64
			pid, err = d.count()
			r.PID = int(min(pid, math.MaxInt32))
		case "start":
			r.Start, err = d.millis()
		case "seq":
			r.Seq, err = d.count()
		case "full":
			r.Full, err = d.truth()
		case "http":
			r.HTTP = true
			err = d.http()
		case "slow":
			err = d.array(maxSlow, func(int) error { return d.slow() })
		case "runtime":
			r.Runtime = &d.report.runtime
			*r.Runtime = NoRuntime()
			err = d.runtime(r.Runtime)
		case "exceptions":
			r.Exceptions = &d.report.exceptions
			err = d.exceptions(r.Exceptions)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case version != ReportVersion:
		return nil, fmt.Errorf("%w: version %d, %d is known", errReport, version, ReportVersion)
	case r.PID == 0 || r.Start == 0 || r.Seq == 0:
		return nil, fmt.Errorf("%w: pid, start or seq is missing", errReport)
	case len(r.Series) > 0 && !d.known:
		return nil, fmt.Errorf("%w: series without bounds", errReport)
	}
	from := 0
	for i, end := range d.ends {
		r.Series[i].Native = d.cells[from:end:end]
		from = end
	}
	return r, nil
}

func (d *reportDecoder) http() error {
	r := &d.report
	var bounds, schema bool
	err := d.object(func(key []byte) (err error) {
		switch string(key) {
		case "le":
			bounds, err = d.bounds()
		case "schema":
			var n uint64
			n, err = d.count()
			schema = n == ReportSchema
		case "inflight":
			r.InFlight, err = d.amount()
		case "collapsed":
			r.Collapsed, err = d.count()
		case "series":
			err = d.array(maxSeries, func(int) error { return d.series() })
		}
		return err
	})
	d.known = bounds && schema
	return err
}

func (d *reportDecoder) bounds() (same bool, err error) {
	want := ReportBounds()
	same = true
	n := 0
	err = d.array(64, func(i int) error {
		v, err := d.amount()
		same = same && i < len(want) && v == want[i]
		n++
		return err
	})
	return same && n == len(want), err
}

func (d *reportDecoder) series() error {
	d.report.Series = append(d.report.Series, ReportSeries{})
	s := &d.report.Series[len(d.report.Series)-1]
	var below, native uint64
	from := len(d.cells)
	parts := 0
	err := d.array(8, func(i int) (err error) {
		parts++
		switch i {
		case 0:
			s.Method, err = d.method()
		case 1:
			s.Route, err = d.name()
		case 2:
			s.Code, err = d.code()
		case 3:
			s.Count, err = d.count()
		case 4:
			s.Sum, err = d.amount()
		case 5:
			below, err = d.counts(s.Classic[:])
		case 6:
			s.Zero, err = d.count()
		case 7:
			native, err = d.runs(from)
		}
		return err
	})
	d.ends = append(d.ends, len(d.cells))
	switch {
	case err != nil:
		return err
	case parts != 8:
		return fmt.Errorf("%w: series of %d parts", errReport, parts)
	case below > s.Count || s.Zero > s.Count || native != s.Count-s.Zero:
		return fmt.Errorf("%w: the buckets of a series do not add up", errReport)
	}
	return nil
}

// runs reads exponential buckets: the index of the first, then the counts of
// consecutive ones.
func (d *reportDecoder) runs(from int) (total uint64, err error) {
	err = d.array(maxRuns, func(int) error {
		index := 0
		return d.array(MaxBucket-MinBucket+2, func(i int) error {
			if i == 0 {
				index, err = d.index()
				return err
			}
			n, err := d.count()
			if err != nil {
				return err
			}
			if last := len(d.cells) - 1; index < MinBucket || index > MaxBucket || last >= from && d.cells[last].Index >= index {
				return fmt.Errorf("%w: bucket %d is out of range or order", errReport, index)
			}
			if n > 0 {
				d.cells = append(d.cells, ReportBucket{index, n})
				total += n
			}
			index++
			return nil
		})
	})
	return total, err
}

func (d *reportDecoder) slow() error {
	var s SlowRequest
	var status uint64
	var aborted bool
	err := d.object(func(key []byte) (err error) {
		switch string(key) {
		case "id":
			s.ID, err = d.uuid()
		case "m":
			s.Method, err = d.method()
		case "r":
			s.Route, err = d.name()
		case "c":
			if kind, kerr := d.scan.Kind(); kerr != nil || kind == jsonscan.Null {
				return kerr
			}
			status, err = d.count()
		case "s":
			s.Seconds, err = d.amount()
		case "at":
			s.At, err = d.millis()
		case "aborted":
			aborted, err = d.truth()
		case "target":
			var text []byte
			text, err = d.scan.Text(record.MaxMessage)
			s.Target, _ = record.CleanText(string(text), record.MaxMessage)
		}
		return err
	})
	s.Status, s.Aborted = int(min(status, 999)), aborted
	switch {
	case err != nil:
		return err
	case s.ID == "" || s.At == 0:
		return fmt.Errorf("%w: a slow request without id or time", errReport)
	case aborted:
		s.Code = "aborted"
	default:
		s.Code = classOf(float64(status))
	}
	if s.Code != "" {
		d.report.Slow = append(d.report.Slow, s)
	}
	return nil
}

func (d *reportDecoder) runtime(r *Runtime) error {
	return d.object(func(key []byte) (err error) {
		switch string(key) {
		case "heap":
			err = d.gauges(&r.HeapUsed, &r.HeapTotal, &r.HeapLimit, &r.External, &r.ArrayBuffers)
		case "afterGC":
			r.HeapAfterGC, err = d.gauge()
		case "gc":
			err = d.object(func(kind []byte) error {
				for i, known := range [...]string{"major", "minor", "incremental", "weakcb"} {
					if string(kind) == known {
						return d.gc(&r.GC[i])
					}
				}
				return nil
			})
		case "loop":
			err = d.gauges(&r.Active, &r.Idle)
		case "delay":
			v := &r.Delay
			err = d.gauges(&v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6])
		case "delayMax":
			r.DelayMax, err = d.gauge()
		case "handles":
			r.Handles, err = d.gauge()
		case "requests":
			r.Requests, err = d.gauge()
		}
		return err
	})
}

func (d *reportDecoder) gc(g *GC) error {
	var below uint64
	parts := 0
	err := d.array(3, func(i int) (err error) {
		parts++
		switch i {
		case 0:
			g.Count, err = d.count()
		case 1:
			g.Sum, err = d.amount()
		case 2:
			below, err = d.counts(g.Buckets[:])
		}
		return err
	})
	if err == nil && (parts != 3 || below > g.Count) {
		err = fmt.Errorf("%w: the buckets of garbage collection do not add up", errReport)
	}
	return err
}

func (d *reportDecoder) exceptions(into *[4]uint64) error {
	return d.object(func(kind []byte) (err error) {
		for i, known := range [...]string{"uncaught", "rejection", "handled", "notified"} {
			if string(kind) == known {
				into[i], err = d.count()
			}
		}
		return err
	})
}

// index takes the whole number of a bucket.
func (d *reportDecoder) index() (int, error) {
	text, err := d.literal()
	if err != nil {
		return 0, err
	}
	n, perr := strconv.Atoi(string(text))
	if perr != nil || n < MinBucket || n > MaxBucket {
		return 0, fmt.Errorf("%w: no index of a bucket", errReport)
	}
	return n, nil
}
