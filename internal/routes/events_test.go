//go:build routes

package routes

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
)

// event is something that happens to an app or to the agent while requests are
// made.
type event struct {
	name     string
	workers  int // 0: fork mode
	graceful bool
	// aborts says that clients go away meanwhile. Where processes end at once
	// nobody can tell which of those the app has seen.
	aborts bool
	// seamless says that no request may fail for its client, as no process
	// ends. Under pm2 reload some do, with pm25-ext and without.
	seamless bool
	act      func(t *testing.T, d *pm2test.Daemon, a *agent, l *load, app string)
}

func pause() { time.Sleep(2 * time.Second) }

func cli(args ...string) func(*testing.T, *pm2test.Daemon, *agent, *load, string) {
	return func(t *testing.T, d *pm2test.Daemon, _ *agent, _ *load, app string) {
		t.Helper()
		for range 2 {
			d.Must(t, append(args, app)...)
			pause()
		}
	}
}

func scale(t *testing.T, d *pm2test.Daemon, _ *agent, _ *load, app string) {
	for _, n := range []int{4, 1, 3} {
		d.Must(t, "scale", app, fmt.Sprint(n))
		d.WaitStatus(t, app, "online", n)
		pause()
	}
}

func crash(t *testing.T, d *pm2test.Daemon, _ *agent, l *load, app string) {
	for range 3 {
		listening(t, l.port) // on a busy host a start takes longer than the pause
		l.crash(t)
		pause()
	}
}

func stopStart(t *testing.T, d *pm2test.Daemon, _ *agent, _ *load, app string) {
	for range 2 {
		d.Must(t, "stop", app)
		pause()
		d.Must(t, "start", app)
		pause()
	}
}

func agentRestarts(t *testing.T, _ *pm2test.Daemon, a *agent, _ *load, _ string) {
	for range 4 {
		a.restart()
		pause()
	}
}

// agentAway makes the agent miss at least one report of each process.
func agentAway(t *testing.T, d *pm2test.Daemon, a *agent, _ *load, app string) {
	if code := a.Stop(t, syscall.SIGTERM); code != 0 {
		t.Fatalf("the agent ended with exit code %d", code)
	}
	time.Sleep(7 * time.Second)
	a.start()
}

var events = []event{
	{"nothing", 0, true, true, true, func(*testing.T, *pm2test.Daemon, *agent, *load, string) { pause() }},
	{"`pm2 reload`, twice", 2, true, true, false, cli("reload")},
	{"`pm2 reload`, twice, of an app that ends at once", 2, false, false, false, cli("reload")},
	{"`pm2 restart`, twice", 0, true, true, false, cli("restart")},
	{"`pm2 scale` from 2 to 4 to 1 to 3", 2, true, true, false, scale},
	{"crashes, three", 0, false, false, false, crash},
	{"crashes, three", 2, false, false, false, crash},
	{"`pm2 stop`, `pm2 start`, twice", 0, true, true, false, stopStart},
	{"`pm2 stop`, `pm2 start`, twice", 2, true, true, false, stopStart},
	{"agent restarted, four times", 0, true, true, true, agentRestarts},
	{"agent restarted, four times", 2, true, true, true, agentRestarts},
	{"agent stopped for 7 s", 2, true, true, true, agentAway},
}

// TestExactOverEvents: each request that was answered, or whose client went
// away, counts once, whatever PM2 does to the app and however often the agent
// is restarted in order. Requests that the end of a process cut off are no
// answers and do not count.
func TestExactOverEvents(t *testing.T) {
	table := doctable.New("event, under load", "mode", "answered", "aborted by the client", "cut off or refused", "counted", "native", "+Inf")
	d := pm2test.New(t, pm2test.Options{})
	a := newAgent(t, d)
	books := map[string]map[key]uint64{}
	for i, e := range events {
		name := fmt.Sprintf("app%d", i)
		env := map[string]string{}
		if e.graceful {
			env["GRACEFUL"] = "1"
		}
		spec, port := app(t, name, appPath("steady.js"), e.workers, env)
		d.App(t, spec)
		listening(t, port)
		l := steadily(port, 3, e.aborts)
		time.Sleep(time.Second)
		e.act(t, d, a, l, name)
		time.Sleep(time.Second)
		made := l.end()
		a.exactly(t, name, made)
		if e.seamless && l.cut > 0 {
			t.Errorf("%s: %d requests were cut off", e.name, l.cut)
		}
		counts, err := a.counts(name)
		if err != nil {
			t.Fatal(err)
		}
		var counted, exponential, classic uint64
		for _, h := range counts {
			counted, exponential, classic = counted+h.GetSampleCount(), exponential+native(h), classic+inf(h)
		}
		aborted := made[key{"GET", "/drip", "aborted"}]
		if sum(made) < 200 || e.aborts && aborted < 10 {
			t.Errorf("%s: only %d requests, %d aborted", e.name, sum(made), aborted)
		}
		mode := "fork"
		if e.workers > 0 {
			mode = fmt.Sprintf("cluster, %d", e.workers)
		}
		table.Add(e.name, mode, sum(made)-aborted, aborted, l.cut, counted, exponential, classic)
		d.Must(t, "stop", name)
		books[name] = made
	}
	a.restart()
	for name, made := range books {
		if err := a.same(name, made); err != nil {
			t.Errorf("at the end: %v", err)
		}
	}
	doc.Write(t, "events", table)
}
