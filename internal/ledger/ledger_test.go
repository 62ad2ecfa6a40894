package ledger

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/exits"
	"github.com/pm25/pm25/internal/procfs"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func web(restarts int64) pm2.Process {
	return pm2.Process{Name: "web", Namespace: "default", PMID: 0, UniqueID: "a", Status: "online", Restarts: restarts}
}

func webKey() ProcKey { return ProcKey{AppKey{"default", "web"}, 0} }

func TestRestarts(t *testing.T) {
	type list struct {
		daemon string
		procs  []pm2.Process
	}
	d := func(daemon string, procs ...pm2.Process) list { return list{daemon, procs} }
	reborn := web(1)
	reborn.UniqueID = "b"
	reborn6 := web(6)
	reborn6.UniqueID = "b"
	for name, c := range map[string]struct {
		lists []list
		want  uint64
	}{
		"before our time":           {[]list{d("1", web(40))}, 0},
		"counted since":             {[]list{d("1", web(40)), d("1", web(43))}, 3},
		"pm2 reset":                 {[]list{d("1", web(40)), d("1", web(2))}, 2},
		"pm2 update":                {[]list{d("1", web(40)), d("2", web(1))}, 1},
		"update, more than before":  {[]list{d("1", web(4)), d("2", reborn6)}, 6},
		"update of a stopped app":   {[]list{d("1", web(4)), d("2", web(4))}, 0},
		"deleted and started again": {[]list{d("1", web(1)), d("1", reborn)}, 1},
		"new while we watch":        {[]list{d("1"), d("1", web(2))}, 2},
		"gone and back":             {[]list{d("1", web(1)), d("1"), d("1", web(4))}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			l := New(noon)
			for _, x := range c.lists {
				l.Apply(x.procs, noon)
			}
			if got := l.Proc(webKey()).Restarts; got != c.want {
				t.Errorf("restarts = %d, want %d", got, c.want)
			}
		})
	}
}

// TestEndBeforeTheFirstList: the log may tell of an end before PM2's list says
// how often the process was restarted before our time.
func TestEndBeforeTheFirstList(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		l := New(noon)
		l.Hint([]pm2.Process{web(7)}, noon)
		l.Exit(exits.Exit{Name: "web", Reason: exits.Crash, Code: 1, At: noon}, noon)
		if stopped { // before the list came
			l = Restore(l.Save())
		}
		l.Apply([]pm2.Process{web(7)}, noon)
		if got := l.Proc(webKey()).Restarts; got != 0 {
			t.Errorf("restarts before our time: %d are counted", got)
		}
		l.Apply([]pm2.Process{web(9)}, noon)
		if got := l.Proc(webKey()).Restarts; got != 2 {
			t.Errorf("restarts = %d, want 2", got)
		}
	}
}

func TestCPUGoesOnOverLives(t *testing.T) {
	l := New(noon)
	l.Apply([]pm2.Process{web(0)}, noon)
	see := func(pid int, start time.Time, user float64) float64 {
		l.Observe(webKey(), procfs.Sample{PID: pid, StartTicks: uint64(start.Unix()), StartTime: start, UserSeconds: user})
		return l.Proc(webKey()).User
	}
	for i, c := range []struct {
		pid   int
		start time.Time
		user  float64
		want  float64
	}{
		{1, noon.Add(-time.Hour), 100, 0}, // what was before us is not ours
		{1, noon.Add(-time.Hour), 101.5, 1.5},
		{2, noon.Add(time.Minute), 0.25, 1.75}, // a new life counts whole
		{2, noon.Add(time.Minute), 0.20, 1.75}, // never falls
		{2, noon.Add(time.Minute), 0.30, 1.85},
		{1, noon.Add(2 * time.Minute), 1, 2.85}, // the same number, another process
	} {
		if got := see(c.pid, c.start, c.user); got != c.want {
			t.Errorf("step %d: %v, want %v", i, got, c.want)
		}
	}
}

