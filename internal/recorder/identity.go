package recorder

import (
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/record"
)

type appKey struct{ namespace, app string }

// appState is what an app ran last.
type appState struct {
	version, revision string
	at                time.Time // start of the process that ran it
	seen              time.Time
	stopped, reloaded time.Time // when that was recorded last
}

// proc is what is known of one of PM2's process ids.
type proc struct {
	appKey
	pmID    int
	run     *run // the last one; nil where none was seen
	old     *run // of a worker that a reload retires
	stopped bool // by somebody, or PM2 gave up
	listed  bool
	gone    time.Time // since when PM2 does not list it; zero while it does
	reason  string    // of its last end
	dir     string    // where it runs
	logs    *logTail  // nil where none are kept
	events  allowance
	slow    allowance
}

// run is one life of a process.
type run struct {
	started                       time.Time
	pid                           int
	version, revision, node, mode string
	peak                          uint64
	thrown                        uint64 // exceptions
	ended                         bool
	sure                          bool // the version is that of this run: PM2 up to 6 says the one before as it starts
}

// maxProcs bounds what is remembered of processes that no list has confirmed.
const maxProcs = 20_000

// proc returns what is known of a process id, made new where it belongs to
// another app now.
func (c *core) proc(pmID int, key appKey) *proc {
	p, ok := c.procs[pmID]
	if ok && p.appKey == key {
		return p
	}
	if !ok && len(c.procs) >= maxProcs {
		return &proc{appKey: key, pmID: pmID}
	}
	p = &proc{appKey: key, pmID: pmID}
	if c.wantsLogs() {
		p.logs = c.newLogTail(p)
	}
	c.procs[pmID] = p
	return p
}

func (c *core) procOf(ev *pm2.Event) *proc {
	return c.proc(ev.PMID, appKey{ev.Namespace, ev.Name})
}

// at is the run that a message speaks of, nil where it is not known.
func (p *proc) at(retired bool) *run {
	if retired && p.old != nil {
		return p.old
	}
	return p.run
}

// head begins a record about a process.
func (c *core) head(kind record.Kind, p *proc, r *run, at time.Time) *record.Record {
	out := &record.Record{
		V: record.Version, At: at.UnixNano(), Kind: kind, Host: record.CleanName(c.opts.Host), Daemon: record.CleanName(c.opts.Daemon),
		Namespace: record.CleanName(p.namespace), App: record.CleanName(p.app), PMID: p.pmID, Level: record.LevelInfo, Source: record.FromPM2,
	}
	r.identify(out)
	return out
}

// identify says in which run it was, as far as that is known by now.
func (r *run) identify(out *record.Record) {
	if r == nil {
		return
	}
	out.Started = millis(r.started)
	if r.pid > 0 {
		out.PID = r.pid
	}
	out.Version, out.Revision, out.Node, out.Mode = record.CleanName(r.version), record.CleanName(r.revision), record.CleanName(r.node), record.CleanName(r.mode)
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// when is the time that a message bears, or the one at which it came where it
// bears none or one that can not be.
func when(said, came time.Time) time.Time {
	if said.IsZero() || said.After(came.Add(time.Minute)) || came.Sub(said) > 24*time.Hour {
		return came
	}
	return said
}

// allowance is how many a process may send in a minute.
type allowance struct {
	left  int
	since time.Time
}

func (a *allowance) take(perMinute int, now time.Time) bool {
	if now.Sub(a.since) >= time.Minute || a.since.IsZero() {
		a.left, a.since = perMinute, now
	}
	if a.left <= 0 {
		return false
	}
	a.left--
	return true
}
