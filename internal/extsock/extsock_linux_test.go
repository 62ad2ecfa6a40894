package extsock

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func open(t *testing.T, home string, most int) *Listener {
	t.Helper()
	l, err := Listen(Options{Home: home, UID: os.Geteuid(), MaxConns: most})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func TestHears(t *testing.T) {
	// Longer than a socket's address may be.
	home := filepath.Join(t.TempDir(), strings.Repeat("long", 40))
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	l := open(t, home, 0)
	type heard struct {
		pid  int
		text string
	}
	got := make(chan heard, 1)
	go l.Serve(func(pid int, conn io.Reader) {
		if _, ok := conn.(io.Writer); ok {
			t.Error("the connection can be written to")
		}
		b, _ := io.ReadAll(conn)
		got <- heard{pid, string(b)}
	})
	conn := dial(t, home)
	_, _ = io.WriteString(conn, "hello\n")
	conn.Close()
	if h := <-got; h.pid != os.Getpid() || h.text != "hello\n" {
		t.Errorf("%+v", h)
	}
	info, err := os.Lstat(filepath.Join(home, Name))
	if err != nil || info.Mode() != os.ModeSocket|0o600 || int(info.Sys().(*syscall.Stat_t).Uid) != os.Geteuid() {
		t.Errorf("%v %v", info, err)
	}
	l.Close()
	if _, err := os.Lstat(filepath.Join(home, Name)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func dial(t *testing.T, home string) net.Conn {
	t.Helper()
	dir, err := os.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	conn, err := net.Dial("unix", "/proc/self/fd/"+strconv.Itoa(int(dir.Fd()))+"/"+Name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestWhatIsInThePlace(t *testing.T) {
	for name, c := range map[string]struct {
		put func(t *testing.T, place string)
		ok  bool
	}{
		"nothing": {func(*testing.T, string) {}, true},
		"a dead socket": {func(t *testing.T, place string) {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: place})
			if err != nil {
				t.Fatal(err)
			}
			l.SetUnlinkOnClose(false)
			l.Close()
		}, true},
		"a live socket": {func(t *testing.T, place string) {
			l, err := net.Listen("unix", place)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
		}, false},
		"a file":   {func(t *testing.T, place string) { must(t, os.WriteFile(place, []byte("x"), 0o600)) }, false},
		"a folder": {func(t *testing.T, place string) { must(t, os.Mkdir(place, 0o700)) }, false},
		"a symlink to nothing": {func(t *testing.T, place string) {
			must(t, os.Symlink(filepath.Join(filepath.Dir(place), "elsewhere"), place))
		}, false},
		"a symlink to a dead socket": {func(t *testing.T, place string) {
			other := filepath.Join(t.TempDir(), "s")
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: other})
			if err != nil {
				t.Fatal(err)
			}
			l.SetUnlinkOnClose(false)
			l.Close()
			must(t, os.Symlink(other, place))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			place := filepath.Join(home, Name)
			c.put(t, place)
			before, _ := os.Lstat(place)
			l, err := Listen(Options{Home: home, UID: os.Geteuid()})
			if (err == nil) != c.ok {
				t.Fatalf("error %v", err)
			}
			if err == nil {
				l.Close()
				return
			}
			after, statErr := os.Lstat(place)
			if statErr != nil || !os.SameFile(before, after) {
				t.Errorf("it was replaced: %v", statErr)
			}
			if _, err := os.Lstat(filepath.Join(home, "elsewhere")); err == nil {
				t.Error("a symlink was followed")
			}
		})
	}
}

// TestAnotherUsersHome: root makes a socket that is the user's, and nobody
// makes one in a folder of somebody else.
func TestAnotherUsersHome(t *testing.T) {
	home := t.TempDir()
	const nobody = 65534
	if _, err := Listen(Options{Home: home, UID: nobody}); err == nil {
		t.Error("a socket of nobody's in our folder")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can act for others")
	}
	must(t, os.Chown(home, nobody, nobody))
	must(t, os.Chmod(filepath.Dir(home), 0o755))
	l, err := Listen(Options{Home: home, UID: nobody})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Lstat(filepath.Join(home, Name))
	if err != nil || info.Mode() != os.ModeSocket|0o600 || info.Sys().(*syscall.Stat_t).Uid != nobody {
		t.Errorf("%v %v", info, err)
	}
	// Root may connect, but is not the daemon's user.
	go l.Serve(func(int, io.Reader) { t.Error("a stranger was heard") })
	conn := dial(t, home)
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v", err)
	}
	if err := os.WriteFile(filepath.Join(t.TempDir(), "x"), nil, 0o600); err != nil {
		t.Errorf("we are not ourselves any more: %v", err)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	home := t.TempDir()
	l := open(t, home, 2)
	in := make(chan bool, 3)
	go l.Serve(func(_ int, conn io.Reader) { in <- true; _, _ = io.Copy(io.Discard, conn) })
	first := dial(t, home)
	<-in
	dial(t, home)
	<-in
	over := dial(t, home)
	_ = over.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := over.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("one too many: %v", err)
	}
	first.Close()
	for deadline := time.Now().Add(5 * time.Second); ; {
		next := dial(t, home)
		_, _ = io.WriteString(next, "x")
		select {
		case <-in:
			return
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("the place of one that is gone stays taken")
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
