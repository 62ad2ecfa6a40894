package soak

import (
	"context"
	"testing"
	"time"
)

// watcher scrapes an agent itself and adds its counters up.
type watcher struct {
	at       []time.Time // of the scrapes that worked and saw PM2
	now      metrics
	counters map[string]*counter
	lives    float64
	final    []metrics // last scrape of each life
}

// scrape scrapes once; an agent that does not answer gives nothing.
func (w *watcher) scrape(a *agent) {
	at := time.Now()
	m, err := a.scrape()
	if err != nil {
		return
	}
	if w.counters == nil {
		w.counters = map[string]*counter{}
	}
	if m.sum("pm2_up") == 1 {
		w.at = append(w.at, at)
	}
	began := m["process_start_time_seconds{}"]
	if began != w.lives {
		w.lives = began
		w.final = append(w.final, nil)
	}
	w.now = m
	w.final[len(w.final)-1] = m
	for key, v := range m {
		c, ok := w.counters[key]
		if !ok {
			c = &counter{}
			w.counters[key] = c
		}
		c.add(v)
	}
}

// sum is what Prometheus would add up.
func (w *watcher) sum(name string, labels ...string) float64 {
	total := 0.0
	for key, c := range w.counters {
		if matches(key, name, labels) {
			total += c.sum
		}
	}
	return total
}

// each is what the lives of the agent counted, each by itself. It is more
// than sum where a life had counted more, when it was first scraped, than the
// one before at the end: without created timestamps that is no step back.
func (w *watcher) each(name string, labels ...string) float64 {
	total := 0.0
	for _, m := range w.final {
		total += m.sum(name, labels...)
	}
	return total
}

// restarts is PM2's own count by app.
func restarts(t testing.TB, l *loop) map[string]int {
	t.Helper()
	procs, err := l.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, p := range procs {
		out[p.Name] = p.Restarts
	}
	return out
}

// followed sets from when each life followed PM2. A life that was too short
// for that follows never.
func followed(t testing.TB, lives []life, connects []time.Time) []life {
	t.Helper()
	next := 0
	for i := range lives {
		lives[i].follows = lives[i].ends
		if next < len(connects) && connects[next].Before(lives[i].ends) {
			lives[i].follows = connects[next]
			next++
		}
	}
	if next != len(connects) {
		t.Fatalf("%d of %d connections belong to a life of the agent", next, len(connects))
	}
	return lives
}
