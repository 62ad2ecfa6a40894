package pages

import "time"

const (
	// rememberFor is how long what is gone stays on the page.
	rememberFor = 24 * time.Hour
	// recallAfter is how long a pause may be in which nothing is missed.
	recallAfter = time.Minute
)

// source is one PM2 daemon as Prometheus knows it.
type source struct{ Host, Instance, Name string }

// memory knows the daemons that were there, and what they had, for a day.
type memory struct {
	alive  map[source]bool // at the last look
	looked time.Time
	stale  bool      // Prometheus has to be asked for what is gone
	retry  time.Time // not before: it failed
	gone   map[source]*departed
}

// departed is what a daemon had when it was seen last.
type departed struct {
	Seen      time.Time
	Processes []process
	complete  bool
}

func newMemory() memory {
	return memory{alive: map[source]bool{}, stale: true, gone: map[source]*departed{}}
}

// update takes note of what is there now. Prometheus is asked when something
// has gone since the last look, or when nobody looked for a while.
func (m *memory) update(q *asker, all selector, alive map[source]bool) {
	if q.at.Sub(m.looked) > recallAfter {
		m.stale = true
	}
	for src := range m.alive {
		if !alive[src] {
			m.stale = true
			m.gone[src] = &departed{Seen: m.looked} // until Prometheus says it better
		}
	}
	if m.stale && !q.at.Before(m.retry) {
		m.recall(q, all)
	}
	for src, g := range m.gone {
		if alive[src] || q.at.Sub(g.Seen) > rememberFor {
			delete(m.gone, src)
			continue
		}
		g.fill(q, all.of(src))
	}
	m.alive, m.looked = alive, q.at
}

// expected are the departed that ought to be there: their target is one still
// and does not answer, or its agent says that PM2 does not. Who was taken out of
// the targets, was forgotten, or is watched by another agent now, is not missed.
func (m *memory) expected(s silence, alive map[source]bool) map[source]*departed {
	out := map[source]*departed{}
	elsewhere := map[source]bool{}
	for src := range alive {
		src.Instance = ""
		elsewhere[src] = true
	}
	for src, g := range m.gone {
		anywhere := src
		anywhere.Instance = ""
		if !elsewhere[anywhere] && (s.unknown || s.daemons[src] || s.agents[source{Host: src.Host, Instance: src.Instance}]) {
			out[src] = g
		}
	}
	for src := range s.daemons {
		if out[src] == nil {
			out[src] = &departed{} // never seen
		}
	}
	return out
}

// recall asks when each daemon was there last.
func (m *memory) recall(q *asker, all selector) {
	found, ok := q.lastSeen(all)
	if !ok {
		m.retry = q.at.Add(recallAfter)
		return
	}
	m.stale = false
	for src, seen := range found {
		if g := m.gone[src]; g == nil || !g.Seen.Equal(seen) {
			m.gone[src] = &departed{Seen: seen}
		}
	}
}

// fill asks what was there at the last moment. That does not change, so it is
// asked once.
func (g *departed) fill(q *asker, of selector) {
	if g.complete {
		return
	}
	then := &asker{ctx: q.ctx, metrics: q.metrics, at: g.Seen}
	g.Processes = then.processes(of)
	for i := range g.Processes {
		g.Processes[i].Seen = g.Seen
	}
	g.complete = len(then.errs) == 0
	q.errs = append(q.errs, then.errs...)
}
