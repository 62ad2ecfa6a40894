package recorder

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/record"
)

// TestOccurrencesAddUp: whatever comes and when, and whenever there is no room
// for a record, the occurrences of the records add up to the throws.
func TestOccurrencesAddUp(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t)
		full := true
		w.sink.refuse = func() bool { return full && rnd.IntN(3) == 0 }
		kinds := 1 + rnd.IntN(300)
		var thrown, records uint64
		for range 3000 {
			n := uint64(1 + rnd.IntN(3))
			r := w.head(record.Exception, &proc{appKey: appKey{"default", fmt.Sprint("app", rnd.IntN(3))}}, nil, w.at)
			r.Level = record.LevelError
			r.Exception = &record.ExceptionInfo{Name: "E", Message: fmt.Sprint(rnd.IntN(kinds)), Mechanism: record.Unknown, Handled: rnd.IntN(2) == 0}
			byName(r.App, r.Exception)
			thrown += n
			w.sampler.add(r, n, w.at)
			if rnd.IntN(10) == 0 {
				w.pass(time.Duration(rnd.IntN(3000)) * time.Millisecond)
			}
			if n := len(w.sampler.open); n > maxWindows {
				t.Fatalf("%d windows are open", n)
			}
		}
		full = false
		w.flush(w.at)
		records = uint64(len(w.sink.records))
		if got := w.sink.throws(); got != thrown {
			t.Fatalf("seed %d: %d throws, %d records stand for %d", seed, thrown, records, got)
		}
		w.pass(3 * sampleWindow)
		if w.busy() || len(w.sampler.perApp) > 0 {
			t.Fatalf("seed %d: something is kept: %d windows, %v", seed, len(w.sampler.open), w.sampler.perApp)
		}
	}
}

// TestStorm: a storm leaves the first body at once, and then the latest of each
// minute.
func TestStorm(t *testing.T) {
	w := newWorld(t)
	for i := range 1200 { // two minutes
		r := w.head(record.Exception, &proc{appKey: appKey{"default", "web"}}, nil, w.at)
		r.Level = record.LevelError
		r.Exception = &record.ExceptionInfo{Name: "E", Message: "boom", Code: fmt.Sprint(i), Mechanism: record.Unknown}
		byName(r.App, r.Exception)
		w.sampler.add(r, 1, w.at)
		w.pass(100 * time.Millisecond)
	}
	w.pass(2 * sampleWindow)
	var codes []string
	for _, r := range w.sink.records {
		codes = append(codes, fmt.Sprintf("%s×%d", r.Exception.Code, r.Count()))
	}
	if len(codes) != 3 || codes[0] != "0×1" || w.sink.throws() != 1200 {
		t.Errorf("%v", codes)
	}
}

// TestManyKinds: an app that makes kinds of its data has its hundred, and one
// for all the others.
func TestManyKinds(t *testing.T) {
	w := newWorld(t)
	for i := range 5000 {
		r := w.head(record.Exception, &proc{appKey: appKey{"default", "web"}}, nil, w.at)
		r.Level = record.LevelError
		r.Exception = &record.ExceptionInfo{Name: "E", Message: fmt.Sprint(i), Mechanism: record.Unknown}
		byName(r.App, r.Exception)
		w.sampler.add(r, 1, w.at)
	}
	w.pass(2 * sampleWindow)
	if n := len(w.sink.records); n > maxAppWindows+3 || w.sink.throws() != 5000 {
		t.Errorf("%d records stand for %d throws", n, w.sink.throws())
	}
	last := w.sink.records[len(w.sink.records)-1]
	if last.Exception.Name != otherKinds || last.Count() < 4000 {
		t.Errorf("%+v", last.Exception)
	}
}
