package discovery

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFindLifeOfADaemon(t *testing.T) {
	known := filepath.Join(t.TempDir(), "known.json")
	set := func(o *Options) { o.KnownFile = known }
	ft := newFinderTest(t, set)
	home := newHome(t)
	want := me(t) + ":" + part(home)
	f := ft.start(home, god(home), fakeOptions{})
	ft.proc.home(t, home)
	for range 5 {
		got := ft.find()
		if labels(got) != want+"+" || got[want].Home != home || got[want].OwnerUID != os.Getuid() || got[want].OwnerName != me(t) {
			t.Fatalf("found %+v", got)
		}
		ft.now = ft.now.Add(15 * time.Second)
	}
	// Five passes, one look.
	if conns, n := f.counts(t); conns != 2 || n != 0 {
		t.Errorf("%d connections and %d bytes arrived", conns, n)
	}

	// Gone: still listed, also by the next agent.
	f.stop()
	ft.proc.rows = nil
	ft.proc.write(t)
	if got := labels(ft.find()); got != want {
		t.Errorf("gone: %q", got)
	}
	check(t, ft.Close())
	ft.open(set)
	ft.now = ft.now.Add(23 * time.Hour)
	if got := labels(ft.find()); got != want {
		t.Errorf("after a restart: %q", got)
	}
	ft.now = ft.now.Add(2 * time.Hour)
	if got := labels(ft.find()); got != "" {
		t.Errorf("after 25 hours: %q", got)
	}
	if got, _, err := readKnown(known); err != nil || len(got) != 0 {
		t.Errorf("the file still holds %v, %v", got, err)
	}
}

func TestFindKeepsLabels(t *testing.T) {
	known := filepath.Join(t.TempDir(), "known.json")
	set := func(o *Options) { o.KnownFile = known }
	ft := newFinderTest(t, set)
	base := filepath.Dir(newHome(t))
	var homes []string
	for _, d := range []string{"b/app", "a/app"} {
		home := filepath.Join(base, d, ".pm2")
		check(t, os.MkdirAll(home, 0o755))
		ft.start(home, god(home), fakeOptions{})
		homes = append(homes, home)
	}
	ft.proc.home(t, homes[0])
	if got := labels(ft.find()); got != me(t)+":app+" {
		t.Fatalf("alone: %q", got)
	}
	ft.proc.home(t, homes[1])
	want := me(t) + ":a/app+ " + me(t) + ":app+"
	if got := labels(ft.find()); got != want {
		t.Errorf("with another: %q, want %q", got, want)
	}
	ft.open(set)
	if got := labels(ft.find()); got != want {
		t.Errorf("after a restart: %q, want %q", got, want)
	}
	// Without memory both are told apart alike.
	ft.open(nil)
	if got := labels(ft.find()); got != me(t)+":a/app+ "+me(t)+":b/app+" {
		t.Errorf("without memory: %q", got)
	}
}

func TestForget(t *testing.T) {
	known := filepath.Join(t.TempDir(), "known.json")
	for name, set := range map[string]func(*Options){"in a file": func(o *Options) { o.KnownFile = known }, "in memory": nil} {
		t.Run(name, func(t *testing.T) {
			ft := newFinderTest(t, set)
			home := newHome(t)
			label := me(t) + ":" + part(home)
			ft.start(home, god(home), fakeOptions{})
			ft.proc.home(t, home)
			ft.find()
			check(t, ft.Forget(label))
			if got := labels(ft.find()); got != label+"+" {
				t.Errorf("one that runs is not found again: %q", got)
			}
			ft.proc.rows = nil
			ft.proc.write(t)
			ft.find()
			check(t, ft.Forget(label))
			if got := labels(ft.find()); got != "" {
				t.Errorf("forgotten, yet there: %q", got)
			}
			if err := ft.Forget(label); err == nil || !strings.Contains(err.Error(), label) {
				t.Errorf("forgotten twice: %v", err)
			}
		})
	}
}

func TestFindRejectsOnce(t *testing.T) {
	ft := newFinderTest(t, nil)
	evil, half := newHome(t), newHome(t)
	f := ft.start(evil, "evil", fakeOptions{})
	ft.proc.home(t, evil)
	ft.proc.listen(t, half+"/rpc.sock", "relative/x/rpc.sock", "/nowhere/n/h/pub.sock", "/nowhere/n/h/rpc.sock")
	want := []string{"bad_path relative", "no_pub_socket " + part(half), "not_pm2 " + part(evil), "unreachable n"}
	for range 5 {
		if got := labels(ft.find()); got != "" {
			t.Fatalf("taken for daemons: %q", got)
		}
		ft.now = ft.now.Add(15 * time.Second)
	}
	got := map[string]bool{}
	for _, r := range ft.rejected {
		got[r] = true
	}
	for _, w := range want {
		if !got[w] {
			t.Errorf("%q is missing in %q", w, ft.rejected)
		}
	}
	if len(ft.rejected) != len(want) || strings.Count(ft.log.String(), "\n") != len(want) {
		t.Errorf("reported %q, logged %s", ft.rejected, ft.log.String())
	}
	if conns, n := f.counts(t); conns != 2 || n != 0 {
		t.Errorf("%d connections and %d bytes arrived", conns, n)
	}
	// After a while it is looked at again, for it may have been put right.
	ft.now = ft.now.Add(foreignFor)
	ft.find()
	if conns, _ := f.counts(t); conns != 4 {
		t.Errorf("%d connections", conns)
	}
}

