package sessionstoretest

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

type harness struct {
	Store
	t     *testing.T
	clock *clock
	again func() Store
}

// clock is the store's.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var agent = record.Agent{Host: "web-1", Version: "1.0.0", Advertise: "10.0.0.1:9209"}

// event is a record of kind event, at the clock's time plus after.
func (h *harness) event(after time.Duration) *record.Record {
	at := h.clock.Now().Add(after)
	return &record.Record{
		V: record.Version, ID: record.NewID(at), At: at.UnixNano(), Kind: record.Event,
		Host: "web-1", Daemon: "deploy", Namespace: "default", App: "api", PMID: 3, PID: 4711, Started: at.Add(-time.Hour).UnixMilli(), Version: "1.2.3", Revision: "4f3a2b1",
		Node: "v22.1.0", Mode: "fork", Level: record.LevelInfo, Source: record.FromExt,
		Event: &record.EventInfo{Name: "order paid", Data: []byte(`{"amount":12.5}`)},
	}
}

// exception is a record of kind exception; what says which bug it is of.
func (h *harness) exception(what string, after time.Duration) *record.Record {
	r := h.event(after)
	r.Kind, r.Level, r.Event = record.Exception, record.LevelError, nil
	title := "TypeError: " + what + " is not a function"
	r.Exception = &record.ExceptionInfo{
		Fingerprint: fingerprint(what), Algo: 1, Title: title, Culprit: "handler (routes/users.js)", Name: "TypeError", Message: what + " is not a function",
		Stack: title + "\n    at handler (/srv/api/routes/users.js:12:7)", Mechanism: record.Uncaught,
		Frames: []record.Frame{{Function: "handler", File: "routes/users.js", Line: 12, Column: 7, InApp: true, Text: "  " + what + "()"}},
	}
	r.Logs = []record.LogLine{{Stream: "err", Text: "about to call " + what}}
	return r
}

func fingerprint(what string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(what))) }

func (h *harness) push(records ...*record.Record) {
	h.t.Helper()
	for _, r := range records {
		if refusal := r.Check(h.clock.Now()); refusal != nil && r.At > h.clock.Now().Add(-record.MaxAge).UnixNano() {
			h.t.Fatalf("the record is none: %+v", refusal)
		}
	}
	stored, duplicates, err := h.Push(h.t.Context(), "main", agent, records)
	if err != nil || stored != len(records) || duplicates != 0 {
		h.t.Fatalf("push of %d records: %d stored, %d duplicates, %v", len(records), stored, duplicates, err)
	}
}

// everything selects all that there is of selector, as in name=value.
func everything(selector ...string) sessionstore.Selection {
	sel := sessionstore.Selection{Start: math.MinInt64 / 2, End: math.MaxInt64 / 2}
	for _, s := range selector {
		name, value, _ := strings.Cut(s, "=")
		sel.Matchers = append(sel.Matchers, labels.MustNewMatcher(labels.MatchEqual, name, value))
	}
	return sel
}

func (h *harness) entries(sel sessionstore.Selection) (entries []*sessionstore.Entry) {
	h.t.Helper()
	err := h.Entries(h.t.Context(), sel, func(e *sessionstore.Entry) bool {
		entries = append(entries, e)
		return true
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return entries
}

func (h *harness) times(sel sessionstore.Selection) (times []int64) {
	h.t.Helper()
	err := h.Times(h.t.Context(), sel, func(_ *sessionstore.Stream, at int64) bool {
		times = append(times, at)
		return true
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return times
}

func ids(entries []*sessionstore.Entry) (ids []string) {
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

func idsOf(records []*record.Record) (ids []string) {
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	return ids
}

// only returns the group of the only bug.
func (h *harness) only() sessionstore.Group {
	h.t.Helper()
	groups, err := h.Groups(h.t.Context(), sessionstore.GroupQuery{})
	if err != nil || len(groups) != 1 {
		h.t.Fatalf("groups %+v, %v", groups, err)
	}
	return groups[0]
}

// transitions lists the changes of states, oldest first, as "new>ongoing".
func (h *harness) transitions() (out []string) {
	h.t.Helper()
	for _, e := range h.entries(everything("kind=group")) {
		r, _, err := h.Record(h.t.Context(), e.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		out = append(out, r.Group.From+">"+r.Group.To)
	}
	return out
}

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
