package recorder

import (
	"time"

	"github.com/pm25/pm25/internal/pm2/exits"
	"github.com/pm25/pm25/internal/record"
)

// holdExit is how long an end waits for the last lines of its process.
const holdExit = time.Second

const maxHeldExits = 1000

// heldExit is an end whose process's last lines may still come.
type heldExit struct {
	record *record.Record
	proc   *proc
	run    *run // nil where it is not known
	due    time.Time
}

// exit records the end of a process, or several of which nobody knows more.
func (c *core) exit(e *exits.Exit, times uint64, now time.Time) {
	p := c.ended(e)
	at := when(e.At, now)
	r := p.at(e.Retired)
	if r != nil && (r.ended || at.Before(r.started.Add(-time.Second))) {
		r = nil // of a run that was not seen
	}
	out := c.head(record.Exit, p, r, at)
	out.Exit = &record.ExitInfo{Reason: string(e.Reason), Code: max(e.Code, -1), Signal: record.CleanName(e.Signal)}
	out.Level = exitLevel(e.Reason)
	if times > 1 {
		out.Occurrences = times
	}
	if e.Mark != ([10]byte{}) && !e.Logged.IsZero() {
		out.ID = c.idOf(e.Logged, "exit", e.Mark, p.app, e.PMID, e.Retired)
	}
	if r != nil {
		r.ended = true
		out.Exit.Memory = r.peak
		out.Exit.Uptime = max(at.Sub(r.started).Seconds(), 0)
		out.Exit.Exceptions = r.thrown
	}
	if e.Retired {
		p.old = nil
	} else {
		p.reason = string(e.Reason)
	}
	if e.Reason == exits.Crash || e.Reason == exits.Errored {
		c.crashed(p)
	}
	if len(c.reporters) > 0 {
		c.settling = append(c.settling, settlement{p, now.Add(holdThrown)})
	}
	if !severe(e.Reason) || p.logs == nil || c.opts.LogLines == 0 {
		c.emit(out)
		return
	}
	if len(c.exits) >= maxHeldExits {
		first := c.exits[0]
		c.releaseExits(func(h *heldExit) bool { return h == first })
	}
	c.exits = append(c.exits, &heldExit{record: out, proc: p, run: r, due: now.Add(holdExit)})
}

// ended is the process that an end is about. PM2's log does not say the
// namespace.
func (c *core) ended(e *exits.Exit) *proc {
	p, ok := c.procs[e.PMID]
	if ok && p.app == e.Name {
		return p
	}
	key := appKey{"default", e.Name}
	for _, other := range c.procs {
		if other.app == e.Name {
			key = other.appKey
			break
		}
	}
	return &proc{appKey: key, pmID: e.PMID}
}

func (c *core) releaseExits(due func(*heldExit) bool) {
	kept := c.exits[:0]
	for _, h := range c.exits {
		if !due(h) {
			kept = append(kept, h)
			continue
		}
		h.run.identify(h.record)
		if h.run != nil {
			h.record.Exit.Exceptions = h.run.thrown
		}
		h.record.Logs = h.proc.logs.last(c.opts.LogLines, time.Time{})
		c.emit(h.record)
	}
	clear(c.exits[len(kept):])
	c.exits = kept
}

func exitLevel(reason exits.Reason) record.Level {
	switch reason {
	case exits.Crash, exits.Errored, exits.OOMKill:
		return record.LevelError
	case exits.Signal, exits.MemoryLimit, exits.Unknown:
		return record.LevelWarn
	}
	return record.LevelInfo
}
