package recorder

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/record"
)

const (
	// sameAction is for how long words of PM2 about an app's processes mean one
	// action of somebody.
	sameAction = 10 * time.Second
	// forgetProc is how long a process that PM2 lists no more may have a last
	// word.
	forgetProc = time.Minute
	// holdBirth is how long a start waits for what PM2 says of it a moment later.
	holdBirth = 6 * time.Second
	maxKnown  = 5000 // apps whose version is remembered
	recently  = 24 * time.Hour
)

// lifecycle takes PM2's word about a process.
func (c *core) lifecycle(ev *pm2.Event, now time.Time) {
	p := c.procOf(ev)
	if ev.Retired {
		return
	}
	at := when(ev.At, now)
	life := ev.Life
	if life == nil {
		life = &pm2.Life{}
	}
	if life.Dir != "" {
		p.dir = life.Dir
	}
	switch ev.Lifecycle {
	case "online", "start", "restart":
		c.runs(p, life, at, now)
	case "reload":
		c.runs(p, life, at, now)
		if a := c.app(p.appKey, now); now.Sub(a.reloaded) > sameAction {
			a.reloaded = now
			c.action(record.Reload, p, at)
		}
	case "stop":
		p.stopped = true
		if a := c.app(p.appKey, now); now.Sub(a.stopped) > sameAction {
			a.stopped = now
			c.action(record.Stop, p, at)
		}
	case "restart overlimit":
		p.stopped = true
	case "exit":
		if p.run == nil && !life.StartedAt.IsZero() {
			p.run = newRun(life)
		}
	}
	if ev.Lifecycle != "online" {
		c.confirm(p, life, 0)
	}
}

// confirm takes what PM2 says of a run once it has started.
func (c *core) confirm(p *proc, life *pm2.Life, pid int) {
	r := p.run
	if r == nil || !r.started.Equal(life.StartedAt) {
		return
	}
	r.version, r.revision, r.mode, r.sure = life.Version, life.Revision, life.ExecMode, true
	if life.NodeVersion != "" {
		r.node = life.NodeVersion
	}
	if pid > 0 {
		r.pid = pid
	}
	c.releaseBirths(func(b *birth) bool { return b.run == r })
	c.deploy(p)
}

// birth is the start of a run of which PM2 has not said all yet.
type birth struct {
	record *record.Record
	run    *run
	due    time.Time
}

func (c *core) releaseBirths(due func(*birth) bool) {
	if len(c.births) == 0 {
		return
	}
	kept := c.births[:0]
	for _, b := range c.births {
		if !due(b) {
			kept = append(kept, b)
			continue
		}
		b.run.identify(b.record)
		c.emit(b.record)
	}
	clear(c.births[len(kept):])
	c.births = kept
}

// action records that somebody did something to an app.
func (c *core) action(kind record.Kind, p *proc, at time.Time) {
	r := c.head(kind, p, p.run, at)
	r.PMID, r.PID, r.Started = -1, 0, 0
	c.emit(r)
}

func newRun(life *pm2.Life) *run {
	return &run{started: life.StartedAt, version: life.Version, revision: life.Revision, node: life.NodeVersion, mode: life.ExecMode}
}

// runs notes that a process runs since the time that PM2 says, and records it
// where that is news.
func (c *core) runs(p *proc, life *pm2.Life, at, now time.Time) {
	if life.StartedAt.IsZero() || p.run != nil && !life.StartedAt.After(p.run.started) {
		return
	}
	kind := record.Start
	if p.run != nil && !p.stopped {
		kind = record.Restart
	}
	c.releaseExits(func(h *heldExit) bool { return h.proc == p })
	if p.run != nil && p.run.ended {
		c.settle(p, now)
		c.lastLines(p)
	}
	if p.run != nil && !p.run.ended {
		p.old = p.run
	}
	p.run, p.stopped, p.gone = newRun(life), false, time.Time{}
	started := life.StartedAt
	r := c.head(kind, p, p.run, started)
	if at.Sub(started) > recently {
		r.At = at.UnixNano() // it is told of now, and would be refused for its age
	}
	r.ID = c.idOf(started, "run", p.namespace, p.app, p.pmID)
	if kind == record.Restart && p.reason != "" {
		r.Message = "restarted after its end: " + p.reason
	}
	if len(c.births) >= maxProcs {
		c.releaseBirths(func(*birth) bool { return true })
	}
	c.births = append(c.births, &birth{record: r, run: p.run, due: now.Add(holdBirth)})
}

