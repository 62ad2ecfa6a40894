package discovery

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const stranger = 54321 // a uid that nobody has

func dial(t *testing.T, c Candidate, p Policy) (Peer, error) {
	t.Helper()
	rpc, pub, peer, err := Dial(context.Background(), c, p)
	if err != nil {
		if rpc != nil || pub != nil {
			t.Error("a connection was handed out with an error")
		}
		return peer, err
	}
	rpc.Close()
	pub.Close()
	return peer, nil
}

func TestDialProvenDaemon(t *testing.T) {
	long := func(t *testing.T) string {
		home := filepath.Join(newHome(t), strings.Repeat("d", 60), strings.Repeat("e", 60))
		check(t, os.MkdirAll(home, 0o755))
		return home
	}
	for name, tc := range map[string]struct {
		home  func(*testing.T) string
		title func(home string) string
		env   func(home string) []string
	}{
		"God Daemon":               {newHome, god, nil},
		"runtime":                  {newHome, func(string) string { return "node\x00/x/.bin/pm2-runtime\x00start\x00app.js" }, nil},
		"a title cut short":        {newHome, func(h string) string { return god(h)[:len(god(h))-6] }, nil},
		"a title of its own":       {newHome, func(string) string { return "my daemon" }, func(h string) []string { return []string{"PM2_HOME=" + h, "PM2_DAEMON_TITLE=my daemon"} }},
		"home with a slash":        {newHome, func(h string) string { return god(h + "/") }, nil},
		"path too long for a bind": {long, god, nil},
	} {
		t.Run(name, func(t *testing.T) {
			home := tc.home(t)
			var o fakeOptions
			if tc.env != nil {
				o.env = tc.env(home)
			}
			f := startFake(t, home, tc.title(home), o)
			peer, err := dial(t, Candidate{Home: home}, Policy{Restrict: true, UIDs: []int{os.Getuid()}})
			check(t, err)
			if peer.PID != f.pid() || peer.UID != os.Getuid() || peer.GID != os.Getgid() || peer.StartTicks == 0 || peer.Title == "" {
				t.Errorf("peer %+v, pid is %d", peer, f.pid())
			}
			if conns, n := f.counts(t); conns != 2 || n != 0 {
				t.Errorf("%d connections and %d bytes arrived", conns, n)
			}
		})
	}
}

func TestDialHomeBySymlinkName(t *testing.T) {
	home := newHome(t)
	link := filepath.Join(filepath.Dir(home), "link")
	check(t, os.Symlink(home, link))
	startFake(t, home, god(link), fakeOptions{}) // PM2_HOME was the link
	if _, err := dial(t, Candidate{Home: home}, Policy{}); err != nil {
		t.Errorf("the folder itself: %v", err)
	}
	_, err := dial(t, Candidate{Home: link}, Policy{})
	if !errors.Is(err, ErrForeign) || ReasonOf(err) != ReasonSymlink {
		t.Errorf("the link: %v", err)
	}
}

// Whoever makes the sockets: without proof there is no connection, and no byte is
// sent in any case.
func TestDialForgedListener(t *testing.T) {
	for name, tc := range map[string]struct {
		start  func(t *testing.T, home string) []*fake
		root   bool
		policy Policy
		kind   error
		reason Reason
		says   string
		conns  int // that each listener may see
	}{
		"another program": {
			start: func(t *testing.T, home string) []*fake {
				return []*fake{startFake(t, home, "evil\x00-x", fakeOptions{})}
			},
			kind: ErrForeign, reason: ReasonNotPM2, says: "(evil), which is not PM2", conns: 2,
		},
		"an app that PM2 runs": {
			start: func(t *testing.T, home string) []*fake {
				return []*fake{startFake(t, home, "node /srv/app.js", fakeOptions{env: []string{"PM2_HOME=" + home}})}
			},
			kind: ErrForeign, reason: ReasonNotPM2, conns: 2,
		},
		"the PM2 of another home": {
			start: func(t *testing.T, home string) []*fake {
				return []*fake{startFake(t, home, god("/root/.pm2"), fakeOptions{})}
			},
			kind: ErrForeign, reason: ReasonWrongHome, says: "/root/.pm2", conns: 2,
		},
		"a cut title of another home": {
			start: func(t *testing.T, home string) []*fake {
				return []*fake{startFake(t, home, "PM2 v7.0.4: God Daemon (/roo", fakeOptions{})}
			},
			kind: ErrForeign, reason: ReasonWrongHome, conns: 2,
		},
		"two listeners": {
			start: func(t *testing.T, home string) []*fake {
				return []*fake{
					startFake(t, home, god(home), fakeOptions{names: pubSock}),
					startFake(t, home, god(home), fakeOptions{names: rpcSock}),
				}
			},
			kind: ErrForeign, reason: ReasonPeerMismatch, conns: 1,
		},
		"a folder of someone else": {
			start: func(t *testing.T, home string) []*fake {
				f := startFake(t, home, god(home), fakeOptions{})
				check(t, os.Chown(home, stranger, stranger))
				return []*fake{f}
			},
			root: true, kind: ErrForeign, reason: ReasonWrongOwner, says: "belongs to uid 54321", conns: 2,
		},
		"sticky world-writable folder": {
			start: func(t *testing.T, home string) []*fake {
				check(t, os.Chmod(home, 0o777|os.ModeSticky))
				return []*fake{startFake(t, home, god(home), fakeOptions{uid: stranger})}
			},
			root: true, kind: ErrForeign, reason: ReasonWrongOwner, says: "listened on by uid 54321", conns: 2,
		},
		"a user that is not allowed": {
			start: func(t *testing.T, home string) []*fake {
				check(t, os.Chown(home, stranger, stranger))
				return []*fake{startFake(t, home, god(home), fakeOptions{uid: stranger})}
			},
			root: true, policy: Policy{Restrict: true, UIDs: []int{1}}, kind: ErrNotAllowed, says: "--pm2.user=54321", conns: 0,
		},
		"no pub.sock": {
			start: func(t *testing.T, home string) []*fake {
				return []*fake{startFake(t, home, god(home), fakeOptions{names: rpcSock})}
			},
			kind: ErrForeign, reason: ReasonNoPubSocket, conns: 0,
		},
		"a symlink to another socket": {
			start: func(t *testing.T, home string) []*fake {
				elsewhere := newHome(t)
				f := startFake(t, elsewhere, god(elsewhere), fakeOptions{})
				check(t, os.Symlink(filepath.Join(elsewhere, rpcSock), filepath.Join(home, rpcSock)))
				check(t, os.Symlink(filepath.Join(elsewhere, pubSock), filepath.Join(home, pubSock)))
				return []*fake{f}
			},
			kind: ErrForeign, reason: ReasonNotSocket, conns: 0,
		},
		"a plain file": {
			start: func(t *testing.T, home string) []*fake {
				check(t, os.WriteFile(filepath.Join(home, rpcSock), nil, 0o600))
				return nil
			},
			kind: ErrForeign, reason: ReasonNotSocket,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.root {
				needRoot(t)
			}
			home := newHome(t)
			fakes := tc.start(t, home)
			_, err := dial(t, Candidate{Home: home}, tc.policy)
			if !errors.Is(err, tc.kind) || ReasonOf(err) != tc.reason || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), home) {
				t.Errorf("error %v (%s), want %v (%s) with %q", err, ReasonOf(err), tc.kind, tc.reason, tc.says)
			}
			for _, f := range fakes {
				if conns, n := f.counts(t); conns > tc.conns || n != 0 {
					t.Errorf("%d connections and %d bytes arrived, want at most %d and none", conns, n, tc.conns)
				}
			}
		})
	}
}

