package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/pm2"
)

// teller makes the reports of one process.
type teller struct {
	ev  pm2.Event
	seq uint64
}

func tell(pid int, start time.Time) *teller {
	return &teller{ev: pm2.Event{Kind: pm2.EventReport, Name: "web", Namespace: "default", Report: &pm2.Report{PID: pid, Start: start.UnixMilli()}}}
}

// says returns a report of series that have taken n requests of 0.2 s each.
func (p *teller) says(full bool, counts map[string]uint64) *pm2.Event {
	p.seq++
	ev, r := p.ev, *p.ev.Report
	r.Seq, r.Full, r.HTTP = p.seq, full, true
	for route, n := range counts {
		r.Series = append(r.Series, took200ms(route, n))
	}
	ev.Report = &r
	return &ev
}

func took200ms(route string, n uint64) pm2.ReportSeries {
	s := pm2.ReportSeries{Method: "GET", Route: route, Code: "2xx", Count: n, Sum: float64(n) / 5, Native: []pm2.ReportBucket{{Index: -18, Count: n}}}
	s.Classic[5] = n
	return s
}

func count(t *testing.T, l *Ledger, route string) uint64 {
	t.Helper()
	app := l.App(webKey().AppKey)
	s := app.find(SeriesKey{"GET", route, "2xx"})
	if s == nil {
		return math.MaxUint64
	}
	if s.Classic[5] != s.Count || s.bucket(-18) != s.Count || math.Abs(s.Sum-float64(s.Count)/5) > 1e-9 {
		t.Errorf("%s: the parts of the histogram disagree: %+v", route, s)
	}
	return s.Count
}

func (l *Ledger) take(t *testing.T, events ...*pm2.Event) {
	t.Helper()
	for _, ev := range events {
		if err := l.Report(ev, noon); err != nil {
			t.Fatal(err)
		}
	}
}

type counts = map[string]uint64

func TestReportsCountOnce(t *testing.T) {
	before, after := noon.Add(-time.Hour), noon.Add(time.Second)
	for name, c := range map[string]struct {
		start time.Time
		tell  func(p *teller) []*pm2.Event
		want  uint64
	}{
		"a process of our time counts whole": {after, func(p *teller) []*pm2.Event {
			return []*pm2.Event{p.says(false, counts{"/a": 3}), p.says(false, counts{"/a": 5})}
		}, 5},
		"one of before waits for the whole": {before, func(p *teller) []*pm2.Event {
			return []*pm2.Event{p.says(true, counts{"/a": 100}), p.says(false, counts{"/a": 103})}
		}, 3},
		"a part is a baseline until then": {before, func(p *teller) []*pm2.Event {
			return []*pm2.Event{p.says(false, counts{"/b": 1}), p.says(false, counts{"/a": 100}), p.says(false, counts{"/a": 102}), p.says(true, counts{"/a": 104, "/b": 1})}
		}, 4},
		"new after the whole counts": {before, func(p *teller) []*pm2.Event {
			return []*pm2.Event{p.says(true, counts{"/b": 9}), p.says(false, counts{"/a": 2})}
		}, 2},
		"repeated": {after, func(p *teller) []*pm2.Event {
			one, two := p.says(false, counts{"/a": 3}), p.says(true, counts{"/a": 4})
			return []*pm2.Event{one, two, one, two, two}
		}, 4},
		"out of order": {after, func(p *teller) []*pm2.Event {
			one, two, three := p.says(false, counts{"/a": 3}), p.says(false, counts{"/b": 1}), p.says(false, counts{"/a": 7})
			return []*pm2.Event{three, two, one}
		}, 7},
		"late, and the only word of it": {after, func(p *teller) []*pm2.Event {
			one, two := p.says(false, counts{"/a": 3}), p.says(false, counts{"/b": 1})
			return []*pm2.Event{two, one}
		}, 3},
		"lost in between": {after, func(p *teller) []*pm2.Event {
			p.says(false, counts{"/a": 3})
			return []*pm2.Event{p.says(true, counts{"/a": 30})}
		}, 30},
	} {
		t.Run(name, func(t *testing.T) {
			l := New(noon)
			l.Apply([]pm2.Process{web(0)}, noon)
			l.take(t, c.tell(tell(7, c.start))...)
			if got := count(t, l, "/a"); got != c.want {
				t.Errorf("%d requests, want %d", got, c.want)
			}
		})
	}
}