// deploy records the first process that runs with another version.
func (c *core) deploy(p *proc) {
	r := p.run
	if !r.sure || r.version == "" && r.revision == "" {
		return
	}
	a := c.app(p.appKey, r.started)
	if !r.started.After(a.at) {
		return
	}
	known := a.version != "" || a.revision != ""
	before := record.DeployInfo{FromVersion: record.CleanName(a.version), FromRevision: record.CleanName(a.revision)}
	changed := a.version != r.version || a.revision != r.revision
	a.version, a.revision, a.at = r.version, r.revision, r.started
	if !known || !changed {
		return
	}
	out := c.head(record.Deploy, p, r, r.started)
	out.PMID, out.PID, out.Started, out.Deploy = -1, 0, 0, &before
	out.ID = c.idOf(r.started, "deploy", p.namespace, p.app, r.version, r.revision)
	c.emit(out)
}

// app returns what is known of an app.
func (c *core) app(key appKey, now time.Time) *appState {
	a, ok := c.apps[key]
	if !ok {
		a = &appState{}
		c.apps[key] = a
	}
	if now.After(a.seen) {
		a.seen = now
	}
	return a
}

// list takes PM2's list: what it knows better than its messages, what they
// missed, and what is no more.
func (c *core) list(list []pm2.Process, now time.Time) {
	listed := make(map[int]bool, len(list))
	for i := range list {
		e := &list[i]
		listed[e.PMID] = true
		p := c.proc(e.PMID, appKey{e.Namespace, e.Name})
		p.listed, p.gone = true, time.Time{}
		if e.Dir != "" {
			p.dir = e.Dir
		}
		c.app(p.appKey, now)
		if !e.Running() {
			p.stopped = p.stopped || e.Status == pm2.StatusStopped && p.run == nil || e.Status == pm2.StatusErrored
			continue
		}
		life := &pm2.Life{StartedAt: e.StartedAt, Version: e.Version, Revision: e.Revision, NodeVersion: e.NodeVersion, ExecMode: e.ExecMode}
		c.runs(p, life, now, now)
		c.confirm(p, life, e.PID)
		if r := p.run; r != nil && r.started.Equal(e.StartedAt) {
			r.peak = max(r.peak, uint64(max(e.MemoryBytes, 0)))
		}
	}
	c.deleted(listed, now)
}

// deleted records what PM2 lists no more.
func (c *core) deleted(listed map[int]bool, now time.Time) {
	for id, p := range c.procs {
		switch {
		case listed[id]:
		case p.listed && p.gone.IsZero():
			p.gone = now
			c.emit(c.head(record.Delete, p, p.run, now))
		case p.listed && now.Sub(p.gone) > forgetProc:
			delete(c.procs, id)
		case !p.listed && p.gone.IsZero():
			p.gone = now // it may be younger than the list
		case !p.listed && now.Sub(p.gone) > forgetProc:
			delete(c.procs, id)
		}
	}
	if len(c.apps) > maxKnown {
		for key, a := range c.apps {
			if now.Sub(a.seen) > recently {
				delete(c.apps, key)
			}
		}
	}
}

// idOf is the id of what may be told again after the agent was restarted.
func (c *core) idOf(at time.Time, parts ...any) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %d", c.opts.Host, c.opts.Daemon, at.UnixMilli())
	for _, p := range parts {
		fmt.Fprintf(h, " %q", fmt.Sprint(p))
	}
	return record.IDOf(at, [10]byte(h.Sum(nil)[:10]))
}
