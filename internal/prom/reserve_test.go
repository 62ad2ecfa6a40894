package prom

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReserve(t *testing.T) {
	r := newReserve(filepath.Join(t.TempDir(), "tsdb"), 64<<20)
	for range 2 { // one that the last run left is taken over
		if err := r.take(); err != nil || !r.held {
			t.Fatalf("not held: %v", err)
		}
	}
	if info, err := os.Stat(r.path); err != nil || info.Size() != 32<<20 {
		t.Errorf("%v, %v", info, err)
	}
	r.release()
	if _, err := os.Stat(r.path); err == nil || r.held {
		t.Error("still held")
	}
	r.release() // there is none: no matter
	if r := newReserve("/nonexistent/tsdb", 64<<20); r.take() == nil || r.held || !r.off {
		t.Error("held, or tried again, where nothing can be")
	}
}
