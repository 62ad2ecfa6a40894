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
	// seamless says that no request may fail for its client.
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
	{"`pm2 reload`, twice", 2, true, true, true, cli("reload")},
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
	table := doctable.New("event, under load", "mode", "answered", "aborted by the client", "cut off", "counted", "native", "+Inf")
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

// interval is how often a process reports, unless it is told otherwise.
const interval = 5 * time.Second

// TestKills: what is lost when the app or the agent is killed is what the last
// interval held, and nothing counts twice.
func TestKills(t *testing.T) {
	table := doctable.New("killed with SIGKILL", "times", "requests made", "counted", "missed", "made out of sight, at most")
	d := pm2test.New(t, pm2test.Options{})
	a := newAgent(t, d)
	killedApp(t, d, a, table)
	killedAgent(t, d, a, table)
	doc.Write(t, "killed", table)
}

func killedApp(t *testing.T, d *pm2test.Daemon, a *agent, table *doctable.Table) {
	spec, port := app(t, "app", appPath("steady.js"), 0, map[string]string{"GRACEFUL": "1"})
	d.App(t, spec)
	listening(t, port)
	l := steadily(port, 3, false)
	const kills = 4
	blind := 0
	for i := range kills {
		time.Sleep(6*time.Second + time.Duration(i)*1300*time.Millisecond) // at different moments of the interval
		pid := pids(t, d, "app")[0]
		from := time.Now().Add(-interval - time.Second)
		kill9(t, pid)
		time.Sleep(50 * time.Millisecond)
		blind += l.between(from, time.Now())
		listening(t, port)
	}
	time.Sleep(time.Second)
	made := sum(l.end())
	d.Must(t, "stop", "app") // an orderly end: the last life is counted whole
	a.settle(t, "app")
	counted := a.total(t, "app")
	missed := int64(made) - int64(counted)
	if missed < 0 || missed > int64(blind) {
		t.Errorf("app killed: %d of %d requests are missing, at most %d may be", missed, made, blind)
	}
	table.Add("the app", kills, made, counted, missed, blind)
}

// settle waits until the requests of an app are the same for three seconds.
func (a *agent) settle(t testing.TB, app string) {
	t.Helper()
	was, since := uint64(0), time.Now()
	pm2test.Eventually(t, 30*time.Second, func() error {
		if now := a.total(t, app); now != was {
			was, since = now, time.Now()
		}
		if time.Since(since) < 3*time.Second {
			return fmt.Errorf("%s has %d requests, and more come", app, was)
		}
		return nil
	})
}

func (a *agent) total(t testing.TB, app string) (n uint64) {
	t.Helper()
	counts, err := a.counts(app)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range counts {
		n += h.GetSampleCount()
	}
	return n
}

// killedAgent adds up what a scraper with created timestamps sees of an agent
// that is killed.
func killedAgent(t *testing.T, d *pm2test.Daemon, a *agent, table *doctable.Table) {
	spec, port := app(t, "many", appPath("steady.js"), 2, map[string]string{"GRACEFUL": "1"})
	d.App(t, spec)
	listening(t, port)
	l := steadily(port, 3, true)
	c := counter{}
	var sighted time.Time // the last scrape
	watch := func(span time.Duration) {
		for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
			counts, err := a.counts("many")
			if err != nil {
				t.Fatal(err)
			}
			for k, h := range counts {
				c.add(k, h.GetCreatedTimestamp().AsTime(), h.GetSampleCount())
			}
			sighted = time.Now()
		}
	}
	const kills = 3
	blind := 0
	watch(8 * time.Second)
	for range kills {
		// What the processes had not reported when it was seen last is lost too.
		from := sighted.Add(-interval)
		a.Kill()
		time.Sleep(time.Second)
		a.start()
		// The first report of each process is where counting begins.
		to := time.Now().Add(interval + time.Second)
		watch(9 * time.Second)
		blind += l.between(from, to)
	}
	made := sum(l.end())
	watch(interval + 3*time.Second)
	var counted uint64
	for _, n := range c.sum {
		counted += n
	}
	missed := int64(made) - int64(counted)
	if missed < 0 || missed > int64(blind) || counted == 0 {
		t.Errorf("agent killed: %d of %d requests are missing, at most %d may be", missed, made, blind)
	}
	table.Add("the agent, away for a second", kills, made, counted, missed, blind)
}

// counter adds up cumulative counts as Prometheus does with created
// timestamps: a new one begins at 0.
type counter struct {
	created map[key]time.Time
	last    map[key]uint64
	sum     map[key]uint64
}

func (c *counter) add(k key, created time.Time, n uint64) {
	if c.sum == nil {
		*c = counter{map[key]time.Time{}, map[key]uint64{}, map[key]uint64{}}
	}
	if !created.Equal(c.created[k]) || n < c.last[k] {
		c.last[k] = 0
	}
	c.sum[k] += n - c.last[k]
	c.created[k], c.last[k] = created, n
}

