package sessionstore

import (
	"testing"
	"time"
)

var t0 = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func release(version string, first time.Duration) Release {
	return Release{Version: version, First: t0.Add(first)}
}

func TestNewer(t *testing.T) {
	for _, test := range []struct {
		name string
		a, b Release
		want bool
	}{
		{"semantic", release("1.10.0", 0), release("1.9.9", time.Hour), true},
		{"semantic, older although seen later", release("1.9.9", time.Hour), release("1.10.0", 0), false},
		{"a v does not matter", release("v2.0.0", 0), release("1.9.9", 0), true},
		{"a release after its candidates", release("2.0.0", 0), release("2.0.0-rc.2", time.Hour), true},
		{"numbers in candidates", release("2.0.0-rc.10", 0), release("2.0.0-rc.9", time.Hour), true},
		{"numbers before words", release("2.0.0-alpha", 0), release("2.0.0-1", time.Hour), true},
		{"more words are later", release("2.0.0-rc.1.1", 0), release("2.0.0-rc.1", time.Hour), true},
		{"same version, other revision", Release{"1.0.0", "b", t0.Add(time.Hour)}, Release{"1.0.0", "a", t0}, true},
		{"same version, earlier revision", Release{"1.0.0", "a", t0}, Release{"1.0.0", "b", t0.Add(time.Hour)}, false},
		{"builds by time", release("1.0.0+b", time.Hour), release("1.0.0+c", 0), true},
		{"other words by time", release("2026-11-b", time.Hour), release("main", 0), true},
		{"one semantic, by time", release("1.0.0", 0), release("main", time.Hour), false},
		{"itself", release("main", 0), release("main", 0), false},
		{"never seen", release("main", time.Hour), Release{Version: "next"}, false},
		{"unknown", Release{}, release("1.0.0", 0), false},
		{"than unknown", release("1.0.0", 0), Release{}, false},
		{"huge numbers", release("1.0.99999999999999999999999", 0), release("1.0.99999999999999999999998", time.Hour), true},
	} {
		if got := test.a.Newer(test.b); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
		if test.want && test.b.Newer(test.a) {
			t.Errorf("%s: both are newer than the other", test.name)
		}
	}
}

func TestNewest(t *testing.T) {
	got := Newest([]Release{release("1.9.0", 3), release("1.10.0", 1), release("1.2.0", 5)})
	if got.Version != "1.10.0" || !Newest(nil).IsZero() {
		t.Errorf("newest is %+v", got)
	}
}

