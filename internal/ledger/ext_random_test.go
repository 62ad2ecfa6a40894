package ledger

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2"
)

// world is an app with processes that come and go, whose reports are lost,
// repeated and late, under an agent that is restarted now and then.
type world struct {
	rnd    *rand.Rand
	now    time.Time
	l      *Ledger
	procs  []*source
	mail   []*pm2.Event // under way
	counts map[string]uint64
	pid    int
}

type source struct {
	*teller
	made map[string]uint64
}

var worldRoutes = []string{"/a", "/b", "/c"}

func (w *world) spawn(id int) *source {
	w.pid++
	p := tell(w.pid, w.now.Add(-time.Duration(w.rnd.IntN(1000))*time.Millisecond))
	p.ev.PMID = id
	return &source{p, map[string]uint64{}}
}

// serve lets a process take requests and report, in part or whole.
func (w *world) serve(p *source, whole bool) {
	changed := map[string]uint64{}
	for _, route := range worldRoutes {
		if n := w.rnd.Uint64N(3); n > 0 || whole {
			p.made[route] += n
			w.counts[route] += n
			if p.made[route] > 0 {
				changed[route] = p.made[route]
			}
		}
	}
	ev := p.says(whole, changed)
	switch w.rnd.IntN(6) {
	case 0: // lost
	case 1:
		w.mail = append(w.mail, ev, ev)
	default:
		w.mail = append(w.mail, ev)
	}
}

// deliver hands over some of what is under way, not always in order.
func (w *world) deliver(t *testing.T, all bool) {
	t.Helper()
	for len(w.mail) > 0 && (all || w.rnd.IntN(4) > 0) {
		i := w.rnd.IntN(min(3, len(w.mail)))
		ev := w.mail[i]
		w.mail = append(w.mail[:i:i], w.mail[i+1:]...)
		if err := w.l.Report(ev, w.now); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) counted() map[string]uint64 {
	out := map[string]uint64{}
	if app := w.l.App(webKey().AppKey); app != nil {
		for _, s := range app.Series() {
			out[s.Route] += s.Count
		}
	}
	return out
}

// step is five seconds of that world.
func (w *world) step(t *testing.T) {
	t.Helper()
	w.now = w.now.Add(5 * time.Second)
	for i, p := range w.procs {
		w.serve(p, w.rnd.IntN(12) == 0)
		if w.rnd.IntN(30) == 0 { // it ends, and says so
			ev := p.says(true, p.made)
			w.mail = append(w.mail, ev)
			w.procs[i] = w.spawn(i)
		}
	}
	w.deliver(t, false)
	var list []pm2.Process
	for i := range w.procs {
		p := web(0)
		p.PMID, p.UniqueID, p.StartedAt = i, fmt.Sprint(i), time.UnixMilli(w.procs[i].ev.Report.Start)
		list = append(list, p)
	}
	w.l.Apply(list, w.now)
}

// TestNothingCountsTwice: whatever happens to reports, a counter never falls
// and never exceeds what there was; and once each process has said all, it is
// exact, over orderly restarts of the agent too.
func TestNothingCountsTwice(t *testing.T) {
	for seed := range uint64(60) {
		w := &world{rnd: rand.New(rand.NewPCG(seed, 7)), now: noon, l: New(noon), counts: map[string]uint64{}, pid: 100}
		w.now = w.now.Add(5 * time.Second)
		for i := range 3 {
			w.procs = append(w.procs, w.spawn(i))
		}
		before := w.counted()
		for range 100 {
			w.step(t)
			if w.rnd.IntN(40) == 0 {
				w.l = again(t, w.l)
			}
			after := w.counted()
			for _, route := range worldRoutes {
				if after[route] < before[route] || after[route] > w.counts[route] {
					t.Fatalf("seed %d: %s went from %d to %d of %d", seed, route, before[route], after[route], w.counts[route])
				}
			}
			before = after
		}
		for _, p := range w.procs {
			w.mail = append(w.mail, p.says(true, p.made))
		}
		w.deliver(t, true)
		for route, n := range w.counted() {
			if n != w.counts[route] {
				t.Errorf("seed %d: %s has %d of %d requests", seed, route, n, w.counts[route])
			}
		}
	}
}
