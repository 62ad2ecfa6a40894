package recorder

import (
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/record"
)

const (
	// tellsAgainAfter is when pm25-ext would have sent another exception of a
	// storm: what it counted until then and did not tell of is over.
	tellsAgainAfter = 70 * time.Second
	maxReporters    = 2000
	reporterSilent  = time.Hour // a process reports each minute
)

// reporter is a process with pm25-ext. It counts all exceptions in its reports,
// and tells of some.
type reporter struct {
	proc    *proc
	seen    time.Time
	based   bool
	counted [classes]uint64 // by its last report
	base    [classes]uint64 // of it, from before the recorder's time
	told    [classes]uint64 // by messages
	ahead   [classes]uint64 // recorded by count, and not told of yet
	toldAt  [classes]time.Time
	last    [classes]*sighting
}

// reporter returns what is known of a process with pm25-ext.
func (c *core) reporter(life lifeOf, p *proc, now time.Time) *reporter {
	r, ok := c.reporters[life]
	if !ok {
		if len(c.reporters) >= maxReporters {
			c.forgetReporters(now)
		}
		r = &reporter{proc: p}
		c.reporters[life] = r
	}
	r.seen = now
	return r
}

func (c *core) forgetReporters(now time.Time) {
	var oldest lifeOf
	var found *reporter
	for life, r := range c.reporters {
		if now.Sub(r.seen) > reporterSilent {
			delete(c.reporters, life)
		} else if found == nil || r.seen.Before(found.seen) {
			oldest, found = life, r
		}
	}
	if len(c.reporters) >= maxReporters {
		delete(c.reporters, oldest)
	}
}

// told notes an exception that pm25-ext sent, and takes off what was recorded by
// count already.
func (c *core) told(s *sighting, now time.Time) {
	r := c.reporter(lifeOf{s.thrown.PID, s.thrown.Start}, s.proc, now)
	t := s.thrown
	r.told[s.class] += t.Occurrences
	known := min(t.Occurrences-1, r.ahead[s.class])
	r.ahead[s.class] -= known
	t.Occurrences -= known
	kept := *s
	r.last[s.class], r.toldAt[s.class] = &kept, now
}

// reported takes the counts of a report.
func (c *core) reported(ev *pm2.Event, it *item) {
	r := c.reporter(it.from, c.procOf(ev), it.at)
	n := it.counts
	r.counted = [classes]uint64{unhandled: n[0] + n[1], handled: n[2] + n[3]}
	if !r.based {
		r.based = true
		if time.UnixMilli(it.from.start).Before(c.begun) {
			for cl := range r.base {
				r.base[cl] = r.counted[cl] - min(r.counted[cl], r.told[cl])
			}
		}
	}
	for cl := range classes {
		if it.at.Sub(r.toldAt[cl]) > tellsAgainAfter {
			c.missing(r, cl, it.at)
		}
	}
}

// missing records what a process counted and did not tell of.
func (c *core) missing(r *reporter, cl class, now time.Time) {
	known := r.base[cl] + r.told[cl] + r.ahead[cl]
	if !r.based || r.counted[cl] <= known {
		return
	}
	n := r.counted[cl] - known
	r.ahead[cl] += n
	if n -= c.twins.take(r.proc.pmID, cl, n); n == 0 {
		return
	}
	s := r.last[cl]
	if s == nil { // its message was lost
		t := &pm2.Thrown{Name: otherKinds, Message: "exceptions that only a count tells of"}
		s = &sighting{src: byExt, class: cl, proc: r.proc, run: r.proc.run, thrown: t, mech: record.Unknown}
		s.head = c.head(record.Exception, r.proc, s.run, now)
	}
	again := *s
	body, head := *s.thrown, *s.head
	body.Occurrences, body.ID, head.ID = n, "", ""
	head.Logs = nil
	again.thrown, again.head = &body, &head
	c.see(again, n, now)
}

// take takes up to n throws off those of a process that were counted and
// pm25-ext did not tell of.
func (w *twins) take(pmID int, cl class, n uint64) (taken uint64) {
	for key, t := range w.tallies {
		if key.pmID == pmID && taken < n {
			if !t.told { // by the log alone: it is of this class as well as of the other
				t.owed[cl], t.owed[1-cl] = t.owed[cl]+t.owed[1-cl], 0
			}
			known := min(n-taken, t.owed[cl])
			t.owed[cl] -= known
			t.behind[byExt][cl] -= min(known, t.behind[byExt][cl])
			taken += known
		}
	}
	return taken
}

// settle records what the processes under an id have not told of; they are
// gone.
func (c *core) settle(p *proc, now time.Time) {
	for life, r := range c.reporters {
		if r.proc != p {
			continue
		}
		for cl := range classes {
			c.missing(r, cl, now)
		}
		if now.Sub(r.seen) > tellsAgainAfter {
			delete(c.reporters, life)
		}
	}
}

// settleAll does so for all, at the end.
func (c *core) settleAll(now time.Time) {
	for _, r := range c.reporters {
		for cl := range classes {
			c.missing(r, cl, now)
		}
	}
}
