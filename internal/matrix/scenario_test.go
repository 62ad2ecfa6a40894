package matrix

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/pm25/pm25/internal/pm2test"
)

// agentKilled: an agent that is killed counts from 0 again, and neither what
// it had counted nor what happened meanwhile is counted a second time.
func agentKilled(t *testing.T, b *bench) {
	const app = "agent-killed"
	b.t = t
	w := &window{bench: b}
	b.d.App(t, pm2test.AppSpec{Name: app}, pm2test.AppSpec{Name: app + "-cluster", Cluster: 2})
	crash := func(times int) { b.crash(t, app, times) }
	expect := func(want string, restarts int) {
		t.Helper()
		pm2test.Eventually(t, settleIn, func() error { return b.check(app, want, restarts) })
		w.hold(quiet)
		if err := b.check(app, want, restarts); err != nil {
			t.Error(err)
		}
		if err := b.check(app+"-cluster", "", 0); err != nil {
			t.Error(err)
		}
	}
	crash(1)
	expect("crash 1", 1)
	b.stop(syscall.SIGKILL)
	crash(2)
	b.agent = startAgent(t, b.d, b.state)
	expect("", 0)
	crash(1)
	expect("crash 1", 1)
	// Orderly from here on: the counters go on.
	b.stop(syscall.SIGTERM)
	crash(1)
	b.agent = startAgent(t, b.d, b.state)
	expect("crash 2", 2)
}

// watchedWorkers: each worker of a cluster notices a change; PM2 restarts each
// once, and what an operator does right after is not the change's doing.
func watchedWorkers(t *testing.T, b *bench) {
	const app = "watched-workers"
	b.t = t
	w := &window{bench: b}
	s := newSubject(t, b.d, &event{mode: cluster, act: &action{watch: true, processes: 2}}, app)
	b.d.App(t, s.spec)
	b.d.WaitStatus(t, app, "online", 2)
	pm2test.Eventually(t, settleIn, func() error { return b.check(app, "", 0) })
	touch(w, []*subject{s})
	pm2test.Eventually(t, settleIn, func() error { return b.check(app, "watch 2", 2) })
	b.d.Must(t, "restart", app)
	pm2test.Eventually(t, settleIn, func() error { return b.check(app, "operator 2, watch 2", 4) })
	w.hold(quiet)
	if err := b.check(app, "operator 2, watch 2", 4); err != nil {
		t.Error(err)
	}
}

// logEmptied: the log is rotated while the agent watches, and the agent stops
// when nothing was written since.
func logEmptied(t *testing.T, b *bench) {
	const app = "log-emptied"
	b.t = t
	w := &window{bench: b, way: rotated}
	b.d.App(t, pm2test.AppSpec{Name: app})
	b.d.WaitStatus(t, app, "online", 1)
	pm2test.Eventually(t, settleIn, func() error { return b.check(app, "", 0) })
	w.rotate()
	b.crash(t, app, 1)
	w.rotate()
	pm2test.Eventually(t, settleIn, func() error { return b.check(app, "crash 1", 1) })
	w.hold(quiet)
	b.stop(syscall.SIGTERM)
	b.crash(t, app, 1)
	w.rotate()
	b.agent = startAgent(t, b.d, b.state)
	pm2test.Eventually(t, settleIn, func() error { return b.check(app, "crash 2", 2) })
	w.hold(quiet)
	if err := b.check(app, "crash 2", 2); err != nil {
		t.Error(err)
	}
}

// crash has a fork mode app throw, and PM2 restart it, some times.
func (b *bench) crash(t *testing.T, app string, times int) {
	t.Helper()
	for range times {
		before := b.d.WaitStatus(t, app, "online", 1)[0]
		b.d.Tell(t, before.PMID, pm2test.Cmd{"do": "throw"})
		pm2test.Eventually(t, settleIn, func() error {
			if p := b.d.WaitStatus(t, app, "online", 1)[0]; p.Restarts != before.Restarts+1 {
				return fmt.Errorf("PM2 restarted it %d times, want %d", p.Restarts, before.Restarts+1)
			}
			return nil
		})
	}
}

// check compares all that was counted of an app.
func (b *bench) check(app, want string, restarts int) error {
	c, err := b.agent.scrape()
	if err != nil {
		return err
	}
	exits, got := c.moved(&counts{}, app)
	if c.exits[app] == nil || exits.String() != want || got != restarts {
		return fmt.Errorf("%s: exits %q and %d restarts, want %q and %d", app, exits, got, want, restarts)
	}
	return nil
}

// agentRestartedMeanwhile: the agent is restarted after PM2 said that it
// stops an app and before the app, which takes its time, ends.
func agentRestartedMeanwhile(t *testing.T, b *bench) {
	const app = "takes-its-time"
	b.t = t
	w := &window{bench: b}
	b.d.App(t, pm2test.AppSpec{
		Name: app, Do: []pm2test.Cmd{{"do": "ignore"}}, Extra: map[string]any{"kill_timeout": 5000},
	})
	b.d.WaitStatus(t, app, "online", 1)
	pm2test.Eventually(t, settleIn, func() error { return b.check(app, "", 0) })

	restarted := make(chan error, 1)
	go func() {
		_, err := b.d.PM2(t.Context(), "restart", app)
		restarted <- err
	}()
	b.logged(t, "Stopping app:"+app)
	b.stop(syscall.SIGTERM)
	b.agent = startAgent(t, b.d, b.state)
	if err := <-restarted; err != nil {
		t.Fatal(err)
	}
	pm2test.Eventually(t, settleIn, func() error { return b.check(app, "operator 1", 1) })
	w.hold(quiet)
	if err := b.check(app, "operator 1", 1); err != nil {
		t.Error(err)
	}
}

// logged waits for a line of PM2's log.
func (b *bench) logged(t *testing.T, text string) {
	t.Helper()
	pm2test.Eventually(t, settleIn, func() error {
		log, err := os.ReadFile(b.d.LogPath())
		if err == nil && !strings.Contains(string(log), text) {
			err = fmt.Errorf("PM2 did not log %q", text)
		}
		return err
	})
}
