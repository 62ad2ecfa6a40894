//go:build alerts && linux

package alerts

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/uptest"
)

// settle is longer than it takes to tell of anything that began with the last
// action, but for what has to last longer than that.
const settle = 90 * time.Second

// hour is how long the calm hours last: PM25_ALERTS_HOUR, or an hour.
func hour(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("PM25_ALERTS_HOUR")
	if text == "" {
		return time.Hour
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("PM25_ALERTS_HOUR: %v", err)
	}
	return d
}

// TestCalm lets healthy apps run for an hour with traffic, twice at the same time:
// once nobody touches them, once operators do all that operators do. Nobody may
// be told of a warning or worse. A crash loop at the end shows that somebody
// listens.
func TestCalm(t *testing.T) {
	last := hour(t)
	table := doctable.New("hour", "minutes", "requests", "actions", "critical and warning", "info", "pending and never told", "load at the end")
	hours := []struct {
		name string
		busy bool
	}{{"quiet", false}, {"busy", true}}
	lines := make([][]any, len(hours))
	t.Run("hours", func(t *testing.T) {
		for i, h := range hours {
			t.Run(h.name, func(t *testing.T) {
				t.Parallel()
				c := newCalm(t)
				c.last(t, last, h.busy)
				lines[i] = append([]any{h.name}, c.judge(t, last)...)
				c.listens(t)
			})
		}
	})
	for _, line := range lines {
		if line != nil {
			table.Add(line...)
		}
	}
	doc.Write(t, "calm", table)
}

// calm is a host on which nothing is wrong.
type calm struct {
	*pm2test.Daemon
	shop    *shop
	up      *uptest.Up
	hook    *uptest.Webhook
	began   time.Time
	actions int
	seen    map[string]bool // lines that were logged
}

func newCalm(t *testing.T) *calm {
	t.Helper()
	c := &calm{Daemon: pm2test.New(t, pm2test.Options{}), hook: uptest.NewWebhook(t), seen: map[string]bool{}}
	c.shop = newShop(t, c.Daemon)
	c.Must(t, "save")
	c.up = uptest.Start(t, uptest.Options{
		Program: programs.Program(t, "pm25"), Homes: []string{daemonName + "=" + c.Home()}, Webhook: c.hook.URL,
		Args: []string{"--host.name=" + hostName},
	})
	c.began = time.Now()
	c.up.WaitValue(time.Minute, 1, fmt.Sprintf(`pm2_up{daemon=%q}`, daemonName))
	c.shop.visit(t)
	return c
}

// last lets time pass, with or without operators, and logs what is told as it
// comes.
func (c *calm) last(t *testing.T, d time.Duration, busy bool) {
	t.Helper()
	t.Logf("%s: %s, pid %d, begins", time.Now().UTC().Format(time.TimeOnly), c.up.URL, c.up.PID())
	end := c.began.Add(d)
	next := time.Now().Add(20 * time.Second)
	for i := 0; time.Now().Before(end); {
		pause(t.Context(), time.Second)
		c.report(t)
		if busy && time.Now().After(next) && time.Until(end) > 10*time.Second {
			a := actions[i%len(actions)]
			t.Logf("%s: %s", time.Now().UTC().Format(time.TimeOnly), a.what)
			a.do(t, c)
			i++
			c.actions++
			next = time.Now().Add(actionEvery)
		}
		if t.Context().Err() != nil {
			t.Fatal("ended")
		}
	}
	for until := time.Now().Add(settle); time.Now().Before(until); {
		pause(t.Context(), time.Second)
		c.report(t)
	}
}

// report logs what was told and has not been logged.
func (c *calm) report(t *testing.T) {
	t.Helper()
	for _, a := range c.hook.Told() {
		line := fmt.Sprintf("%s %s: %s", a.Status, describe(a.Labels), a.Annotations["summary"])
		if key := line + a.StartsAt.String(); !c.seen[key] {
			c.seen[key] = true
			t.Logf("%s: TOLD %s", a.At.UTC().Format(time.TimeOnly), line)
		}
	}
}

// judge holds that nothing was told, asks Prometheus the same about the whole
// time, and returns the cells of the table.
func (c *calm) judge(t *testing.T, d time.Duration) []any {
	t.Helper()
	var bad, info []string
	for _, a := range c.hook.Told("firing") {
		switch a.Labels["severity"] {
		case "none":
		case "info":
			info = append(info, a.Labels["alertname"])
		default:
			if !ofMachine(a.Labels) {
				bad = append(bad, describe(a.Labels))
			}
		}
	}
	window := int(d.Seconds()) + 300
	states := map[string][]string{}
	series, err := c.up.Query(fmt.Sprintf(`count_over_time(ALERTS{severity!="none"}[%ds])`, window))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range series {
		state := s.Labels["alertstate"]
		delete(s.Labels, "alertstate")
		t.Logf("ALERTS %s, samples %v: %s", state, s.Samples[0].Value, describe(s.Labels))
		if ofMachine(s.Labels) {
			continue
		}
		if state == "firing" && s.Labels["severity"] != "info" {
			bad = append(bad, describe(s.Labels))
		}
		states[state] = append(states[state], s.Labels["alertname"])
	}
	for _, text := range unique(bad) {
		t.Errorf("fired or was told: %s", text)
	}
	info = unique(append(info, slices.DeleteFunc(states["firing"], func(name string) bool { rule, ok := ruleOf(name); return !ok || rule.Severity != "info" })...))
	pending := slices.DeleteFunc(unique(states["pending"]), func(name string) bool { return slices.Contains(states["firing"], name) })
	c.watched(t)
	return []any{int(d.Minutes()), c.shop.answered.Load(), c.actions, len(unique(bad)), list(info), list(pending), load()}
}

// watched holds that there was something to be told of: requests, planned ends.
func (c *calm) watched(t *testing.T) {
	t.Helper()
	if n, err := c.up.Value(`sum(pm2_http_request_duration_seconds_count)`); err != nil || n < 100 {
		t.Errorf("%v requests were seen, %v", n, err)
	}
	if n, err := c.up.Value(`sum(pm2_app_exits_total{reason=~"operator|reload"})`); err != nil || c.actions > 20 && n < float64(c.actions/4) {
		t.Errorf("%v planned ends were seen, %v", n, err)
	}
}

// listens has an app crash, of which somebody has to be told.
func (c *calm) listens(t *testing.T) {
	t.Helper()
	c.App(t, pm2test.AppSpec{Name: "payments", Do: []pm2test.Cmd{{"do": "throw", "after": 1000}}, Extra: map[string]any{"max_restarts": 1000}})
	c.hook.Wait(t, 2*time.Minute, "firing", "alertname", "PM2CrashLoop", "app", "payments")
}

// list is a cell of names.
func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
