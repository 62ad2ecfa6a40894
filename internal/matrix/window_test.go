package matrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

const (
	// settleIn is how long the expected may take to come.
	settleIn = 20 * time.Second
	// quiet is how long nothing may move afterwards. The agent looks at
	// everything at least every 2 s.
	quiet = 3 * time.Second
	// cronIn is when cron jobs are due after their apps were started.
	cronIn = 9 * time.Second
)

// bench is a daemon with an agent on it.
type bench struct {
	t     *testing.T
	d     *pm2test.Daemon
	state string
	agent *agent
}

func newBench(t *testing.T, version string) *bench {
	b := &bench{t: t, state: t.TempDir()}
	b.d = pm2test.New(t, pm2test.Options{Version: version, Env: []string{"PM2_WORKER_INTERVAL=1000"}})
	b.agent = startAgent(t, b.d, b.state)
	t.Cleanup(func() { b.stop(syscall.SIGTERM) })
	return b
}

func (b *bench) stop(sig syscall.Signal) {
	if b.agent != nil {
		b.agent.end(b.t, sig)
		b.agent = nil
	}
}

// window is a stretch of time in which some independent events happen, each
// to an app of its own.
type window struct {
	*bench
	way      way
	subjects []*subject
	listed   []pm2test.Proc // before the events
}

// outcome is what was seen of one event.
type outcome struct {
	exits    reasons
	restarts int
}

// play has the events happen and returns what the counters did. What differs
// from the table fails the test.
func (b *bench) play(list []event, w way) []outcome {
	t := b.t
	win := &window{bench: b, way: w}
	before := win.prepare(list)
	if w.away {
		b.stop(syscall.SIGTERM)
	}
	if w.rotate {
		win.rotate()
	}
	win.happen()
	if w.rotate {
		win.rotate()
	}
	if w.away {
		b.agent = startAgent(t, b.d, b.state)
	}
	after := win.settled(before)
	out := make([]outcome, len(win.subjects))
	for i, s := range win.subjects {
		out[i].exits, out[i].restarts = after.moved(before, s.app)
		if got, want := out[i].exits.String(), s.want(w).String(); got != want {
			t.Errorf("%s, %s mode, %s: exits moved by %q, want %q", s.name, s.mode, w.name, got, want)
		}
		if out[i].restarts != s.restarts {
			t.Errorf("%s, %s mode, %s: restarts moved by %d, want %d", s.name, s.mode, w.name, out[i].restarts, s.restarts)
		}
	}
	if t.Failed() {
		t.Logf("end of the agent's log:\n%s", b.agent.log.tail())
	}
	return out
}