func TestStateGoesOnWhereItWas(t *testing.T) {
	l := New(noon)
	l.Apply([]pm2.Process{web(3)}, noon)
	l.Exit(exits.Exit{Name: "web", Reason: exits.Crash, Code: 1, At: noon}, noon)
	l.Observe(webKey(), procfs.Sample{PID: 1, StartTicks: 5, StartTime: noon, UserSeconds: 2})
	data, err := json.Marshal(l.Save())
	if err != nil {
		t.Fatal(err)
	}
	var s State
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	again := Restore(s)
	again.Apply([]pm2.Process{web(5)}, noon)
	again.Observe(webKey(), procfs.Sample{PID: 1, StartTicks: 5, StartTime: noon, UserSeconds: 2.5})
	p := again.Proc(webKey())
	if p.Restarts != 2 || p.User != 2.5 || p.ExitCode != 1 || again.App(webKey().AppKey).Exits[0] != 1 {
		t.Errorf("restored: %+v %+v", p, again.App(webKey().AppKey))
	}
}

// TestLost: ends that were counted since the last list are not lost.
func TestLost(t *testing.T) {
	l := New(noon)
	l.Apply([]pm2.Process{web(1)}, noon)
	for range 3 {
		l.Exit(exits.Exit{Name: "web", Reason: exits.Crash}, noon)
	}
	var lost uint64
	l.Lost(func(ProcKey) (int64, string, bool) { return 6, "a", true }, func(_ ProcKey, n uint64) { lost += n })
	if lost != 2 {
		t.Errorf("5 restarts, 3 of them seen: %d are lost, want 2", lost)
	}
}

func TestExitsFindTheirNamespace(t *testing.T) {
	l := New(noon)
	a, b := web(0), web(0)
	b.Namespace, b.PMID, b.UniqueID = "blue", 1, "b"
	l.Apply([]pm2.Process{a, b}, noon)
	l.Exit(exits.Exit{Name: "web", PMID: 1, Reason: exits.Crash}, noon)
	if got := l.App(AppKey{"blue", "web"}).Exits[0]; got != 1 {
		t.Errorf("blue: %d", got)
	}
	if got := l.App(AppKey{"default", "web"}).Exits[0]; got != 0 {
		t.Errorf("default: %d", got)
	}
}

func TestDeploys(t *testing.T) {
	l := New(noon)
	at := func(id int, version string, minute int) pm2.Process {
		p := web(0)
		p.PMID, p.UniqueID, p.Version, p.StartedAt = id, fmt.Sprint(id), version, noon.Add(time.Duration(minute)*time.Minute)
		return p
	}
	app := func() time.Time { return l.App(webKey().AppKey).DeployedAt }
	l.Apply([]pm2.Process{at(0, "1", 0), at(1, "1", 0)}, noon)
	l.Apply([]pm2.Process{at(0, "1", 1), at(1, "1", 1)}, noon)
	if !app().IsZero() {
		t.Fatal("a restart is no deploy")
	}
	l.Apply([]pm2.Process{at(0, "2", 2), at(1, "1", 1)}, noon) // a rolling reload, halfway
	first := app()
	l.Apply([]pm2.Process{at(0, "2", 2), at(1, "2", 3)}, noon)
	if want := noon.Add(2 * time.Minute); !first.Equal(want) || !app().Equal(want) {
		t.Errorf("deployed at %v, then %v, want %v", first, app(), want)
	}
}

// TestBounds holds memory and series bounded whatever apps do.
func TestBounds(t *testing.T) {
	l := New(noon)
	var list []pm2.Process
	for i := range MaxApps + 200 {
		p := web(0)
		p.Name, p.PMID, p.UniqueID = fmt.Sprintf("app%d", i), i, fmt.Sprint(i)
		list = append(list, p)
	}
	l.Apply(list, noon)
	if n := len(l.Listed()); n != MaxApps+1 {
		t.Errorf("%d apps are told apart, want %d and %s", n, MaxApps, Other)
	}
	if l.Dropped() == 0 {
		t.Error("nothing says that apps were folded")
	}
	if key := l.Key(&list[MaxApps+1]); key.App != Other || key.PMID != MaxApps+1 {
		t.Errorf("key over the bound: %+v", key)
	}
	// A new name every second for an hour and more.
	for i := range 6000 {
		p := web(0)
		p.Name, p.UniqueID = fmt.Sprintf("random%d", i), fmt.Sprint(i)
		l.Apply([]pm2.Process{p}, noon.Add(time.Duration(i)*time.Second))
	}
	if len(l.apps) > maxGone*2 || len(l.procs) > maxGone*2 {
		t.Errorf("%d apps and %d processes are remembered", len(l.apps), len(l.procs))
	}
	if n := len(l.Listed()); n != 1 {
		t.Errorf("%d apps listed, want the one that lives", n)
	}
}

