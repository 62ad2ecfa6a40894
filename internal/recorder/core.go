package recorder

import (
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/exits"
	"github.com/pm25/pm25/internal/record"
)

// core does the recording. It reads no clock but the times that it is given,
// and is not safe for concurrent use.
type core struct {
	opts    Options
	dropped *counters
	procs   map[int]*proc // by pm_id
	apps    map[appKey]*appState
	reading bool // some log has something that no flush has ended yet

	twins   twins
	sampler sampler
	exits   []*heldExit
	births  []*birth

	begun     time.Time
	reporters map[lifeOf]*reporter
	settling  []settlement
}

// settlement is a process that ended, whose last report may still come.
type settlement struct {
	proc *proc
	due  time.Time
}

func newCore(o Options, dropped *counters) *core {
	c := &core{opts: o, dropped: dropped, procs: map[int]*proc{}, apps: map[appKey]*appState{}, begun: o.Now(), reporters: map[lifeOf]*reporter{}}
	c.twins = twins{tallies: map[tallyKey]*tally{}}
	c.sampler = sampler{open: map[sampleKey]*window{}, perApp: map[appKey]int{}, emit: c.emitException}
	return c
}

func (c *core) wantsLogs() bool { return c.opts.LogExceptions || c.opts.LogLines > 0 }

// busy is true while something waits for its time.
func (c *core) busy() bool {
	return c.reading || len(c.exits) > 0 || len(c.births) > 0 || len(c.settling) > 0 || len(c.twins.held) > 0 || len(c.sampler.open) > 0
}

// take takes one thing that happened.
func (c *core) take(it *item) {
	switch {
	case it.exit != nil:
		c.exit(it.exit, it.times, it.at)
	case it.names:
		for i := range it.list {
			c.proc(it.list[i].PMID, appKey{it.list[i].Namespace, it.list[i].Name})
		}
	case it.list != nil:
		c.list(it.list, it.at)
	case it.known != nil:
		v := it.known
		c.apps[appKey{v.Namespace, v.App}] = &appState{version: v.Version, revision: v.Revision, at: v.At, seen: it.at}
	default:
		c.event(it)
	}
}

func (c *core) event(it *item) {
	ev := &it.event
	if ev.PMID < 0 || ev.Name == "" {
		return
	}
	if ev.Namespace == "" {
		ev.Namespace = "default"
	}
	switch ev.Kind {
	case pm2.EventLifecycle:
		c.lifecycle(ev, it.at)
	case pm2.EventOut, pm2.EventErr:
		c.chunk(ev, it.at)
	case pm2.EventException:
		c.thrown(ev, byPM2, it.at)
	case pm2.EventExtException:
		c.thrown(ev, byExt, it.at)
	case pm2.EventReport:
		if it.counts != ([4]uint64{}) {
			c.reported(ev, it)
		}
		c.slow(ev, it)
	default:
		c.custom(ev, it.at)
	}
}

// tick does what is due.
func (c *core) tick(now time.Time) {
	c.flushLogs(now)
	c.releaseBirths(func(b *birth) bool { return !now.Before(b.due) })
	c.releaseExits(func(h *heldExit) bool { return !now.Before(h.due) })
	for len(c.settling) > 0 && !now.Before(c.settling[0].due) {
		c.settle(c.settling[0].proc, now)
		c.settling = c.settling[1:]
	}
	c.releaseThrown(func(h *held) bool { return !now.Before(h.due) }, now)
	c.sampler.sweep(now)
}

// flush records all that waits.
func (c *core) flush(now time.Time) {
	c.flushLogs(now.Add(time.Hour))
	c.releaseBirths(func(*birth) bool { return true })
	c.releaseExits(func(*heldExit) bool { return true })
	c.settleAll(now)
	c.releaseThrown(func(*held) bool { return true }, now)
	c.sampler.flush(now)
}

func (c *core) flushLogs(now time.Time) {
	if !c.reading {
		return
	}
	c.reading = false
	for _, p := range c.procs {
		if p.logs != nil && !p.logs.flush(now) {
			c.reading = true
		}
	}
}

// emit hands a record to the sink.
func (c *core) emit(r *record.Record) bool {
	if r.ID == "" {
		r.ID = record.NewID(r.Time())
	}
	if c.opts.Tools.Scrub != nil {
		c.opts.Tools.Scrub(r)
	}
	fit(r)
	return c.opts.Sink.Offer(r)
}

// severe says which ends people want to know more of.
func severe(reason exits.Reason) bool {
	switch reason {
	case exits.Crash, exits.Errored, exits.OOMKill, exits.Signal, exits.MemoryLimit, exits.Unknown:
		return true
	}
	return false
}