// TestWorkersAndRestartsAddUp: one app, several processes, over their lives.
func TestWorkersAndRestartsAddUp(t *testing.T) {
	l := New(noon)
	at := func(pid, second, id int) *teller {
		p := tell(pid, noon.Add(time.Duration(second)*time.Second))
		p.ev.PMID = id
		return p
	}
	a, b, a2 := at(1, 1, 0), at(2, 1, 1), at(3, 60, 0)
	l.take(t, a.says(false, counts{"/a": 10}), b.says(false, counts{"/a": 20}), a2.says(false, counts{"/a": 1}), a.says(true, counts{"/a": 11}), a2.says(true, counts{"/a": 5}))
	if got := count(t, l, "/a"); got != 36 {
		t.Errorf("%d requests, want 36", got)
	}
}

func TestContradictionsChangeNothing(t *testing.T) {
	l := New(noon)
	p := tell(7, noon.Add(time.Second))
	l.take(t, p.says(true, counts{"/a": 10, "/b": 1}))
	bad := p.says(true, counts{"/b": 5})
	s := took200ms("/a", 12)
	s.Classic[5], s.Classic[4] = 9, 3 // a request moved to another bucket
	bad.Report.Series = append(bad.Report.Series, s)
	moved := p.says(true, counts{"/b": 5})
	s = took200ms("/a", 12)
	s.Native = []pm2.ReportBucket{{Index: -17, Count: 12}}
	moved.Report.Series = append(moved.Report.Series, s)
	for _, ev := range []*pm2.Event{bad, moved} {
		if err := l.Report(ev, noon); !errors.Is(err, ErrReport) {
			t.Errorf("error %v", err)
		}
	}
	if a, b := count(t, l, "/a"), count(t, l, "/b"); a != 10 || b != 1 {
		t.Errorf("%d and %d requests, want 10 and 1", a, b)
	}
}

// again is an orderly restart of the agent.
func again(t *testing.T, l *Ledger) *Ledger {
	t.Helper()
	data, err := json.Marshal(l.Save())
	if err != nil {
		t.Fatal(err)
	}
	var s State
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return Restore(s)
}

func TestReportsOverARestartOfTheAgent(t *testing.T) {
	l := New(noon)
	list := []pm2.Process{web(0)}
	l.Apply(list, noon)
	old, young := tell(7, noon.Add(-time.Hour)), tell(8, noon.Add(time.Second))
	young.ev.PMID = 1
	l.take(t, old.says(true, counts{"/a": 100}), old.says(false, counts{"/a": 101}), young.says(false, counts{"/a": 10}))
	l = again(t, l)
	l.Apply(list, noon.Add(5*time.Hour)) // away for long
	born := tell(9, noon.Add(2*time.Hour))
	born.ev.PMID = 2
	l.take(t, old.says(false, counts{"/a": 103}), young.says(false, counts{"/a": 12}), born.says(false, counts{"/a": 1000}))
	if got := count(t, l, "/a"); got != 3+12+1000 {
		t.Errorf("%d requests, want 1015", got)
	}

	killed := New(noon.Add(6 * time.Hour))
	killed.take(t, old.says(false, counts{"/a": 104}), young.says(true, counts{"/a": 13}), old.says(true, counts{"/a": 105}))
	if got := count(t, killed, "/a"); got != 1 {
		t.Errorf("after a kill: %d requests, want the one that came since", got)
	}
}