func TestFindIsBounded(t *testing.T) {
	ft := newFinderTest(t, func(o *Options) { o.MaxDaemons = 20; o.EUID = func() int { return 7 } })
	var seen []sighting
	add := func(home string, uid int, refused error, known bool) {
		seen = append(seen, sighting{Candidate: Candidate{Home: home, OwnerUID: uid, Refused: refused, Listening: true}})
		if known {
			ft.known.entries = append(ft.known.entries, entry{Label: home, Home: home, LastSeen: ft.now})
		}
	}
	for i := range 30 { // someone makes sockets that we may not use
		add(fmt.Sprintf("/a/%02d", i), 666, ErrRefused, false)
	}
	for i := range 30 { // someone runs many things that look like PM2
		add(fmt.Sprintf("/b/%02d", i), 667, nil, false)
	}
	add("/z/mine", 7, nil, false)
	add("/z/known", 8, nil, true)
	ft.Finder.rejected.begin()
	kept := map[string]int{}
	for _, r := range ft.bound(join(seen, ft.known.entries)) {
		kept[strings.Split(r.seen.Home, "/")[1]]++
	}
	if d := cmp.Diff(map[string]int{"b": 18, "z": 2}, kept); d != "" {
		t.Error(d)
	}
	if len(ft.rejected) != 42 {
		t.Errorf("%d rejected", len(ft.rejected))
	}
	if n := len(ft.bound(join(seen[:30], nil))); n != maxUnproven {
		t.Errorf("%d of one user that may not be dialed", n)
	}
}

func TestFindConfigured(t *testing.T) {
	up, down, other := newHome(t), newHome(t), newHome(t)
	known := filepath.Join(t.TempDir(), "known.json")
	set := func(o *Options) {
		o.Homes = []string{"prod=" + up, down, "/does/not/exist/.pm2"}
		o.KnownFile = known
	}
	ft := newFinderTest(t, set)
	f := ft.start(up, god(up), fakeOptions{})
	ft.start(other, god(other), fakeOptions{})
	ft.proc.home(t, other)
	sorted := []string{"prod+", "root:exist", me(t) + ":" + part(down)}
	slices.Sort(sorted)
	want := strings.Join(sorted, " ")
	for range 2 {
		got := ft.find()
		if labels(got) != want {
			t.Fatalf("found %q, want %q", labels(got), want)
		}
		for _, c := range got {
			if !c.Configured || c.Refused != nil {
				t.Errorf("%+v", c)
			}
		}
		if _, err := dial(t, got["prod"], ft.Policy()); err != nil {
			t.Error(err)
		}
		ft.open(set)
	}
	if conns, n := f.counts(t); conns != 4 || n != 0 {
		t.Errorf("%d connections and %d bytes; only the dials may connect", conns, n)
	}
}

func TestFindFallback(t *testing.T) {
	user := filepath.Dir(newHome(t))
	env := map[string]string{"HOME": user}
	ft := newFinderTest(t, func(o *Options) { o.Getenv = func(k string) string { return env[k] } })
	got := ft.find()
	want := me(t) + ":" + filepath.Base(user)
	if labels(got) != want || got[want].Home != user+"/.pm2" || got[want].Configured {
		t.Errorf("~/.pm2: %+v", got)
	}
	env["PM2_HOME"] = "/not/there"
	if got := labels(ft.find()); got != "root:there" {
		t.Errorf("PM2_HOME: %q", got)
	}
	delete(env, "PM2_HOME")
	check(t, os.Remove(user+"/.pm2"))
	if got := labels(ft.find()); got != "" {
		t.Errorf("no folder: %q", got)
	}
	// Once something listens there is no need for a guess.
	home := newHome(t)
	env["PM2_HOME"] = "/not/there"
	ft.start(home, god(home), fakeOptions{})
	ft.proc.home(t, home)
	if got := labels(ft.find()); got != me(t)+":"+part(home)+"+" {
		t.Errorf("with a daemon: %q", got)
	}
}
