package recorder

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/record"
)

const stackOf = "TypeError: boom\n    at f (/srv/app.js:1:2)\n    at g (/srv/app.js:3:4)"

func byFork(message string) pm2.Event {
	return pm2.Event{Kind: pm2.EventException, Thrown: &pm2.Thrown{Name: "TypeError", Message: message, Stack: stackOf, Occurrences: 1}}
}

func byCluster(message string) pm2.Event {
	return pm2.Event{Kind: pm2.EventException, Thrown: &pm2.Thrown{Message: message, Stack: "TypeError: " + message + "\n    at f (/srv/app.js:1:2)", Occurrences: 1}}
}

func byExtension(message string, n uint64) pm2.Event {
	return pm2.Event{Kind: pm2.EventExtException, Thrown: &pm2.Thrown{
		Name: "TypeError", Message: message, Stack: stackOf, Occurrences: n, Kind: "uncaught", ID: record.NewID(begin), PID: 7, Start: begin.UnixMilli(),
		Causes: []pm2.ThrownCause{{Name: "Error", Message: "deeper"}}, Method: "GET", Route: "/x",
	}}
}

func (w *world) logged(message string) {
	p := w.proc(0, appKey{"default", "web"})
	if p.logs == nil {
		p.logs = &logTail{}
	}
	p.logs.heard = w.at
	w.found(p, Found{Name: "TypeError", Message: message, Stack: stackOf, At: w.at})
}

// TestOneThrowIsOneRecord: in any order of those who tell of it, and the one
// that tells most is taken.
func TestOneThrowIsOneRecord(t *testing.T) {
	tell := map[string]func(*world){
		"pm2": func(w *world) { w.event(byFork("boom")) },
		"ext": func(w *world) { w.event(byExtension("boom", 1)) },
		"log": func(w *world) { w.logged("boom") },
	}
	want := map[string]string{
		"ext": "exception default/web:0 TypeError: boom ×1 ext uncaught",
		"pm2": "exception default/web:0 TypeError: boom ×1 pm2 unknown",
		"log": "exception default/web:0 TypeError: boom ×1 log logged",
	}
	for _, order := range [][]string{
		{"pm2"},
		{"ext"},
		{"log"},
		{"pm2", "ext"},
		{"ext", "pm2"},
		{"pm2", "log"},
		{"log", "pm2"},
		{"ext", "log"},
		{"log", "ext"},
		{"pm2", "ext", "log"},
		{"pm2", "log", "ext"},
		{"ext", "pm2", "log"},
		{"ext", "log", "pm2"},
		{"log", "pm2", "ext"},
		{"log", "ext", "pm2"},
	} {
		for _, gap := range []time.Duration{0, 400 * time.Millisecond, 900 * time.Millisecond} {
			w := newWorld(t)
			best := "log"
			for _, who := range order {
				tell[who](w)
				w.pass(gap)
				if who == "ext" || who == "pm2" && best == "log" {
					best = who
				}
			}
			w.pass(3 * time.Second)
			w.check(fmt.Sprint(order, gap), want[best])
		}
	}
}

// TestNoErrors: each source writes what is no Error in its own way.
func TestNoErrors(t *testing.T) {
	w := newWorld(t)
	w.event(pm2.Event{Kind: pm2.EventException, Thrown: &pm2.Thrown{Name: "Error", Message: `Non-error value: {"a":1}`, Stack: "Error: Non-error…\n    at NotifyFeature.getSafeError (/pm2/notify.js:1:1)", Occurrences: 1}})
	w.event(pm2.Event{Kind: pm2.EventExtException, Thrown: &pm2.Thrown{Name: "NonError", NonError: true, Message: "{ a: 1 }", Kind: "rejection", Occurrences: 1}})
	w.pass(5 * time.Second)
	w.check("both", "exception default/web:0 NonError: { a: 1 } ×1 ext rejection")
	w.pass(10 * time.Second)
	w.event(pm2.Event{Kind: pm2.EventException, Thrown: &pm2.Thrown{Name: "Error", Message: `Non-error value: "text"`, Stack: "x", Occurrences: 1}})
	w.pass(5 * time.Second)
	w.check("fork", "exception default/web:0 NonError: text ×1 pm2 unknown")
	w.pass(10 * time.Second)
	w.event(pm2.Event{Kind: pm2.EventException, Thrown: &pm2.Thrown{NonError: true, Message: "text in cluster mode", Occurrences: 1}})
	w.pass(5 * time.Second)
	w.check("cluster", "exception default/web:0 NonError: text in cluster mode ×1 pm2 unknown")
}

