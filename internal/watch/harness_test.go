package watch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/pm2/pm2fake"
	"github.com/pm25/pm25/internal/procfs"
)

// onlyDaemon is a host on which the daemon runs and its apps do not.
type onlyDaemon struct{}

func (onlyDaemon) Read(pid int, _, _ time.Time) (procfs.Sample, error) {
	if pid == os.Getpid() {
		return procfs.Sample{PID: pid, StartTicks: 1}, nil
	}
	return procfs.Sample{}, procfs.ErrGone
}
func (onlyDaemon) Retain([]int) {}
func (onlyDaemon) Close()       {}

type noOOM struct{}

func (noOOM) Read() (uint64, string, error) { return 0, "", errors.New("no counter here") }

// watching is a Watcher of a fake daemon.
type watching struct {
	*Watcher
	d     *pm2fake.Daemon
	mu    sync.Mutex
	dials []time.Time
	end   func()
}

// follow starts a Watcher; change may change its options.
func follow(t *testing.T, d *pm2fake.Daemon, change func(*Options)) *watching {
	t.Helper()
	w := &watching{d: d}
	o := Options{
		Candidate: discovery.Candidate{Label: "test", Home: d.Home(), OwnerUID: os.Geteuid()},
		Dial: func(ctx context.Context) (rpc, pub net.Conn, peer discovery.Peer, err error) {
			w.mu.Lock()
			w.dials = append(w.dials, time.Now())
			w.mu.Unlock()
			rpc, pub, err = d.Dial(ctx)
			return rpc, pub, discovery.Peer{PID: os.Getpid(), UID: os.Geteuid(), StartTicks: 1}, err
		},
		OOM: func(discovery.Peer) OOMCounter { return noOOM{} }, Proc: onlyDaemon{}, ProcRoot: "/proc", BootID: "boot",
		Logger: log.NewNopLogger(), Now: time.Now,
	}
	if change != nil {
		change(&o)
	}
	w.Watcher = New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	w.end = func() { cancel(); <-done }
	t.Cleanup(w.end)
	return w
}

// view is View with a deadline.
func (w *watching) view(within time.Duration) View {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return w.View(ctx, Want{})
}

// pass lets time go by and everybody do what is to be done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// exits sums the ends that were counted.
func (w *watching) exits() (n uint64) {
	w.Ledger(func(l *ledger.Ledger) { n = sumExits(l) })
	return n
}

func sumExits(l *ledger.Ledger) (n uint64) {
	state := l.Save()
	for _, a := range state.Apps {
		for _, e := range a.Exits {
			n += e
		}
	}
	return n
}

// apps is a list of processes, one app each.
func apps(n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(`{"pm_id":%d,"pid":%d,"name":"app%[1]d","pm2_env":{"status":"online","unique_id":"u%[1]d","exec_mode":"fork_mode","pm_uptime":1795343533050}}`, i, 4_000_000+i))
	}
	return "[" + strings.Join(out, ",") + "]"
}

// bubble runs a test on a clock of its own with a daemon that has a log.
func bubble(t *testing.T, f func(t *testing.T, d *pm2fake.Daemon)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := pm2fake.NewInMemory(t)
		d.SetList(apps(3))
		d.WriteLog("--- New PM2 Daemon started ---")
		f(t, d)
	})
}