func TestSeen(t *testing.T) {
	const hour = time.Hour
	resolved := func(in Release) Status {
		return Status{State: StateResolved, Created: t0.Add(-48 * hour), Changed: t0, Resolved: in}
	}
	old, same, next := release("1.0.0", -9*hour), release("1.1.0", -hour), release("1.2.0", hour)
	byHash, laterHash := release("abc", -hour), release("def", hour)
	deploy := resolved(Release{})
	deploy.Next = true
	muted := Status{State: StateMuted, Created: t0.Add(-48 * hour), Changed: t0}
	withCount, withTime := muted, muted
	withCount.MutedCount = 3
	withTime.MutedUntil = t0.Add(hour)
	for _, test := range []struct {
		name   string
		status Status
		by     Sighting
		after  time.Duration
		want   State
	}{
		{"new stays new", Status{State: StateNew, Created: t0}, Sighting{Release: same, Count: 1}, hour, StateNew},
		{"new for long enough", Status{State: StateNew, Created: t0}, Sighting{Release: same, Count: 1}, NewFor, StateOngoing},
		{"ongoing", Status{State: StateOngoing}, Sighting{Release: next, Count: 1}, hour, StateOngoing},
		{"regressed", Status{State: StateRegressed}, Sighting{Release: next, Count: 1}, hour, StateRegressed},
		{"resolved, seen in an older version", resolved(same), Sighting{Release: old, Count: 1}, hour, StateResolved},
		{"resolved, seen in the same version", resolved(same), Sighting{Release: same, Started: t0.Add(hour), Count: 1}, 2 * hour, StateResolved},
		{"resolved, seen in a newer version", resolved(same), Sighting{Release: next, Count: 1}, 2 * hour, StateRegressed},
		{"resolved, seen in no version", resolved(same), Sighting{Started: t0.Add(hour), Count: 1}, 2 * hour, StateResolved},
		{"resolved in a hash, seen in it", resolved(byHash), Sighting{Release: byHash, Count: 1}, hour, StateResolved},
		{"resolved in a hash, seen in a later one", resolved(byHash), Sighting{Release: laterHash, Count: 1}, 2 * hour, StateRegressed},
		{"resolved in a hash, seen in an earlier one", resolved(laterHash), Sighting{Release: byHash, Count: 1}, 2 * hour, StateResolved},
		{"resolved without versions, an old process", resolved(Release{}), Sighting{Started: t0.Add(-hour), Count: 1}, hour, StateResolved},
		{"resolved without versions, a new process", resolved(Release{}), Sighting{Started: t0.Add(time.Second), Count: 1}, hour, StateRegressed},
		{"resolved without versions, an unknown process", resolved(Release{}), Sighting{Count: 1}, hour, StateResolved},
		{"resolved without versions, now there is one", resolved(Release{}), Sighting{Release: next, Count: 1}, 2 * hour, StateRegressed},
		{"next deploy, a version that was there", deploy, Sighting{Release: same, Count: 1}, 2 * hour, StateResolved},
		{"next deploy, another version", deploy, Sighting{Release: laterHash, Count: 1}, 2 * hour, StateRegressed},
		{"muted for good", muted, Sighting{Release: next, Count: 1000}, 999 * hour, StateMuted},
		{"muted for some more", withCount, Sighting{Count: 2}, hour, StateMuted},
		{"muted for no more", withCount, Sighting{Count: 3}, hour, StateOngoing},
		{"muted for a while", withTime, Sighting{Count: 9}, hour - 1, StateMuted},
		{"muted until now", withTime, Sighting{Count: 1}, hour, StateOngoing},
	} {
		got, changed := test.status.Seen(t0.Add(test.after), test.by, test.status.Resolved)
		if got.State != test.want || changed != (got.State != test.status.State) {
			t.Errorf("%s: %s, changed %v, want %s", test.name, got.State, changed, test.want)
		}
		if changed && (!got.Changed.Equal(t0.Add(test.after)) || got.ChangedBy != "" || !got.Created.Equal(test.status.Created)) {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
	once, _ := withCount.Seen(t0, Sighting{Count: 2}, Release{})
	if twice, changed := once.Seen(t0, Sighting{Count: 1}, Release{}); !changed || twice.State != StateOngoing {
		t.Errorf("the third occurrence: %+v", twice)
	}
}

func TestAsked(t *testing.T) {
	status := Status{State: StateRegressed, Created: t0, MutedCount: 4}
	newest := release("1.1.0", 0)
	for _, test := range []struct {
		name   string
		change Change
		want   Status // but for what all have
		fails  bool
	}{
		{"resolve now", Change{To: StateResolved}, Status{State: StateResolved, Resolved: newest}, false},
		{"resolve in a version", Change{To: StateResolved, InVersion: "1.5.0"}, Status{State: StateResolved, Resolved: Release{Version: "1.5.0"}, InVersion: true}, false},
		{"resolve in the next deploy", Change{To: StateResolved, InNextDeploy: true}, Status{State: StateResolved, Next: true}, false},
		{"both", Change{To: StateResolved, InVersion: "1.5.0", InNextDeploy: true}, Status{}, true},
		{"mute for good", Change{To: StateMuted}, Status{State: StateMuted}, false},
		{"mute for a while", Change{To: StateMuted, For: time.Hour}, Status{State: StateMuted, MutedUntil: t0.Add(2 * time.Hour)}, false},
		{"mute for some", Change{To: StateMuted, Count: 9}, Status{State: StateMuted, MutedCount: 9}, false},
		{"mute for less than nothing", Change{To: StateMuted, For: -1}, Status{}, true},
		{"reopen", Change{To: StateOngoing}, Status{State: StateOngoing}, false},
		{"new", Change{To: StateNew}, Status{}, true},
		{"regressed", Change{To: StateRegressed}, Status{}, true},
		{"nonsense", Change{To: "gone"}, Status{}, true},
	} {
		test.change.By = "ann"
		got, err := status.Asked(t0.Add(time.Hour), test.change, newest)
		if (err != nil) != test.fails {
			t.Errorf("%s: %v", test.name, err)
		}
		test.want.Created, test.want.Changed, test.want.ChangedBy = t0, t0.Add(time.Hour), "ann"
		if err == nil && got != test.want {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
	if got, err := status.Asked(t0, Change{By: "ann"}, newest); err != nil || got != status {
		t.Errorf("no state asked for: %+v, %v", got, err)
	}
}