// TestClusterHasItsName: PM2 leaves it out.
func TestClusterHasItsName(t *testing.T) {
	w := newWorld(t)
	w.event(byCluster("boom"))
	w.pass(5 * time.Second)
	w.check("cluster", "exception default/web:0 TypeError: boom ×1 pm2 unknown")
}

// TestRandomInterleavings: some sources tell of every throw, each in its own
// time, and others of none. The records stand for the throws.
func TestRandomInterleavings(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		w := newWorld(t)
		var on [sources]bool
		for !slices.Contains(on[:], true) {
			for s := range on {
				on[s] = rnd.IntN(2) == 0
			}
		}
		throws := 1 + rnd.IntN(60)
		w.play(rnd, on, throws, 1)
		if got := w.sink.throws(); got != uint64(throws) {
			t.Fatalf("seed %d: %d throws by %v, records stand for %d", seed, throws, on, got)
		}
	}
}

// play throws at random times; who is on tells of each within a second. ext
// sends one in every so many.
func (w *world) play(rnd *rand.Rand, on [sources]bool, throws, every int) {
	type word struct {
		at   time.Time
		tell func()
	}
	var words []word
	at := w.at
	left := map[string]uint64{}
	for i := range throws {
		switch rnd.IntN(4) {
		case 0:
			at = at.Add(time.Duration(rnd.IntN(20_000)) * time.Millisecond)
		case 1, 2:
			at = at.Add(time.Duration(rnd.IntN(800)) * time.Millisecond)
		}
		message := string(rune('a' + rnd.IntN(3)))
		later := func() time.Time { return at.Add(time.Duration(rnd.IntN(1000)) * time.Millisecond) }
		if on[byPM2] {
			words = append(words, word{later(), func() { w.event(byFork(message)) }})
		}
		if on[byLog] {
			words = append(words, word{later(), func() { w.logged(message) }})
		}
		if on[byExt] {
			left[message]++
			if n := left[message]; every == 1 || i%every == 0 {
				left[message] = 0
				words = append(words, word{later(), func() { w.event(byExtension(message, n)) }})
			}
		}
	}
	slices.SortStableFunc(words, func(a, b word) int { return a.at.Compare(b.at) })
	for _, word := range words {
		if d := word.at.Sub(w.at); d > 0 {
			w.pass(d)
		}
		word.tell()
	}
	w.pass(5 * time.Second)
	w.flush(w.at)
}

// TestSampledExtension: pm25-ext leaves most of a storm out and tells of it
// later, long after PM2 did.
func TestSampledExtension(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		w := newWorld(t)
		throws := 20 + rnd.IntN(200)
		w.play(rnd, [sources]bool{byPM2: true, byExt: true}, throws, 1+rnd.IntN(30))
		if got := w.sink.throws(); got != uint64(throws) {
			t.Fatalf("seed %d: %d throws, records stand for %d", seed, throws, got)
		}
	}
}

// TestBoundedTwins: an app whose messages are all different fills no memory.
func TestBoundedTwins(t *testing.T) {
	w := newWorld(t)
	const n = 20_000
	for i := range n {
		w.event(byFork(fmt.Sprintf("%c%c%c%c", 'a'+i%26, 'a'+i/26%26, 'a'+i/676%26, 'a'+i/17576)))
		if i%100 == 0 {
			w.pass(tickEvery)
		}
		if len(w.twins.held) > maxHeld || len(w.twins.tallies) > maxTallies+maxHeld {
			t.Fatalf("%d wait, %d are remembered", len(w.twins.held), len(w.twins.tallies))
		}
	}
	w.flush(w.at)
	if got := w.sink.throws(); got != n {
		t.Errorf("%d throws, records stand for %d", n, got)
	}
}
