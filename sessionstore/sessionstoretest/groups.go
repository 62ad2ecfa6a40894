package sessionstoretest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

func testGroupCounts(t *testing.T, h *harness) {
	first := h.exception("x", -3*time.Hour)
	second := h.exception("x", 0)
	second.Host, second.Version, second.Occurrences = "web-2", "1.3.0", 10
	second.Exception.Title, second.Level = "another title", record.LevelWarn
	late := h.exception("x", -5*time.Hour)
	late.Version, late.Occurrences = "1.1.0", 3
	other := h.exception("x", 0)
	other.App = "worker" // the same fingerprint is another group there
	h.push(first, second, other)
	h.push(late)
	h.Store = h.again()
	groups, err := h.Groups(t.Context(), sessionstore.GroupQuery{App: "api"})
	if err != nil || len(groups) != 1 {
		t.Fatalf("%+v, %v", groups, err)
	}
	g := groups[0]
	want := sessionstore.Group{
		ID: g.ID, Bucket: "main", Namespace: "default", App: "api", Algo: 1, Fingerprint: first.Exception.Fingerprint, Title: "another title", Culprit: "handler (routes/users.js)",
		Level: "warn", State: sessionstore.StateNew, FirstSeen: late.Time(), LastSeen: second.Time(), Count: 14, Hosts: []string{"web-1", "web-2"},
		FirstVersion: "1.1.0", Version: "1.3.0", Changed: h.clock.Now(),
	}
	if diff := cmp.Diff(want, g); diff != "" || len(g.ID) != 16 {
		t.Error(diff)
	}
	hours, err := h.GroupHours(t.Context(), g.ID, time.Time{})
	wantHours := []sessionstore.HourCount{
		{Hour: late.Time().Truncate(time.Hour), Version: "1.1.0", Count: 3},
		{Hour: first.Time().Truncate(time.Hour), Version: "1.2.3", Count: 1},
		{Hour: second.Time().Truncate(time.Hour), Version: "1.3.0", Count: 10},
	}
	if diff := cmp.Diff(wantHours, hours); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if hours, err := h.GroupHours(t.Context(), g.ID, first.Time()); err != nil || len(hours) != 2 {
		t.Errorf("since the first: %+v, %v", hours, err)
	}
	h.samples(t, g.ID, 10, second, first, late)
	h.samples(t, g.ID, 2, second, late)
	h.samples(t, g.ID, 3, second, first, late)
	if _, err := h.GroupSamples(t.Context(), "none", 1); !errors.Is(err, sessionstore.ErrNotFound) {
		t.Error(err)
	}
	states, err := h.GroupStates(t.Context())
	if err != nil || states[sessionstore.StateNew] != 2 || states[sessionstore.StateMuted] != 0 || len(states) != len(sessionstore.States()) {
		t.Error(states, err)
	}
}

func (h *harness) samples(t *testing.T, id string, limit int, want ...*record.Record) {
	t.Helper()
	samples, err := h.GroupSamples(t.Context(), id, limit)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, fmt.Sprint(limit, " samples"), idsOf(samples), idsOf(want))
}

// see pushes an occurrence of the only bug in a version, a minute later.
func (h *harness) see(version string) {
	h.t.Helper()
	h.clock.add(time.Minute)
	r := h.exception("x", 0)
	r.Version, r.Revision = version, ""
	h.push(r)
}

// change changes the only group, a minute later.
func (h *harness) change(c sessionstore.Change) {
	h.t.Helper()
	h.clock.add(time.Minute)
	if _, err := h.ChangeGroup(h.t.Context(), h.only().ID, c); err != nil {
		h.t.Fatal(err)
	}
}

