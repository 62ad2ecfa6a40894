package recorder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/record"
)

// kept is a Sink that keeps, and fails the test for a record that no server
// would take.
type kept struct {
	t       testing.TB
	now     func() time.Time
	refuse  func() bool // nil: never
	records []*record.Record
	ids     map[string]bool
}

func (k *kept) Offer(r *record.Record) bool {
	if k.refuse != nil && k.refuse() {
		return false
	}
	if refusal := r.Check(k.now()); refusal != nil {
		k.t.Errorf("%s: %s", r.Kind, refusal.Error)
	}
	if k.ids[r.ID] {
		k.t.Errorf("two records have the id %s", r.ID)
	}
	k.ids[r.ID] = true
	k.records = append(k.records, r)
	return true
}

// throws sums what the records of exceptions stand for.
func (k *kept) throws() (n uint64) {
	for _, r := range k.records {
		if r.Kind == record.Exception {
			n += r.Count()
		}
	}
	return n
}

// world is a core on a clock of its own.
type world struct {
	t testing.TB
	*core
	sink *kept
	at   time.Time
}

var begin = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// byName groups by name and message.
func byName(app string, e *record.ExceptionInfo) {
	sum := sha256.Sum256([]byte(app + "|" + e.Name + "|" + e.Message))
	e.Fingerprint, e.Algo, e.Title = hex.EncodeToString(sum[:]), 1, e.Name+": "+e.Message
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, at: begin}
	w.sink = &kept{t: t, now: w.now, ids: map[string]bool{}}
	w.core = newCore(Options{
		Host: "h", Daemon: "d", Sink: w.sink, Now: w.now,
		Tools: Tools{Fill: byName, Parse: func(string, string) []record.Frame { return nil }},
	}, &counters{})
	return w
}

func (w *world) now() time.Time { return w.at }

// pass lets time go by, with all ticks in it.
func (w *world) pass(d time.Duration) {
	for end := w.at.Add(d); w.at.Before(end); {
		w.at = w.at.Add(min(tickEvery, end.Sub(w.at)))
		w.tick(w.at)
	}
}

func (w *world) event(ev pm2.Event) {
	if ev.Name == "" {
		ev.Name = "web"
	}
	ev.At = w.at
	w.take(&item{at: w.at, event: ev})
}

func (w *world) online(started time.Time, version string) {
	w.event(pm2.Event{Kind: pm2.EventLifecycle, Lifecycle: "online", Life: &pm2.Life{StartedAt: started, Version: version, ExecMode: "fork", NodeVersion: "22.0.0"}})
}

// told is what is left of the records, in a line each.
func (w *world) told() string {
	var out []string
	for _, r := range w.sink.records {
		line := fmt.Sprintf("%s %s/%s:%d", r.Kind, r.Namespace, r.App, r.PMID)
		if r.Version != "" {
			line += " " + r.Version
		}
		switch {
		case r.Exception != nil:
			e := r.Exception
			line += fmt.Sprintf(" %s: %s ×%d %s %s", e.Name, e.Message, r.Count(), r.Source, e.Mechanism)
		case r.Exit != nil:
			line += fmt.Sprintf(" %s %d %s", r.Exit.Reason, r.Exit.Code, r.Exit.Signal)
		case r.Deploy != nil:
			line += " from " + r.Deploy.FromVersion
		}
		out = append(out, strings.TrimSpace(line))
	}
	w.sink.records = nil
	return strings.Join(out, "\n")
}

func (w *world) check(what, want string) {
	w.t.Helper()
	if got := w.told(); got != strings.TrimSpace(want) {
		w.t.Errorf("%s:\n%s\nwant\n%s", what, got, strings.TrimSpace(want))
	}
}
