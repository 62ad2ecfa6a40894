package pages

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestCondition(t *testing.T) {
	gone5m := time.Unix(1000, 0)
	crashed := func(n, recent float64) *appHere {
		return &appHere{Exits: map[string]float64{"crash": n}, Crashes: recent}
	}
	calm := &appHere{Exits: map[string]float64{"reload": 9, "operator": 2, "cron": 1, "watch": 3, "clean": 1, "unknown": 1}}
	tests := []struct {
		name string
		p    process
		want condition
	}{
		{"online", process{State: "online", Of: calm}, running},
		{"reloaded", process{State: "online", Restarts: 9, Recent: 9, Of: calm}, running},
		{"one launch", process{State: "one_launch", Of: calm}, running},
		{"errored", process{State: "errored", Restarts: 15, Recent: 15, Of: crashed(15, 15)}, errored},
		{"online, but again and again", process{State: "online", Restarts: 4, Recent: 4, Of: crashed(4, 4)}, looping},
		{"launching again and again", process{State: "launching", Restarts: 4, Recent: 4, Of: crashed(4, 4)}, looping},
		{"the worker beside one that crashes", process{State: "online", Of: crashed(4, 4)}, running},
		{"three crashes are no loop", process{State: "online", Restarts: 3, Recent: 3, Of: crashed(3, 3)}, restarted},
		{"a loop that is over", process{State: "online", Restarts: 9, Of: crashed(9, 0)}, restarted},
		{"waiting", process{State: "waiting_restart", Of: crashed(1, 1)}, waiting},
		{"launching", process{State: "launching", Of: calm}, moving},
		{"unknown", process{State: "other", Of: calm}, moving},
		{"stopped by somebody", process{State: "stopped", Of: calm}, stopped},
		{"stopped after crashes", process{State: "stopped", Of: crashed(2, 2)}, fallen},
		{"gone", process{State: "online", Seen: gone5m, Of: calm}, gone},
		{"gone as it was errored", process{State: "errored", Seen: gone5m, Of: calm}, gone},
		{"gone, was stopped", process{State: "stopped", Seen: gone5m, Of: calm}, goneCalmly},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.p.condition(); got != test.want {
				t.Errorf("condition = %d, want %d", got, test.want)
			}
		})
	}
}

// The order of the page: what is worse stands above.
func TestGroupsWorstFirst(t *testing.T) {
	app := func(exits map[string]float64, crashes float64) *appHere {
		return &appHere{Exits: exits, Crashes: crashes}
	}
	none := func() *appHere { return app(map[string]float64{}, 0) }
	web := source{Host: "web-1", Name: "deploy"}
	far := source{Host: "web-2", Name: "deploy"}
	seen := time.Unix(5000, 0)
	processes := []process{
		{Daemon: web, App: "calm-2", ID: "1", State: "online", Of: none()},
		{Daemon: web, App: "stopped", ID: "2", State: "stopped", Of: none()},
		{Daemon: web, App: "calm-10", ID: "3", State: "online", Of: none()},
		{Daemon: web, App: "crashed-once", ID: "4", State: "online", Restarts: 1, Of: app(map[string]float64{"crash": 1}, 1)},
		{Daemon: web, App: "crashed-thrice", ID: "5", State: "online", Restarts: 3, Of: app(map[string]float64{"crash": 3}, 3)},
		{Daemon: web, App: "starting", ID: "6", State: "launching", Of: none()},
		{Daemon: web, App: "fallen", ID: "7", State: "stopped", Of: app(map[string]float64{"signal": 1}, 1)},
		{Daemon: far, App: "gone", ID: "0", State: "online", Seen: seen, Of: none()},
		{Daemon: far, App: "gone-stopped", ID: "1", State: "stopped", Seen: seen, Of: none()},
		{Daemon: web, App: "waiting", ID: "8", State: "waiting_restart", Of: app(map[string]float64{"crash": 1}, 1)},
		{Daemon: web, App: "looping", ID: "9", State: "online", Restarts: 9, Recent: 9, Of: app(map[string]float64{"crash": 9}, 9)},
		{Daemon: web, App: "errored", ID: "10", State: "errored", Of: app(map[string]float64{"crash": 3, "errored": 1}, 3)},
	}
	want := []string{"errored", "looping", "waiting", "gone", "fallen", "starting", "crashed-thrice", "crashed-once", "calm-2", "calm-10", "gone-stopped", "stopped"}
	for range 5 { // whatever the order they come in
		slices.Reverse(processes)
		var got []string
		for _, g := range groupsOf(processes) {
			got = append(got, g.App)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("order (-want +got):\n%s", diff)
		}
		processes = append(processes[3:], processes[:3]...)
	}
}

func TestGroups(t *testing.T) {
	cluster := &appHere{Exits: map[string]float64{"crash": 5, "reload": 4}, Crashes: 5}
	var processes []process
	for id := range 4 {
		p := process{Daemon: source{Host: "web-1", Name: "deploy"}, App: "api", ID: fmt.Sprint(id), State: "online", Of: cluster}
		if id == 2 {
			p.Restarts, p.Recent = 5, 5
		}
		processes = append(processes, p)
	}
	other := &appHere{Exits: map[string]float64{"reload": 2}}
	for id := range 2 {
		processes = append(processes, process{Daemon: source{Host: "web-2", Name: "deploy"}, App: "api", ID: fmt.Sprint(id), State: "online", Of: other})
	}
	groups := groupsOf(processes)
	type line struct {
		Condition condition
		Host      string
		Processes int
		Exits     map[string]float64
	}
	var got []line
	for _, g := range groups {
		got = append(got, line{g.Condition, g.Host, len(g.Processes), g.Exits})
	}
	want := []line{
		{looping, "web-1", 1, map[string]float64{"crash": 5, "reload": 4}},
		{running, "", 5, map[string]float64{"reload": 2}}, // ends are shown once
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

// A host that is gone with all it has must not push the rest off the page.
func TestGroupsOfALostHost(t *testing.T) {
	var processes []process
	for i := range 30 {
		processes = append(processes, process{Daemon: source{Host: "web-1", Name: "deploy"}, App: fmt.Sprint("app-", i/3), ID: fmt.Sprint(i), State: "online", Seen: time.Unix(9, 0), Of: &appHere{}})
	}
	groups := groupsOf(processes)
	if len(groups) != 1 || groups[0].App != "" || len(groups[0].Processes) != 30 || groups[0].Processes[0].App != "app-0" {
		t.Errorf("groups = %+v, want one of 30 processes", groups)
	}
	if few := groupsOf(processes[:9]); len(few) != 3 {
		t.Errorf("%d groups of three apps, want 3", len(few))
	}
}

func TestNatural(t *testing.T) {
	want := []string{"", "10.0.0.9", "10.0.0.10", "api", "web", "web-2", "web-10", "web-10a", "web-x"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, natural)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func FuzzNatural(f *testing.F) {
	f.Add("web-2", "web-10", "web-02")
	f.Add("a", "", "0")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if natural(a, b) != -natural(b, a) || (natural(a, b) == 0) != (a == b) {
			t.Errorf("natural(%q, %q) = %d, the reverse %d", a, b, natural(a, b), natural(b, a))
		}
		s := []string{a, b, c}
		slices.SortFunc(s, natural)
		if cmp.Compare(natural(s[0], s[2]), 0) > 0 {
			t.Errorf("no order: %q", s)
		}
	})
}