// later sweeps after d.
func (h *harness) later(d time.Duration) {
	h.t.Helper()
	h.clock.add(d)
	if err := h.Sweep(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) state(want sessionstore.State) {
	h.t.Helper()
	if g := h.only(); g.State != want {
		h.t.Errorf("the group is %s, want %s", g.State, want)
	}
}

func testResolved(t *testing.T, h *harness) {
	h.see("1.0.0")
	h.state(sessionstore.StateNew)
	h.later(sessionstore.NewFor)
	h.state(sessionstore.StateOngoing)
	note := "known since long"
	h.change(sessionstore.Change{To: sessionstore.StateResolved, By: "ann", Note: &note})
	h.see("1.0.0") // an old process
	h.see("0.9.0")
	h.state(sessionstore.StateResolved)
	if g := h.only(); g.Count != 3 || g.ChangedBy != "ann" || g.Note != note || !g.Changed.Before(g.LastSeen) {
		t.Errorf("%+v", g)
	}
	h.see("1.0.1")
	h.state(sessionstore.StateRegressed)
	h.change(sessionstore.Change{To: sessionstore.StateResolved, InNextDeploy: true})
	h.see("1.0.1")
	h.see("1.0.0")
	h.Store = h.again()
	h.state(sessionstore.StateResolved)
	h.see("1.0.2")
	h.state(sessionstore.StateRegressed)
	h.change(sessionstore.Change{To: sessionstore.StateResolved, InVersion: "2.0.0"})
	h.see("1.9.0")
	h.see("2.0.0")
	h.state(sessionstore.StateResolved)
	h.see("2.0.1")
	h.state(sessionstore.StateRegressed)
	equal(t, "changes", h.transitions(), []string{
		">new", "new>ongoing", "ongoing>resolved", "resolved>regressed", "regressed>resolved", "resolved>regressed", "regressed>resolved", "resolved>regressed",
	})
	h.checkGroupRecords(t)
}

func testMuted(t *testing.T, h *harness) {
	h.see("1.0.0")
	h.change(sessionstore.Change{To: sessionstore.StateMuted, Count: 3})
	h.see("1.0.0")
	h.Store = h.again()
	h.see("1.0.1")
	h.state(sessionstore.StateMuted)
	h.see("1.0.1")
	h.state(sessionstore.StateOngoing)
	h.change(sessionstore.Change{To: sessionstore.StateMuted, For: time.Hour})
	h.see("1.0.2")
	h.later(time.Hour - 2*time.Minute)
	h.state(sessionstore.StateMuted)
	h.later(time.Minute)
	h.state(sessionstore.StateOngoing)
	h.change(sessionstore.Change{To: sessionstore.StateMuted})
	h.see("9.0.0")
	h.later(7 * 24 * time.Hour)
	h.state(sessionstore.StateMuted)
	h.change(sessionstore.Change{To: sessionstore.StateOngoing})
	equal(t, "changes", h.transitions(), []string{">new", "new>muted", "muted>ongoing", "ongoing>muted", "muted>ongoing", "ongoing>muted", "muted>ongoing"})
	if _, err := h.ChangeGroup(t.Context(), h.only().ID, sessionstore.Change{To: sessionstore.StateRegressed}); err == nil {
		t.Error("somebody may ask for regressed")
	}
	if _, err := h.ChangeGroup(t.Context(), "none", sessionstore.Change{To: sessionstore.StateMuted}); !errors.Is(err, sessionstore.ErrNotFound) {
		t.Error(err)
	}
	h.checkGroupRecords(t)
}

// checkGroupRecords makes sure that records of changes are records like others.
func (h *harness) checkGroupRecords(t *testing.T) {
	for _, e := range h.entries(everything("kind=group")) {
		r, _, err := h.Record(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if refusal := r.Check(r.Time()); refusal != nil {
			t.Errorf("the record of a change is none: %+v", refusal)
		}
		if warn := r.Level == record.LevelWarn; warn != (r.Group.To == string(sessionstore.StateRegressed)) || r.App != "api" {
			t.Errorf("%+v", r)
		}
	}
}

func testGroupQueries(t *testing.T, h *harness) {
	var want []string
	for i := range 25 {
		h.push(h.exception(fmt.Sprint("bug", i), time.Duration(i)*time.Second))
		groups, err := h.Groups(t.Context(), sessionstore.GroupQuery{Limit: 1})
		if err != nil || len(groups) != 1 {
			t.Fatal(groups, err)
		}
		want = append([]string{groups[0].ID}, want...)
	}
	var got []string
	for q := (sessionstore.GroupQuery{Limit: 4}); ; {
		groups, err := h.Groups(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(groups) == 0 {
			break
		}
		for _, g := range groups {
			got = append(got, g.ID)
			q.Before = &sessionstore.GroupCursor{LastSeen: g.LastSeen, ID: g.ID}
		}
	}
	equal(t, "pages", got, want)
	if _, err := h.ChangeGroup(t.Context(), want[3], sessionstore.Change{To: sessionstore.StateMuted}); err != nil {
		t.Fatal(err)
	}
	for what, q := range map[string]sessionstore.GroupQuery{
		"1 by text": {Text: "BUG13 is"}, "25 by culprit": {Text: "routes/users"}, "0 by a pattern": {Text: "bug%"}, "0 of another bucket": {Bucket: "other"}, "25 of an app": {App: "api", Namespace: "default"},
		"1 muted": {States: []sessionstore.State{sessionstore.StateMuted}}, "25 of two states": {States: []sessionstore.State{sessionstore.StateMuted, sessionstore.StateNew}},
		"5 since": {Since: h.clock.Now().Add(20 * time.Second)},
	} {
		groups, err := h.Groups(t.Context(), q)
		if n, _, _ := cutNumber(what); err != nil || len(groups) != n {
			t.Errorf("%s: got %d, %v", what, len(groups), err)
		}
	}
}

func cutNumber(s string) (n int, rest string, err error) {
	_, err = fmt.Sscan(s, &n, &rest)
	return n, rest, err
}
