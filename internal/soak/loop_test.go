package soak

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// loop is a PM2 with two apps that crash in a loop, one in each mode, and one
// that burns CPU time throughout.
type loop struct {
	*pm2test.Daemon
	ends *ends
	apps []string // that crash
	burn int      // pid of the one that burns
}

func newLoop(t testing.TB) *loop {
	t.Helper()
	d := pm2test.New(t, pm2test.Options{})
	never := map[string]any{"max_restarts": 1_000_000}
	crash := filepath.Join(pm2test.Root(), "internal", "soak", "apps", "crash.js")
	d.App(t,
		pm2test.AppSpec{Name: "forked", Script: crash, Env: map[string]string{"AFTER": "150"}, Extra: never},
		pm2test.AppSpec{Name: "clustered", Script: crash, Env: map[string]string{"AFTER": "150"}, Cluster: 1, Extra: never},
		pm2test.AppSpec{Name: "burns", Do: []pm2test.Cmd{{"do": "burn", "share": 0.2}}},
	)
	for _, app := range []string{"forked", "clustered"} {
		d.WaitStatus(t, app, "online", 1)
	}
	l := &loop{Daemon: d, apps: []string{"forked", "clustered"}}
	l.burn = d.WaitStatus(t, "burns", "online", 1)[0].PID
	l.ends = followEnds(t, d)
	return l
}

func (l *loop) go_(t testing.TB) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(l.Home(), "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// quiet ends the crashes and waits until PM2 has told of all.
func (l *loop) quiet(t testing.TB) {
	t.Helper()
	if err := os.Remove(filepath.Join(l.Home(), "go")); err != nil {
		t.Fatal(err)
	}
	last, since := -1, time.Now()
	pm2test.Eventually(t, 30*time.Second, func() error {
		if n := l.ends.all(); n != last {
			last, since = n, time.Now()
		}
		if time.Since(since) < 3*time.Second {
			return fmt.Errorf("%d ends, the last one just now", last)
		}
		return nil
	})
}

// caught waits until an agent that never forgot has counted every end: where
// the bus is silent it looks into PM2's log every few seconds.
func (l *loop) caught(t testing.TB, a *agent) {
	t.Helper()
	pm2test.Eventually(t, 20*time.Second, func() error {
		m, err := a.scrape()
		if err != nil {
			return err
		}
		for _, app := range l.apps {
			if got, want := m.sum("pm2_app_exits_total", `app="`+app+`"`), float64(l.ends.count(app)); got < want {
				return fmt.Errorf("%s: %v of %v ends are counted", app, got, want)
			}
		}
		return nil
	})
	time.Sleep(2 * time.Second) // in case it goes on counting
}

// ends follows PM2's log on its own and notes when each end was told.
type ends struct {
	mu sync.Mutex
	at map[string][]time.Time // by app
}

func followEnds(t testing.TB, d *pm2test.Daemon) *ends {
	t.Helper()
	e := &ends{at: map[string][]time.Time{}}
	d.FollowLog(t, e.line)
	return e
}

func (e *ends) line(line []byte, at time.Time) {
	before, _, ok := bytes.Cut(line, []byte("] exited with code ["))
	if !ok {
		return
	}
	_, name, _ := bytes.Cut(before, []byte("App ["))
	app, _, _ := strings.Cut(string(name), ":")
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at[app] = append(e.at[app], at)
}

func (e *ends) count(app string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.at[app])
}

func (e *ends) all() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, at := range e.at {
		n += len(at)
	}
	return n
}

// within counts the ends of an app in any of the windows, each once.
func (e *ends) within(app string, windows []window) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, at := range e.at[app] {
		for _, w := range windows {
			if !at.Before(w.from) && !at.After(w.to) {
				n++
				break
			}
		}
	}
	return n
}

type window struct{ from, to time.Time }

// slack is how far apart the clocks of a window may be: the poll of the log,
// and an end that waits for PM2's next word before it is counted.
const slack = 300 * time.Millisecond

// blind returns the times in which nobody could count for us: from the last
// scrape of one life of the agent to the moment from which the next life that
// was scraped follows PM2. What a life counts after its last scrape, or
// without any, dies with it. The windows are wider by slack on both sides.
func blind(lives []life, scrapes []time.Time, slack time.Duration) []window {
	var out []window
	var from time.Time
	for _, l := range lives {
		var first, last time.Time
		for _, s := range scrapes {
			if s.After(l.follows) && s.Before(l.ends) {
				if first.IsZero() {
					first = s
				}
				last = s
			}
		}
		if first.IsZero() {
			continue
		}
		if !from.IsZero() {
			out = append(out, window{from.Add(-slack), l.follows.Add(slack)})
		}
		from = last
	}
	return out
}

// life is one run of the agent.
type life struct{ follows, ends time.Time }

// counter adds up one counter as Prometheus would: a step back is a new
// beginning at 0.
type counter struct {
	seen      bool
	last, sum float64
}

func (c *counter) add(v float64) {
	switch {
	case !c.seen:
	case v < c.last:
		c.sum += v
	default:
		c.sum += v - c.last
	}
	c.seen, c.last = true, v
}

// kernelCPU is what the kernel says of a process' own time.
type kernelCPU struct{ user, system, waited float64 }

const tick = 0.01

func readCPU(t testing.TB, pid int) kernelCPU {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	n := func(i int) float64 {
		v, err := strconv.ParseFloat(f[i], 64)
		if err != nil {
			t.Fatal(err)
		}
		return v * tick
	}
	return kernelCPU{n(11), n(12), n(13) + n(14)}
}

// resident is the resident memory of a process in bytes.
func resident(t testing.TB, pid int) float64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseFloat(strings.Fields(string(b))[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return n * float64(os.Getpagesize())
}