func TestDeletedAppsAreForgottenAfterAWeek(t *testing.T) {
	l := New(noon)
	l.Apply([]pm2.Process{web(0)}, noon)
	l.Exit(exits.Exit{Name: "web", Reason: exits.Crash}, noon)
	l.Apply(nil, noon)
	if len(l.Listed()) != 0 {
		t.Fatal("a deleted app is still listed")
	}
	l.Apply(nil, noon.Add(6*24*time.Hour))
	if l.App(webKey().AppKey) == nil {
		t.Fatal("forgotten too early")
	}
	l.Apply(nil, noon.Add(8*24*time.Hour))
	if l.App(webKey().AppKey) != nil {
		t.Fatal("not forgotten")
	}
}

// TestArraysMatchTheCatalog holds the lengths of the arrays of App.
// An app that comes back soon goes on where it was; one that was gone for long
// begins anew, and what its log tells before the list counts.
func TestAppsThatComeBack(t *testing.T) {
	crash := exits.Exit{Name: "web", PMID: 0, Reason: exits.Crash, Code: 1, At: noon}
	for away, want := range map[time.Duration]uint64{4 * time.Minute: 7, 6 * time.Minute: 1} {
		l := New(noon)
		l.Apply([]pm2.Process{web(0)}, noon)
		for range 6 {
			l.Exit(crash, noon)
		}
		l.Apply(nil, noon)
		back := noon.Add(away)
		l.Exit(crash, back)
		reborn := web(1)
		reborn.UniqueID = "b"
		l.Apply([]pm2.Process{reborn}, back.Add(time.Second))
		app := l.App(webKey().AppKey)
		if got := app.Exits[0]; got != want || (away > anewAfter) != app.Created.Equal(back) {
			t.Errorf("away for %s: %d crashes since %s, want %d", away, got, app.Created, want)
		}
		if p := l.Proc(webKey()); p.Restarts != 1 || (away > anewAfter) != p.Created.Equal(back) {
			t.Errorf("away for %s: %d restarts since %s", away, p.Restarts, p.Created)
		}
	}
}

func TestArraysMatchTheCatalog(t *testing.T) {
	var a App
	got := []int{len(a.Exits), len(a.Exceptions), len(a.Events), len(a.LogLines)}
	want := []int{len(catalog.Reasons()), len(catalog.Handled()), len(catalog.Events()), len(catalog.Streams())}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var reasons []string
	for _, r := range exits.Reasons() {
		reasons = append(reasons, string(r))
	}
	if diff := cmp.Diff(catalog.Reasons(), reasons); diff != "" {
		t.Errorf("reasons of package exits differ: %s", diff)
	}
}

func TestEvents(t *testing.T) {
	l := New(noon)
	for _, ev := range []pm2.Event{
		{Kind: pm2.EventOut, Name: "web", Lines: 2},
		{Kind: pm2.EventException, Name: "web", Notified: true},
		{Kind: pm2.EventLifecycle, Name: "web", Lifecycle: "restart overlimit"},
		{Kind: pm2.EventLifecycle, Name: "web", Lifecycle: "app's own word"},
		{Kind: pm2.EventHuman, Name: "web"},
		{Kind: pm2.EventDaemonLog, Name: "PM2", PMID: -1},
	} {
		l.Event(&ev, noon)
	}
	app := l.App(webKey().AppKey)
	got := map[string]uint64{}
	for i, n := range app.Events {
		if n > 0 {
			got[catalog.Events()[i]] = n
		}
	}
	want := map[string]uint64{"exception": 1, "restart_overlimit": 1, "other": 1, "custom": 1}
	if diff := cmp.Diff(want, got); diff != "" || app.LogLines[0] != 2 || app.Exceptions[0] != 1 || len(l.apps) != 1 {
		t.Errorf("%s %+v", diff, app)
	}
}