// TestForgottenLivesDoNotCountAgain: what is no longer remembered of a process
// is never taken for new.
func TestForgottenLivesDoNotCountAgain(t *testing.T) {
	l := New(noon)
	first := tell(1, noon.Add(time.Second))
	l.take(t, first.says(true, counts{"/a": 1000}))
	for i := range maxLives + 10 {
		p := tell(10+i, noon.Add(time.Duration(2+i)*time.Second))
		if err := l.Report(p.says(true, counts{"/a": 1}), noon.Add(time.Duration(2+i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	want := uint64(1000 + maxLives + 10)
	l.take(t, first.says(true, counts{"/a": 1001}), first.says(false, counts{"/a": 1002}))
	if got := count(t, l, "/a"); got != want+1 {
		t.Errorf("%d requests, want %d", got, want+1)
	}
	if n := len(l.ext[0].lives); n > maxLives {
		t.Errorf("%d lives are remembered", n)
	}
}

// TestSeriesAreBounded: whatever an app sends, and no request is lost.
func TestSeriesAreBounded(t *testing.T) {
	l := New(noon)
	l.Limit(Limits{AppSeries: 50, Series: 120})
	var list []pm2.Process
	sent := uint64(0)
	var last *teller
	for app := range 4 {
		p := web(0)
		p.Name, p.PMID, p.UniqueID = fmt.Sprint("app", app), app, fmt.Sprint(app)
		list = append(list, p)
		l.Apply(list, noon)
		from := tell(1+app, noon.Add(time.Second))
		from.ev.Name, from.ev.PMID, last = p.Name, app, from
		for i := range 10 {
			c := counts{}
			for j := range 10 {
				c[fmt.Sprintf("/%d/%d", i, j)] = 2
				sent += 2
			}
			l.take(t, from.says(false, c), from.says(false, c))
		}
	}
	total, all := uint64(0), 0
	for _, key := range l.Listed() {
		series := l.App(key).Series()
		if len(series) > 51 {
			t.Errorf("%v has %d series", key, len(series))
		}
		all += len(series)
		for _, s := range series {
			total += s.Count
		}
	}
	if all != 120+4 || total != sent || l.FoldedSeries() == 0 {
		t.Errorf("%d series with %d requests, want 124 with %d; %d folded", all, total, sent, l.FoldedSeries())
	}
	back := again(t, l)
	for range 2 { // what was folded stays so, whatever the bounds are now
		back.take(t, last.says(false, counts{"/9/9": 3}))
	}
	if was, is := l.App(appKey(list[3])).Series(), back.App(appKey(list[3])).Series(); len(is) != len(was) || back.App(appKey(list[3])).find(SeriesKey{Other, Other, "2xx"}).Count != l.App(appKey(list[3])).find(SeriesKey{Other, Other, "2xx"}).Count+1 {
		t.Errorf("%d series, %d before", len(is), len(was))
	}
	back = again(t, l)
	if diff := cmp.Diff(l.App(appKey(list[3])).find(SeriesKey{Other, Other, "2xx"}).Histogram, back.App(appKey(list[3])).find(SeriesKey{Other, Other, "2xx"}).Histogram); diff != "" {
		t.Error(diff)
	}
}

// TestBaselinesAreBounded: an app that makes up a series for each request takes
// the room of one app.
func TestBaselinesAreBounded(t *testing.T) {
	l := New(noon)
	for life := range 100 {
		p := tell(life+1, noon.Add(time.Duration(life)*time.Second))
		for i := range 30 {
			c := counts{}
			for j := range 100 {
				c[fmt.Sprintf("/%d/%d", i, j)] = 1
			}
			l.take(t, p.says(false, c))
		}
	}
	x := l.ext[0]
	if x.cells > maxProcCells+baseCells+1000 || l.cells != x.cells {
		t.Errorf("%d cells, %d in all", x.cells, l.cells)
	}
	n := 0
	for _, lf := range x.lives {
		n += len(lf.series)
	}
	if n > maxProcCells/baseCells {
		t.Errorf("%d baselines", n)
	}
}

func TestIdleSeriesAndGoneApps(t *testing.T) {
	l := New(noon)
	l.Apply([]pm2.Process{web(0)}, noon)
	l.take(t, tell(7, noon.Add(time.Second)).says(true, counts{"/a": 1}))
	l.Apply(nil, noon.Add(time.Minute))
	if len(l.Listed()) != 0 {
		t.Error("a deleted app is listed")
	}
	for _, after := range []time.Duration{2 * time.Minute, 5 * time.Minute} {
		l.Apply(nil, noon.Add(after))
	}
	if len(l.ext) != 0 || l.cells != 0 {
		t.Errorf("%d processes with %d cells are remembered", len(l.ext), l.cells)
	}
	if l.App(webKey().AppKey).find(SeriesKey{"GET", "/a", "2xx"}) == nil {
		t.Error("forgotten too early")
	}
	back := web(0)
	back.UniqueID = "b"
	for day := range 9 {
		l.Apply([]pm2.Process{back}, noon.Add(time.Duration(day)*24*time.Hour+time.Hour))
	}
	if l.App(webKey().AppKey).find(SeriesKey{"GET", "/a", "2xx"}) != nil {
		t.Error("a route that nobody asks for is kept for ever")
	}
}

func TestExemplars(t *testing.T) {
	l := New(noon)
	p := tell(7, noon.Add(time.Second))
	ev := p.says(true, counts{"/a": 2})
	at := noon.UnixMilli()
	slow := func(id string, seconds float64, at int64) pm2.SlowRequest {
		return pm2.SlowRequest{ID: id, Method: "GET", Route: "/a", Code: "2xx", Seconds: seconds, At: at}
	}
	ev.Report.Slow = []pm2.SlowRequest{slow("late", 0.2, at+1), slow("early", 0.15, at), slow("no such bucket", 3, at)}
	l.take(t, ev)
	want := []Exemplar{{Bucket: 5, ID: "late", Seconds: 0.2, At: time.UnixMilli(at + 1)}}
	if diff := cmp.Diff(want, l.App(webKey().AppKey).Series()[0].Exemplars); diff != "" {
		t.Error(diff)
	}
}

func TestNodeCountersGoOnOverLives(t *testing.T) {
	l := New(noon)
	p, q, old := tell(7, noon.Add(time.Second)), tell(8, noon.Add(time.Minute)), tell(6, noon.Add(-time.Hour))
	says := func(p *teller, gcs uint64, active float64) {
		ev := p.says(true, nil)
		r := pm2.NoRuntime()
		r.GC[0] = pm2.GC{Count: gcs, Sum: float64(gcs) / 100, Buckets: [6]uint64{0, gcs}}
		r.Active, r.Idle = active, active
		ev.Report.Runtime = &r
		l.take(t, ev)
	}
	says(old, 50, 500)
	says(old, 51, 501)
	says(p, 3, 1)
	says(p, 3, 1)
	says(p, 2, 0.5) // an older one, had it come late
	says(q, 4, 2)
	l = again(t, l)
	says(q, 5, 2.5)
	n, ok := l.Node(webKey())
	if !ok || n.GC[0].Count != 1+3+5 || n.GC[0].Buckets[1] != 9 || n.Active != 1+1+2.5 {
		t.Errorf("%v %+v", ok, n)
	}
}

func TestPresent(t *testing.T) {
	l := New(noon)
	p := tell(7, noon.Add(time.Second))
	started := noon
	ev := p.says(true, nil)
	ev.Report.InFlight = 3
	l.take(t, ev)
	late := p.says(true, nil)
	late.Report.Seq, late.Report.InFlight = 1, 9 // repeated
	l.take(t, late)
	if got, ok := l.Present(webKey(), 7, started, noon); !ok || got.InFlight != 3 || !got.Fresh || !got.ReportedAt.Equal(noon) {
		t.Errorf("%v %+v", ok, got)
	}
	if got, ok := l.Present(webKey(), 7, started, noon.Add(10*time.Minute)); !ok || got.Fresh {
		t.Errorf("silent for long: %v %+v", ok, got)
	}
	if _, ok := l.Present(webKey(), 7, noon.Add(time.Minute), noon); ok {
		t.Error("the figures of a process that ended describe the next one")
	}
}

func appKey(p pm2.Process) AppKey { return AppKey{p.Namespace, p.Name} }

// TestSeveralProcessesBelowOne: an app that PM2 runs through npm, and that has
// workers of its own.
func TestSeveralProcessesBelowOne(t *testing.T) {
	l := New(noon)
	for pid, inFlight := range map[int]float64{20: 1, 21: 2, 30: 4} {
		ev := tell(pid, noon.Add(time.Second)).says(true, nil)
		r := pm2.NoRuntime()
		r.HeapUsed = float64(pid)
		ev.Report.InFlight, ev.Report.Runtime = inFlight, &r
		l.take(t, ev)
	}
	for listed, want := range map[int]float64{10: 20, 30: 30} {
		if p, ok := l.Present(webKey(), listed, noon, noon); !ok || p.Runtime.HeapUsed != want || p.InFlight != 7 {
			t.Errorf("%d is listed: %v %+v, want the heap of %v", listed, ok, p, want)
		}
	}
}