func TestDialNotRunning(t *testing.T) {
	stale := func(home string) {
		for _, name := range []string{rpcSock, pubSock} {
			l, err := net.Listen("unix", filepath.Join(home, name))
			check(t, err)
			l.(*net.UnixListener).SetUnlinkOnClose(false)
			l.Close()
		}
	}
	for name, tc := range map[string]struct {
		prepare func(home string)
		c       Candidate
		says    string
	}{
		"no sockets":     {says: "no such socket"},
		"no folder":      {prepare: func(home string) { os.Remove(home) }, says: "no such folder"},
		"stale":          {prepare: stale, says: "stale socket file"},
		"no process":     {c: Candidate{Root: "/proc/999999999/root"}, says: "no such folder"},
		"container gone": {c: Candidate{Container: "web-1"}, says: "container web-1"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.c.Home = newHome(t)
			if tc.prepare != nil {
				tc.prepare(tc.c.Home)
			}
			_, err := dial(t, tc.c, Policy{})
			if !errors.Is(err, ErrNotRunning) || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), tc.c.Path("")+"/") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestDialBusy(t *testing.T) {
	home := newHome(t)
	for _, name := range []string{rpcSock, pubSock} {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		check(t, err)
		defer unix.Close(fd)
		check(t, unix.Bind(fd, &unix.SockaddrUnix{Name: filepath.Join(home, name)}))
		check(t, unix.Listen(fd, 0)) // nobody ever accepts
	}
	c, err := net.Dial("unix", filepath.Join(home, pubSock))
	check(t, err)
	defer c.Close()
	if _, err := dial(t, Candidate{Home: home}, Policy{}); !errors.Is(err, ErrBusy) {
		t.Errorf("error %v", err)
	}
}

// An agent without the right to connect says so, and what would help.
func TestDialRefusedByPermissions(t *testing.T) {
	needRoot(t)
	for name, mode := range map[string]os.FileMode{"open home": 0o755, "closed home": 0o700} {
		t.Run(name, func(t *testing.T) {
			home := newHome(t)
			f := startFake(t, home, god(home), fakeOptions{})
			check(t, os.Chmod(home, mode))
			text := runAs(t, stranger, "dial", "DIR="+home)
			want := "true\nmay not connect to " + home
			for _, s := range []string{want, "(owned by root): run the agent as root, add its user to group root, or give it CAP_DAC_OVERRIDE", "\ntrue\n"} {
				if !strings.Contains(text, s) {
					t.Errorf("agent said %q, without %q", text, s)
				}
			}
			if _, n := f.counts(t); n != 0 {
				t.Errorf("%d bytes arrived", n)
			}
		})
	}
}

// Without a look at the peer's process only a configured home with PM2's pid file
// counts.
func TestDialUnseenPeer(t *testing.T) {
	home := newHome(t)
	startFake(t, home, god(home), fakeOptions{})
	blind := Policy{ProcRoot: t.TempDir()}
	if _, err := dial(t, Candidate{Home: home}, blind); ReasonOf(err) != ReasonUnseenPeer {
		t.Errorf("found: %v", err)
	}
	if _, err := dial(t, Candidate{Home: home, Configured: true}, blind); ReasonOf(err) != ReasonNotPM2 {
		t.Errorf("configured, no pid file: %v", err)
	}
	check(t, os.WriteFile(filepath.Join(home, "pm2.pid"), []byte("1"), 0o644))
	peer, err := dial(t, Candidate{Home: home, Configured: true}, blind)
	if err != nil || peer.PID != 0 {
		t.Errorf("configured: %+v, %v", peer, err)
	}
}
