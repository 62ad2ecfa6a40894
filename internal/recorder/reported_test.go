package recorder

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2"
)

// extension is what pm25-ext does in a process: it counts all, sends ten a
// minute of a kind, and reports each five seconds.
type extension struct {
	w       *world
	start   time.Time
	counts  [4]uint64
	skipped map[string]uint64
	sent    int
	minute  time.Time
}

func (x *extension) throw(kind int, message string) {
	x.counts[kind]++
	if x.w.at.Sub(x.minute) >= time.Minute {
		x.minute, x.sent = x.w.at, 0
	}
	kept := fmt.Sprint(kind > 1, message)
	if x.sent >= 10 {
		x.skipped[kept]++
		return
	}
	x.sent++
	ev := byExtension(message, 1+x.skipped[kept])
	ev.Thrown.Kind = [...]string{"uncaught", "rejection", "handled", "notified"}[kind]
	ev.Thrown.Start, ev.Thrown.ID = x.start.UnixMilli(), ""
	if kind > 1 {
		ev.Thrown.ByApp = true
	}
	x.skipped[kept] = 0
	x.w.event(ev)
}

func (x *extension) report() {
	x.w.take(&item{at: x.w.at, event: pm2.Event{Kind: pm2.EventReport, Name: "web"}, from: lifeOf{7, x.start.UnixMilli()}, counts: x.counts})
}

// TestCountsOfReports: of a storm that stops pm25-ext does not tell the rest,
// but for the count in its reports.
func TestCountsOfReports(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		w := newWorld(t)
		x := &extension{w: w, start: w.at, skipped: map[string]uint64{}}
		alsoPM2, alsoLog := rnd.IntN(2) == 0, rnd.IntN(2) == 0
		var handledThrows, throws uint64
		for range 1 + rnd.IntN(3) { // storms
			kind := rnd.IntN(4)
			if alsoLog { // which can not tell the two classes apart
				kind = 2*(int(seed)%2) + rnd.IntN(2)
			}
			for range rnd.IntN(200) {
				message := string(rune('a' + rnd.IntN(3)))
				if alsoLog && rnd.IntN(2) == 0 {
					w.logged(message) // ahead of all others
				}
				x.throw(kind, message)
				if throws++; kind > 1 {
					handledThrows++
				} else if alsoPM2 {
					w.event(byFork(message))
				}
				w.pass(time.Duration(rnd.IntN(100)) * time.Millisecond)
				if rnd.IntN(50) == 0 {
					x.report()
				}
			}
			for range rnd.IntN(30) {
				w.pass(5 * time.Second)
				x.report()
			}
		}
		x.report()
		if rnd.IntN(2) == 0 {
			w.end("crash", 1, false)
			w.pass(5 * time.Second)
		}
		w.flush(w.at)
		var n [classes]uint64
		for _, r := range w.sink.records {
			if e := r.Exception; e != nil && e.Handled {
				n[handled] += r.Count()
			} else if e != nil {
				n[unhandled] += r.Count()
			}
		}
		if n[handled]+n[unhandled] != throws || !alsoLog && n[handled] != handledThrows {
			t.Fatalf("seed %d, PM2 %v: records stand for %d handled and %d other throws of %d and %d", seed, alsoPM2, n[handled], n[unhandled], handledThrows, throws-handledThrows)
		}
	}
}

// TestReportsOfBefore: what a process counted before the recorder's time is
// not recorded.
func TestReportsOfBefore(t *testing.T) {
	w := newWorld(t)
	x := &extension{w: w, start: w.at.Add(-time.Hour), skipped: map[string]uint64{}, counts: [4]uint64{0, 0, 500, 0}}
	x.throw(2, "boom")
	x.report()
	w.pass(3 * time.Minute)
	x.report()
	w.flush(w.at)
	if got := w.sink.throws(); got != 1 {
		t.Errorf("records stand for %d throws: %s", got, fmt.Sprint(w.told()))
	}
}
