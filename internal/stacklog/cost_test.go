package stacklog

import (
	"bytes"
	"testing"
	"time"
)

// TestCallsCostNothing: where none before has found its head, none looks again.
func TestCallsCostNothing(t *testing.T) {
	r, err := New(Options{Emit: func(Found) { t.Error("found") }})
	if err != nil {
		t.Fatal(err)
	}
	now, long, call := time.Now(), bytes.Repeat([]byte("x"), maxLine), []byte("    at fn (/srv/app.js:1:2)")
	for range 3 * maxRecent {
		r.Line(long, now)
	}
	if r.kept > maxKept {
		t.Errorf("%d bytes stay allocated, at most %d may", r.kept, maxKept)
	}
	r.Line(call, now)
	if n := testing.AllocsPerRun(10, func() { r.Line(call, now) }); n > 2 { // the line itself, twice
		t.Errorf("%v allocations for a call", n)
	}
	found := 0
	r.o.Emit = func(Found) { found++ }
	r.Line([]byte("TypeError: boom"), now)
	r.Line(call, now)
	if r.End(); found != 1 {
		t.Errorf("%d errors are found after a head", found)
	}
}

// BenchmarkNoHead is of lines that could be calls, after long ones that are no
// heads: nothing is found, and it should not cost more than what is.
func BenchmarkNoHead(b *testing.B) {
	long, call := bytes.Repeat([]byte("x"), maxLine), []byte("    at fn (/srv/app.js:1:2)")
	for name, calls := range map[string]int{"one call": 1, "many calls": 100} {
		b.Run(name, func(b *testing.B) {
			r, err := New(Options{Emit: func(Found) { b.Error("found") }})
			if err != nil {
				b.Fatal(err)
			}
			now := time.Now()
			for range maxRecent {
				r.Line(long, now)
			}
			b.SetBytes(int64(len(long) + calls*len(call)))
			for b.Loop() {
				r.Line(long, now)
				for range calls {
					r.Line(call, now)
				}
			}
		})
	}
}
