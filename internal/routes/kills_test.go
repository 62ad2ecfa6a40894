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

// blur is how far the client's book and the time of a report may be apart.
const blur = 300 * time.Millisecond

func first(times map[string]time.Time) (at time.Time) {
	for _, t := range times {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	return at
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// interval is how often a process reports, unless it is told otherwise.
const interval = 5 * time.Second

// TestKills: what is lost when the app or the agent is killed is what the last
// interval held, and nothing counts twice.
func TestKills(t *testing.T) {
	table := doctable.New("what", "times", "requests made", "counted", "missed", "made out of sight, at most")
	d := pm2test.New(t, pm2test.Options{})
	a := newAgent(t, d)
	killedApp(t, d, a, table)
	killedAgent(t, d, a, table)
	reloadedUnheard(t, d, a, table)
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
		from := first(a.reported(t, "app"))
		kill9(t, pid)
		time.Sleep(50 * time.Millisecond)
		blind += l.between(from.Add(-blur), time.Now())
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
	table.Add("app killed with SIGKILL", kills, made, counted, missed, blind)
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
	var heard map[string]time.Time // as the last scrape has it
	watch := func(span time.Duration) {
		for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
			counts, err := a.counts("many")
			if err != nil {
				t.Fatal(err)
			}
			for k, h := range counts {
				c.add(k, h.GetCreatedTimestamp().AsTime(), h.GetSampleCount())
			}
			heard = a.reported(t, "many")
		}
	}
	const kills = 3
	blind := 0
	watch(8 * time.Second)
	for range kills {
		from := first(heard)
		a.Kill()
		time.Sleep(time.Second)
		a.start()
		// The first report of each process is where counting begins.
		var to time.Time
		pm2test.Eventually(t, 15*time.Second, func() error {
			now := a.reported(t, "many")
			for _, at := range now {
				to = latest(to, at)
			}
			if len(now) != 2 {
				return fmt.Errorf("%d of 2 processes have reported", len(now))
			}
			return nil
		})
		blind += l.between(from.Add(-blur), to.Add(blur))
		watch(9 * time.Second)
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
	table.Add("agent killed with SIGKILL, away for a second", kills, made, counted, missed, blind)
}

// reloadedUnheard reloads the app while the agent is stopped: nobody hears what
// the old processes say last, and PM2's bus keeps nothing.
func reloadedUnheard(t *testing.T, d *pm2test.Daemon, a *agent, table *doctable.Table) {
	spec, port := app(t, "unheard", appPath("steady.js"), 2, map[string]string{"GRACEFUL": "1"})
	d.App(t, spec)
	listening(t, port)
	l := steadily(port, 3, true)
	const times = 2
	blind := 0
	for range times {
		time.Sleep(8 * time.Second)
		from := first(a.reported(t, "unheard"))
		if code := a.Stop(t, syscall.SIGTERM); code != 0 {
			t.Fatalf("the agent ended with exit code %d", code)
		}
		d.Must(t, "reload", "unheard")
		a.start()
		blind += l.between(from.Add(-blur), time.Now())
	}
	time.Sleep(time.Second)
	made := sum(l.end())
	d.Must(t, "stop", "unheard")
	a.settle(t, "unheard")
	counted := a.total(t, "unheard")
	missed := int64(made) - int64(counted)
	if missed < 0 || missed > int64(blind) {
		t.Errorf("reloaded unheard: %d of %d requests are missing, at most %d may be", missed, made, blind)
	}
	table.Add("app reloaded while the agent is stopped in order", times, made, counted, missed, blind)
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
