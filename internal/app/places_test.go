package app

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/pm2/daemonlog"
	"github.com/pm25/pm25/internal/record"
)

// TestPlaces: what is on disk is the note before the last, and is of use for a
// while only.
func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	at := func(offset int64) map[string]daemonlog.Position {
		return map[string]daemonlog.Position{"a": {Offset: offset}}
	}
	p := newPlaces(dir, log.NewNopLogger())
	if got := p.read(now); got != nil {
		t.Errorf("%v", got)
	}
	p.note(now, at(1))
	p.note(now, at(2))
	p.note(now, at(3))
	read := func(now time.Time) map[string]daemonlog.Position { return newPlaces(dir, log.NewNopLogger()).read(now) }
	if diff := cmp.Diff(at(2), read(now.Add(time.Hour))); diff != "" {
		t.Error(diff)
	}
	if got := read(now.Add(record.MaxSpoolAge + time.Second)); got != nil {
		t.Errorf("too old: %v", got)
	}
	if got := read(now.Add(-time.Second)); got != nil {
		t.Errorf("of the future: %v", got)
	}
	for _, text := range []string{"", "{", `{"version":2,"at":"2026-11-26T00:00:00Z","places":{"a":{}}}`} {
		if err := os.WriteFile(filepath.Join(dir, placesName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := read(now); got != nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
