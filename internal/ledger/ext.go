package ledger

import (
	"errors"
	"time"

	"github.com/pm25/pm25/internal/pm2"
)

// Bounds of what is remembered of processes that report. A baseline is what
// was counted already of one series of one process.
const (
	maxLives     = 64               // of one of PM2's processes: workers, and runs that ended
	maxBaselines = 2000             // of one life
	maxProcCells = 400_000          // buckets in the baselines of one of PM2's processes
	maxCells     = 4_000_000        // … and of all: 32 MiB
	baseCells    = 24               // what a baseline takes besides its exponential buckets
	endedFor     = 2 * time.Minute  // after it ended, a process may still have something to say
	silentFor    = time.Hour        // a process reports each minute
	awayFor      = 10 * time.Minute // lists come more often, unless the agent or the host slept
	startSlack   = time.Second      // PM2 notes the start of a process just before it starts
)

// ErrReport means that a report contradicts what its process said before.
var ErrReport = errors.New("a report of pm25-ext contradicts an earlier one")

// lifeKey names one process for as long as the host runs.
type lifeKey struct {
	pid   int
	start int64 // milliseconds since 1970
}

// extProc is what one of PM2's process ids reports, over all its processes.
type extProc struct {
	app    AppKey
	seen   time.Time
	lives  map[lifeKey]*life
	node   NodeCounters
	epochs []epoch
	cells  int
}

// life is one process and how much of its counts is accounted for.
type life struct {
	app     AppKey
	seq     uint64
	seen    time.Time
	retired bool
	// whole says that what is seen for the first time counts: the process
	// began after the ledger did, or all that it had counted before is known.
	whole  bool
	series map[SeriesKey]*baseline
	cells  int

	collapsed  counter
	gc         [4]pm2.GC
	loop       [2]float64
	hasRuntime bool // gc and loop are baselines
	exceptions [4]counter
	epoch      int64 // see extProc.epochs

	inFlight float64
	hasHTTP  bool
	runtime  pm2.Runtime
}

type baseline struct {
	Histogram
	into *Series
}

// counter is a count of a process and whether it has a baseline.
type counter struct {
	N     uint64 `json:"n"`
	Known bool   `json:"known"`
}

// advance takes a later state of the count and returns by how much it grew;
// whole says that a first one counts.
func (c *counter) advance(n uint64, whole bool) (grown uint64) {
	switch {
	case !c.Known && !whole:
		c.N, c.Known = n, true
	case n > c.N || !c.Known:
		grown = n - c.N
		c.N, c.Known = n, true
	}
	return grown
}

// Report takes what pm25-ext tells of a process. Reports may be lost, come
// twice or out of order. One that contradicts what the process said before
// changes nothing.
func (l *Ledger) Report(ev *pm2.Event, now time.Time) error {
	r := ev.Report
	if ev.Name == "" || ev.PMID < 0 || r == nil {
		return nil
	}
	x, key := l.reporter(ev, now)
	lf, ok := x.lives[lifeKey{r.PID, r.Start}]
	if ok {
		for i := range r.Series {
			s := &r.Series[i]
			if b, ok := lf.series[seriesKey(s)]; ok && s.Count > b.Count && !b.follows(s) {
				return ErrReport
			}
		}
	} else {
		lf = l.born(x, key, ev, now)
	}
	x.seen, lf.seen = now, now
	_, app := l.admit(lf.app, now)
	complete := l.series(x, lf, app, r, now)
	lf.tally(x, app, r)
	if r.Seq > lf.seq {
		lf.picture(r)
		lf.seq, lf.retired = r.Seq, ev.Retired
	}
	lf.whole = lf.whole || r.Full && complete
	return nil
}

// reporter returns what is known of the sender, and its app.
func (l *Ledger) reporter(ev *pm2.Event, now time.Time) (*extProc, AppKey) {
	key := AppKey{ev.Namespace, ev.Name}
	if key.Namespace == "" {
		key.Namespace = "default"
	}
	key, _ = l.admit(key, now)
	x, ok := l.ext[ev.PMID]
	if !ok {
		x = &extProc{app: key, seen: now, lives: map[lifeKey]*life{}, node: NodeCounters{Created: now}}
		l.ext[ev.PMID] = x
	}
	if x.app != key { // a new daemon gives the numbers anew
		x.app, x.epochs, x.node = key, nil, NodeCounters{Created: now}
	}
	return x, key
}

// born begins a life. What it had counted before the ledger began, or before a
// life of its time was forgotten, may have been counted already.
func (l *Ledger) born(x *extProc, key AppKey, ev *pm2.Event, now time.Time) *life {
	r := ev.Report
	for len(x.lives) >= maxLives {
		l.dropSilent(x, now)
	}
	lf := &life{app: key, retired: ev.Retired, series: map[SeriesKey]*baseline{}}
	lf.whole = r.Start > l.begun.UnixMilli() && r.Start > l.through
	lf.epoch = x.epochOf(r.Start, ev.Retired)
	lf.runtime = pm2.NoRuntime()
	x.lives[lifeKey{r.PID, r.Start}] = lf
	return lf
}

