// Package pm2test runs a real PM2 daemon in a home of its own, for tests,
// benchmarks and the demo. Nothing in it stands in for PM2: the daemon is the
// one of the chosen version, and what it says comes from its own command line.
//
// A daemon started here shares nothing with one that runs on the machine
// already: it has its own PM2_HOME, a small environment of its own, and it makes
// no calls to the network. Kill leaves no process behind; homes whose test was
// killed before it could clean up are found by a lock that nobody holds any more
// and are cleaned up by the next test that starts a daemon.
package pm2test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Options say which PM2 to run and where. The zero value is good for most tests.
type Options struct {
	// Version is PM2's major version: "7", "6" or "5". Empty means
	// $PM25_TEST_PM2, or "7".
	Version string
	// Home is the daemon's PM2_HOME. Empty means a short temporary folder
	// that Kill removes (the path of a unix socket has 107 bytes at most).
	Home string
	// Env are additional KEY=VALUE settings for the command line and the
	// daemon, and through them for the apps.
	Env []string
	// Stdout receives a copy of what the command line prints, if set.
	Stdout io.Writer
}

// ErrNotInstalled is what Start returns, wrapped, if there is no such PM2.
var ErrNotInstalled = errors.New("not installed")

// Daemon is a running PM2 daemon and the command line that belongs to it.
type Daemon struct {
	home    string
	temp    *tempHome // nil if the home was given
	version string
	script  string // PM2's command line
	env     []string
	stdout  io.Writer

	killOnce sync.Once
	killErr  error
}

// Versions are the major versions of PM2 that PM25 is tested with, newest first.
func Versions() []string { return []string{"7", "6", "5"} }

// Script returns the path of PM2's command line of a major version, or an error
// that says how to install it.
func Script(version string) (string, error) {
	p := filepath.Join(Root(), "tools", "pm2", version, "node_modules", "pm2", "bin", "pm2")
	if _, err := os.Stat(p); err != nil {
		target := "make pm2-all"
		if version == Versions()[0] {
			target = "make pm2"
		}
		return "", fmt.Errorf("PM2 %s is %w; %s installs it", version, ErrNotInstalled, target)
	}
	return p, nil
}

// Start starts a daemon and returns when both of its sockets accept connections.
func Start(ctx context.Context, o Options) (*Daemon, error) {
	if o.Version == "" {
		o.Version = os.Getenv("PM25_TEST_PM2")
	}
	if o.Version == "" {
		o.Version = "7"
	}
	script, err := Script(o.Version)
	if err != nil {
		return nil, err
	}
	d := &Daemon{version: o.Version, script: script, home: o.Home, stdout: o.Stdout}
	if d.home == "" {
		sweepOnce.Do(sweepHomes)
		if d.temp, err = newTempHome(); err != nil {
			return nil, err
		}
		d.home = d.temp.dir
	} else {
		// The daemon's environment holds the home as it was given; a clean
		// absolute path is what Processes looks for.
		if d.home, err = filepath.Abs(d.home); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(d.home, 0o755); err != nil {
			return nil, err
		}
	}
	if n := len(d.PubSocket()); n > 107 {
		d.release()
		return nil, fmt.Errorf("PM2_HOME %s is too long: its sockets would have %d bytes, 107 are possible", d.home, n)
	}
	d.env = append(environment(d.home), o.Env...)
	// PM2 asks its makers for news on the first use of a home, unless it finds
	// this file there.
	if err := os.WriteFile(filepath.Join(d.home, "touch"), nil, 0o644); err != nil {
		d.release()
		return nil, err
	}
	if err := d.launch(ctx, "ping"); err != nil {
		kctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		return nil, errors.Join(err, d.Kill(kctx))
	}
	return d, nil
}

// New starts a daemon for a test and kills it when the test ends. Where PM2 is
// not installed it skips the test, except under CI, where that is a failure.
func New(t testing.TB, o Options) *Daemon {
	t.Helper()
	noteApps(t)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	d, err := Start(ctx, o)
	older := o.Version != "" && o.Version != Versions()[0] // for make pm2-all
	if errors.Is(err, ErrNotInstalled) && (older || os.Getenv("CI") == "") {
		t.Skipf("skipped: %v", err)
	}
	if err != nil {
		t.Fatalf("starting PM2: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of PM2's log:\n%s", d.logTail(4096))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := d.Kill(ctx); err != nil {
			t.Errorf("ending PM2: %v", err)
		}
	})
	return d
}

// launch runs a command that starts the daemon and waits for its sockets.
func (d *Daemon) launch(ctx context.Context, args ...string) error {
	if _, err := d.PM2(ctx, args...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return poll(ctx, func() error {
		for _, path := range []string{d.RPCSocket(), d.PubSocket()} {
			c, err := net.Dial("unix", path)
			if err != nil {
				return err
			}
			c.Close()
		}
		if d.PID() == 0 {
			return errors.New("the daemon has not written its pid yet")
		}
		return nil
	})
}

// Home is the daemon's PM2_HOME.
func (d *Daemon) Home() string { return d.home }

// Version is the daemon's major version.
func (d *Daemon) Version() string { return d.version }

// RPCSocket is the path of the socket for calls.
func (d *Daemon) RPCSocket() string { return filepath.Join(d.home, "rpc.sock") }

// PubSocket is the path of the socket of the event bus.
func (d *Daemon) PubSocket() string { return filepath.Join(d.home, "pub.sock") }

// LogPath is the path of the daemon's own log.
func (d *Daemon) LogPath() string { return filepath.Join(d.home, "pm2.log") }

// PID is the daemon's process id as it stands now (an update or a resurrection
// changes it), or 0 if no daemon runs.
func (d *Daemon) PID() int {
	pid := readPID(filepath.Join(d.home, "pm2.pid"))
	if pid == 0 || !hasEnv(pid, homeMarks(d.home)) {
		return 0
	}
	return pid
}

// Kill ends the daemon and its apps, politely first, and removes the home if
// Start made it. It returns an error if a process is left. Calling it again does
// nothing.
func (d *Daemon) Kill(ctx context.Context) error {
	d.killOnce.Do(func() {
		var err error
		left := &reaper{env: homeMarks(d.home)}
		left.look()
		if d.PID() != 0 {
			if _, err = d.PM2(ctx, "kill"); err != nil {
				err = fmt.Errorf("pm2 kill: %w", err)
			}
		}
		// A polite end that failed does not matter if all are gone after the
		// impolite one.
		if e := left.end(ctx, 2*time.Second); e != nil {
			d.killErr = errors.Join(err, e)
		}
		d.release()
	})
	return d.killErr
}

// KillDaemon9 kills the daemon alone, as a crash would: its sockets stay behind
// as files that nobody listens on, and its apps end when they notice.
func (d *Daemon) KillDaemon9() {
	pid := d.PID()
	if pid == 0 {
		return
	}
	_ = syscall.Kill(pid, syscall.SIGKILL) // fails only if it has ended
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = poll(ctx, func() error {
		if d.PID() != 0 {
			return errors.New("still there")
		}
		return nil
	})
}

// Resurrect starts a new daemon with the process list of the last `pm2 save`, as
// PM2's start script does after a boot.
func (d *Daemon) Resurrect(ctx context.Context) error { return d.launch(ctx, "resurrect") }

func (d *Daemon) release() {
	if d.temp != nil {
		d.temp.remove()
	}
}

func (d *Daemon) logTail(n int) string {
	b, err := os.ReadFile(d.LogPath())
	if err != nil {
		return err.Error()
	}
	if len(b) > n {
		b = b[len(b)-n:]
	}
	return strings.TrimSpace(string(b))
}
