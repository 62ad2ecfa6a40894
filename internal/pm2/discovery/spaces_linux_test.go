package discovery

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestFindRefused(t *testing.T) {
	needRoot(t)
	ft := newFinderTest(t, nil)
	home := newHome(t)
	check(t, os.Chown(home, stranger, stranger))
	f := ft.start(home, god(home), fakeOptions{uid: stranger})
	ft.proc.home(t, home)
	label := fmt.Sprintf("%d:%s", stranger, part(home))
	got := ft.find()
	if labels(got) != label+"+!" || !errors.Is(got[label].Refused, ErrNotAllowed) {
		t.Errorf("found %+v", got)
	}
	if conns, _ := f.counts(t); conns != 0 {
		t.Errorf("%d connections to a user that is not allowed", conns)
	}
	ft.open(func(o *Options) { o.AllowedUsers = []string{strconv.Itoa(stranger)} })
	if got := ft.find(); labels(got) != label+"+" {
		t.Errorf("allowed: %+v", got)
	}
}

// An agent that may not connect lists the daemon and says why.
func TestFindByAnotherUser(t *testing.T) {
	needRoot(t)
	for name, mode := range map[string]os.FileMode{"open home": 0o755, "closed home": 0o700} {
		t.Run(name, func(t *testing.T) {
			ft := newFinderTest(t, nil)
			home := newHome(t)
			ft.start(home, god(home), fakeOptions{})
			check(t, os.Chmod(home, mode))
			ft.proc.home(t, home)
			out := runAs(t, stranger, "find", "DIR="+ft.proc.dir)
			if want := "root:" + part(home) + " true true may not connect to " + home; !strings.HasPrefix(out, want) {
				t.Errorf("found %q, want %q", out, want)
			}
		})
	}
}

// A dead socket file of ours does not hide a daemon of a container that shares our
// network and has the same path.
func TestFindBehindAStaleSocket(t *testing.T) {
	needRoot(t)
	home := newHome(t)
	ft := newFinderTest(t, nil)
	ft.start(home, god(home), fakeOptions{}).stop()
	ft.start(home, god(home), fakeOptions{private: "web-1", over: filepath.Dir(home)})
	ft.proc.home(t, home)
	if got := labels(ft.find()); got != "root:"+part(home)+"@web-1+" {
		t.Errorf("found %q; log %s", got, ft.log.String())
	}
	// Both running: two daemons.
	check(t, os.Remove(home+"/rpc.sock"))
	check(t, os.Remove(home+"/pub.sock"))
	ft.start(home, god(home), fakeOptions{})
	ft.proc.home(t, home)
	if got := labels(ft.find()); got != "root:"+part(home)+"+ root:"+part(home)+"@web-1+" {
		t.Errorf("found %q; log %s", got, ft.log.String())
	}
}

func TestFindInOtherNamespaces(t *testing.T) {
	needRoot(t)
	const home = "/mnt/app/.pm2" // seen in the listeners' own namespaces only
	ft := newFinderTest(t, nil)
	for _, o := range []fakeOptions{
		{private: "web-1", net: true}, // as a container has it
		{private: "web-2", net: true},
		{private: "web-3"}, // with the network of the host
	} {
		ft.start(home, god(home), o)
	}
	ft.proc.process(t, os.Getpid())
	ft.proc.home(t, home) // our table shows the third
	for range 2 {
		got := ft.find()
		if want := "root:app@web-1+ root:app@web-2+ root:app@web-3+"; labels(got) != want {
			t.Fatalf("found %q, want %q; rejected %q; log %s", labels(got), want, ft.rejected, ft.log.String())
		}
		for _, c := range got {
			if c.Home != home || c.Root == "" || c.Path("x") != c.Root+home+"/x" {
				t.Errorf("%+v", c)
			}
			peer, err := dial(t, c, ft.Policy())
			if err != nil || ft.proc.dir+"/"+strconv.Itoa(peer.PID)+"/root" != c.Root {
				t.Errorf("%s: %+v, %v", c.Root, peer, err)
			}
		}
	}
	// A known daemon of a container that is gone cannot be mistaken for one here.
	for _, n := range ft.proc.pids(t) {
		check(t, os.Remove(filepath.Join(ft.proc.dir, n)))
	}
	ft.proc.rows = nil
	ft.proc.write(t)
	for _, c := range ft.find() {
		if _, err := dial(t, c, ft.Policy()); !errors.Is(err, ErrNotRunning) {
			t.Errorf("%s: %v", c.Label, err)
		}
	}
}

// A private mount namespace in which the home is where we see it too is no container.
func TestFindSharedHomeOnce(t *testing.T) {
	needRoot(t)
	home := newHome(t)
	ft := newFinderTest(t, nil)
	ft.start(home, god(home), fakeOptions{private: "other-name"})
	ft.proc.home(t, home)
	got := ft.find()
	if want := "root:" + part(home) + "+"; labels(got) != want || got["root:"+part(home)].Root != "" {
		t.Errorf("found %+v, want %q", got, want)
	}
}

func TestSpacesAreScannedInTurns(t *testing.T) {
	p := newFakeProc(t)
	for i := range maxPIDs + 10 {
		check(t, os.Mkdir(filepath.Join(p.dir, strconv.Itoa(i+1)), 0o755))
	}
	s := spaceScanner{procRoot: p.dir}
	for _, want := range []int{maxPIDs, 10, maxPIDs} {
		if got := len(s.next()); got != want {
			t.Errorf("%d processes looked at, want %d", got, want)
		}
	}
}