// prepare starts the apps and returns the counters once the agent knows them.
func (w *window) prepare(list []event) *counts {
	t := w.t
	if old, err := w.d.List(context.Background()); err != nil {
		t.Fatal(err)
	} else if len(old) > 0 {
		w.d.Must(t, "delete", "all")
	}
	var specs []pm2test.AppSpec
	var stopped, restarted, jobs []*subject
	for i := range list {
		e := &list[i]
		s := newSubject(t, w.d, e, fmt.Sprintf("%s-%s-%s", slug(e.name), e.mode, w.way.name))
		w.subjects = append(w.subjects, s)
		switch {
		case e.act.cron:
			jobs = append(jobs, s)
		default:
			specs = append(specs, s.spec)
		}
		if e.act.stopped {
			stopped = append(stopped, s)
		}
		if e.act.restarted {
			restarted = append(restarted, s)
		}
	}
	w.d.App(t, specs...)
	if len(stopped) > 0 {
		stop.run(w, stopped)
	}
	if len(restarted) > 0 {
		restart.run(w, restarted)
	}
	due := time.Now().Add(cronIn)
	if len(jobs) > 0 {
		w.d.App(t, cronJobs(jobs, due)...)
	}
	if list[0].act.daemon {
		w.d.Must(t, "save")
	}
	pm2test.Eventually(t, settleIn, w.known)
	before := w.hold(time.Second)
	var err error
	if w.listed, err = w.d.List(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(jobs) > 0 && time.Until(due) < 2*time.Second {
		t.Fatalf("this host is too slow: the cron jobs are due in %v", time.Until(due))
	}
	return before
}

// known returns nil once the agent shows every app as it is to be.
func (w *window) known() error {
	c, err := w.agent.scrape()
	if err != nil {
		return err
	}
	for _, s := range w.subjects {
		want := s.processes()
		if s.act.stopped {
			want = 0
		}
		if got := c.running[s.app]; got != want || c.exits[s.app] == nil {
			return fmt.Errorf("%s runs %d times, want %d", s.app, got, want)
		}
	}
	return nil
}

// happen lets the events happen and returns when PM2 is through with them.
func (w *window) happen() {
	var order []*action
	by := map[*action][]*subject{}
	for _, s := range w.subjects {
		if by[s.act] == nil {
			order = append(order, s.act)
		}
		by[s.act] = append(by[s.act], s)
	}
	for _, a := range order {
		if a.run != nil {
			a.run(w, by[a])
		}
	}
	pm2test.Eventually(w.t, 45*time.Second, w.through)
}

// through returns nil once PM2 itself counts the restarts that the table
// expects, and nothing is under way any more.
func (w *window) through() error {
	list, err := w.d.List(context.Background())
	if err != nil {
		return err
	}
	count := func(list []pm2test.Proc, app string) (n int) {
		for _, p := range list {
			if p.Name == app {
				n += p.Restarts
			}
		}
		return n
	}
	for _, s := range w.subjects {
		if got := count(list, s.app) - count(w.listed, s.app); got != s.restarts && !s.act.resets {
			return fmt.Errorf("PM2 restarted %s %d times, want %d", s.app, got, s.restarts)
		}
	}
	seen := map[string]bool{}
	for _, p := range list {
		seen[p.Name] = true
		if p.Status != "online" && p.Status != "stopped" && p.Status != "errored" {
			return fmt.Errorf("%s is %s", p.Name, p.Status)
		}
	}
	for _, s := range w.subjects {
		if !seen[s.app] {
			return fmt.Errorf("PM2 does not list %s", s.app)
		}
		if s.act.loops && w.firstIn(list, s).Status != "errored" {
			return fmt.Errorf("%s is not given up yet", s.app)
		}
	}
	return nil
}

// first is the first process of an app, as it was before the events.
func (w *window) first(s *subject) pm2test.Proc { return w.firstIn(w.listed, s) }

func (w *window) firstIn(list []pm2test.Proc, s *subject) pm2test.Proc {
	for _, p := range list {
		if p.Name == s.app {
			return p
		}
	}
	w.t.Fatalf("PM2 does not list %s", s.app)
	return pm2test.Proc{}
}

// settled waits until the counters moved as expected, or long enough, and
// then sees that they move no further.
func (w *window) settled(before *counts) *counts {
	deadline := time.Now().Add(settleIn)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ; time.Now().Before(deadline); <-tick.C {
		c, err := w.agent.scrape()
		if err == nil && c.up && w.asExpected(before, c) {
			break
		}
	}
	return w.hold(quiet)
}

func (w *window) asExpected(before, now *counts) bool {
	for _, s := range w.subjects {
		exits, restarts := now.moved(before, s.app)
		if exits.String() != s.want(w.way).String() || restarts != s.restarts {
			return false
		}
	}
	return true
}

// hold returns the counters once they stood still for a while.
func (w *window) hold(still time.Duration) *counts {
	var last *counts
	since := time.Now()
	pm2test.Eventually(w.t, settleIn+still, func() error {
		c, err := w.agent.scrape()
		if err != nil {
			return err
		}
		if last == nil || !reflect.DeepEqual(c, last) {
			last, since = c, time.Now()
		}
		if time.Since(since) < still {
			return errors.New("the counters do not stand still")
		}
		return nil
	})
	return last
}

// rotate copies PM2's log away and truncates it, as pm2-logrotate does.
func (w *window) rotate() {
	from, err := os.OpenFile(w.d.LogPath(), os.O_RDWR, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	defer from.Close()
	if w.way.keep {
		name := filepath.Join(w.d.Home(), "pm2__"+time.Now().Format("2006-01-02_15-04-05.000")+".log")
		to, err := os.Create(name)
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := io.Copy(to, from); err != nil {
			w.t.Fatal(err)
		}
		to.Close()
	}
	if err := from.Truncate(0); err != nil {
		w.t.Fatal(err)
	}
}
