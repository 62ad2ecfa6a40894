package recorder

import (
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/record"
)

// source is who saw a throw, the one that tells least first.
type source int

const (
	byLog source = iota
	byPM2
	byExt
	sources
)

// class is whether the app handled it.
type class int

const (
	unhandled class = iota
	handled
	classes
)

const (
	// twinWindow is within what time two sources tell of the same throw.
	twinWindow = 5 * time.Second
	// holdThrown is how long a throw waits for one that tells more of it, and for
	// the log's last lines.
	holdThrown = 2 * time.Second
	maxTallies = 5000
	maxHeld    = 1000
	tallyIdle  = 10 * time.Minute
)

// twins finds out which sightings are of the same throw.
type twins struct {
	tallies map[tallyKey]*tally
	held    []*held // by no order
}

// tallyKey is what all sources say alike of a throw.
type tallyKey struct {
	pmID int
	sign signature
}

// tally settles how often something was thrown. Each source tells of most
// throws and none of all, so by how much a source is behind what was counted
// already is remembered: its next sightings are those.
type tally struct {
	behind [sources][classes]uint64 // of the last moments
	owed   [classes]uint64          // what was counted and pm25-ext has not told of: it may much later, with the next one that it sends
	run    *run                     // whose owed is
	last   time.Time
	held   [classes]*held
	class  class // that PM2 or pm25-ext said last
	told   bool  // either did
}

// count takes n sightings of one source, of which some are past: they happened
// at any time before. It returns how many throws nobody has told of yet.
func (t *tally) count(src source, cl class, n, past uint64, life *run, now time.Time) (fresh uint64) {
	if now.Sub(t.last) > twinWindow {
		t.behind = [sources][classes]uint64{}
	}
	t.last = now
	fresh = n - t.catchUp(src, cl, n)
	switch src {
	case byLog: // which does not say whether it was handled
		fresh -= t.catchUp(src, 1-cl, fresh)
		for other := byLog + 1; other < sources; other++ {
			t.behind[other][unhandled] += fresh
			t.behind[other][handled] += fresh
		}
		t.owed[cl] += fresh
		return fresh
	case byExt:
		recent := n - fresh
		known := min(fresh, past, t.owed[cl]-min(recent, t.owed[cl]))
		fresh -= known
		t.owed[cl] -= min(recent+known, t.owed[cl])
	case byPM2:
		if t.run != life { // what was left out in another life is told of by nobody
			t.run, t.owed[cl] = life, min(t.owed[cl], t.behind[byExt][cl])
		}
		t.owed[cl] += fresh
	}
	for other := range sources {
		if other != src {
			t.behind[other][cl] += fresh
		}
	}
	return fresh
}

// catchUp takes what the source is behind off, at most n.
func (t *tally) catchUp(src source, cl class, n uint64) uint64 {
	covered := min(n, t.behind[src][cl])
	t.behind[src][cl] -= covered
	return covered
}

// held is a throw that waits for who tells more of it.
type held struct {
	key    tallyKey
	class  class
	src    source
	n      uint64
	proc   *proc
	run    *run
	head   *record.Record // who threw, and when
	thrown *pm2.Thrown
	mech   record.Mechanism
	heard  time.Time // when PM2 passed it on: its lines' clock
	due    time.Time
	lines  []record.LogLine // where the process was started anew meanwhile
	ended  bool             // it was
}

// sighting is one word about a throw, or about several.
type sighting struct {
	src    source
	class  class
	proc   *proc
	run    *run // in which it was thrown, nil where that is not known
	head   *record.Record
	thrown *pm2.Thrown
	mech   record.Mechanism
	heard  time.Time // when PM2 passed it on, zero where it did not
}

// see takes a sighting, and how many of its throws are past.
func (c *core) see(s sighting, past uint64, now time.Time) {
	key := tallyKey{s.proc.pmID, sign(s.thrown)}
	t := c.tally(key, now)
	switch {
	case s.src != byLog:
		if !t.told { // what the log told of was of this class
			t.owed[s.class], t.owed[1-s.class] = t.owed[s.class]+t.owed[1-s.class], 0
		}
		t.class, t.told = s.class, true
	case t.told: // the log is ahead of them
		s.class = t.class
	}
	fresh := t.count(s.src, s.class, s.thrown.Occurrences, past, s.run, now)
	if s.run != nil {
		s.run.thrown += fresh
	}
	cl := s.class
	h := t.held[cl]
	if other := t.held[1-cl]; h == nil && fresh == 0 && other != nil && (s.src == byLog || other.src == byLog) {
		if s.src != byLog { // what the log told of: now it is known whether it was handled
			t.held[cl], t.held[1-cl] = other, nil
			other.class = cl
		}
		h = other
	}
	if h != nil {
		h.n += fresh
		h.improve(s)
		return
	}
	if fresh == 0 {
		return
	}
	h = &held{key: key, class: cl, src: s.src, n: fresh, proc: s.proc, run: s.run, head: s.head, thrown: s.thrown, mech: s.mech, heard: s.heard, due: now.Add(holdThrown)}
	if len(c.twins.held) >= maxHeld {
		first := c.twins.held[0]
		c.releaseThrown(func(h *held) bool { return h == first }, now)
	}
	t.held[cl] = h
	c.twins.held = append(c.twins.held, h)
}

// improve takes what another source says more. What groups exceptions comes
// from one source alone, so that it does not depend on who was heard in time.
func (h *held) improve(s sighting) {
	if s.heard.After(h.heard) {
		h.heard = s.heard
	}
	if s.src <= h.src {
		return
	}
	if s.thrown.Source == "" {
		s.thrown.Source, s.thrown.Callsite = h.thrown.Source, h.thrown.Callsite
	}
	h.src, h.thrown, h.mech, h.head = s.src, s.thrown, s.mech, s.head
}

func (c *core) tally(key tallyKey, now time.Time) *tally {
	t, ok := c.twins.tallies[key]
	if !ok {
		if len(c.twins.tallies) >= maxTallies {
			c.twins.forget(now)
		}
		t = &tally{last: now}
		c.twins.tallies[key] = t
	}
	return t
}

// forget makes room: what was quiet for long goes, or half of all where
// nothing was.
func (w *twins) forget(now time.Time) {
	n := len(w.tallies)
	for key, t := range w.tallies {
		if now.Sub(t.last) > tallyIdle && t.held == [classes]*held{} {
			delete(w.tallies, key)
		}
	}
	for key, t := range w.tallies {
		if len(w.tallies) <= max(n/2, 1) {
			return
		}
		if now.Sub(t.last) > twinWindow && t.held == [classes]*held{} {
			delete(w.tallies, key)
		}
	}
	for key, t := range w.tallies {
		if len(w.tallies) < n {
			return
		}
		if t.held == [classes]*held{} {
			delete(w.tallies, key)
		}
	}
}

// releaseThrown hands what is due to the sampler.
func (c *core) releaseThrown(due func(*held) bool, now time.Time) {
	if len(c.twins.held) == 0 {
		return
	}
	kept := c.twins.held[:0]
	for _, h := range c.twins.held {
		if !due(h) {
			kept = append(kept, h)
			continue
		}
		if t := c.twins.tallies[h.key]; t != nil && t.held[h.class] == h {
			t.held[h.class] = nil
		}
		c.sampler.add(c.describe(h), h.n, now)
	}
	clear(c.twins.held[len(kept):])
	c.twins.held = kept
}