// dropSilent forgets the life that has been silent for longest.
func (l *Ledger) dropSilent(x *extProc, now time.Time) {
	var oldest lifeKey
	var found *life
	for k, lf := range x.lives {
		if found == nil || lf.seen.Before(found.seen) || lf.seen.Equal(found.seen) && k.start < oldest.start {
			oldest, found = k, lf
		}
	}
	l.dropLife(x, oldest, now)
}

// dropLife forgets a life. Another one of its time that shows up from now on
// could be the same again.
func (l *Ledger) dropLife(x *extProc, k lifeKey, now time.Time) {
	x.cells -= x.lives[k].cells
	l.cells -= x.lives[k].cells
	delete(x.lives, k)
	l.through = max(l.through, min(k.start, now.UnixMilli()))
}

func seriesKey(s *pm2.ReportSeries) SeriesKey { return SeriesKey{s.Method, s.Route, s.Code} }

// series adds what the series of a report have more than their baselines. It
// is false where there was no room for a baseline.
func (l *Ledger) series(x *extProc, lf *life, app *App, r *pm2.Report, now time.Time) (complete bool) {
	complete = true
	for i := range r.Series {
		s := &r.Series[i]
		key := seriesKey(s)
		b, ok := lf.series[key]
		if !ok {
			if b = l.openBaseline(x, lf, app, key, now); b == nil {
				complete = false
				continue
			}
			if !lf.whole {
				l.charge(x, lf, b.widen(s))
				b.become(s)
				continue
			}
		}
		if s.Count <= b.Count {
			continue // older than what is known
		}
		b.into.grow(s, &b.Histogram)
		b.into.GrownAt = now
		l.charge(x, lf, b.widen(s))
		b.become(s)
	}
	for i := range r.Slow {
		s := &r.Slow[i]
		if b, ok := lf.series[SeriesKey{s.Method, s.Route, s.Code}]; ok {
			b.into.note(s)
		}
	}
	return complete
}

// openBaseline returns a baseline of nothing, or nil where there are too many:
// the series then counts as soon as there is room.
func (l *Ledger) openBaseline(x *extProc, lf *life, app *App, key SeriesKey, now time.Time) *baseline {
	if len(lf.series) >= maxBaselines || x.cells >= maxProcCells || l.cells >= maxCells {
		l.foldedSeries++
		return nil
	}
	b := &baseline{into: l.openSeries(app, key, now)}
	lf.series[key] = b
	l.charge(x, lf, baseCells)
	return b
}

func (l *Ledger) charge(x *extProc, lf *life, cells int) {
	lf.cells += cells
	x.cells += cells
	l.cells += cells
}

// tally adds the counts that a report holds besides its series.
func (lf *life) tally(x *extProc, app *App, r *pm2.Report) {
	if r.HTTP {
		app.Collapsed += lf.collapsed.advance(r.Collapsed, lf.whole)
		app.Reported = true
	}
	if r.Runtime != nil {
		x.node.advance(lf, r.Runtime)
	}
	if r.Exceptions == nil {
		return
	}
	var grown [4]uint64
	for i := range grown {
		grown[i] = lf.exceptions[i].advance(r.Exceptions[i], lf.whole)
	}
	x.uncaught(app, lf.epoch, grown[0]+grown[1])
	app.Exceptions[0] += grown[2] + grown[3]
}

// picture takes how the process looks now.
func (lf *life) picture(r *pm2.Report) {
	if lf.hasHTTP = r.HTTP; r.HTTP {
		lf.inFlight = r.InFlight
	}
	if r.Runtime != nil {
		lf.runtime = *r.Runtime
	}
}

// tidyExt forgets processes that ended: PM2's processes by id with their last
// start, as the list has them, are listed.
func (l *Ledger) tidyExt(listed map[int]time.Time, now time.Time) {
	if now.Sub(l.tidiedAt) > awayFor {
		// Nobody listened, so silence says nothing.
		for _, x := range l.ext {
			x.seen = now
			for _, lf := range x.lives {
				lf.seen = now
			}
		}
	}
	l.tidiedAt = now
	for id, x := range l.ext {
		started, ok := listed[id]
		if !ok && now.Sub(x.seen) > endedFor {
			for k := range x.lives {
				l.dropLife(x, k, now)
			}
			delete(l.ext, id)
			continue
		}
		for k, lf := range x.lives {
			silent := now.Sub(lf.seen)
			before := ok && k.start < started.Add(-startSlack).UnixMilli()
			if silent > silentFor || before && silent > endedFor {
				l.dropLife(x, k, now)
			}
		}
	}
}
