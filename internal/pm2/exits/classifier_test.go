package exits

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/daemonlog"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)

// run feeds a script to a classifier. A line is PM2's own message; "!" begins
// what the bus says: "!throw ID", "!event NAME STATUS ID"; "+3s" moves the
// clock; "!list" is PM2's list in which api runs.
func run(t *testing.T, live bool, oom Verdict, script ...string) []string {
	t.Helper()
	now := noon
	var got []string
	c := New(Options{
		Emit:      func(e Exit) { got = append(got, fmt.Sprintf("%s:%d %s %d", e.Name, e.PMID, e.Reason, e.Code)) },
		Now:       func() time.Time { return now },
		OOMKilled: func(bool) Verdict { return oom },
		Outlives:  func(int) func() bool { return nil },
		Zone:      func() *time.Location { return nil },
	})
	c.Know([]pm2.Process{
		{Name: "web", PMID: 0, PID: 10, Status: "online", ExecMode: "fork"},
		{Name: "api", PMID: 1, PID: 11, Status: "online", ExecMode: "cluster"},
		{Name: "job", PMID: 2, PID: 12, Status: "online", ExecMode: "fork", CronRestart: "0 12 * * *"},
	})
	for _, line := range script {
		var id int
		var event, status string
		switch {
		case strings.HasPrefix(line, "!throw"):
			fmt.Sscanf(line, "!throw %d", &id)
			c.Exception(id)
		case strings.HasPrefix(line, "!event"):
			fmt.Sscanf(line, "!event %s %s %d", &event, &status, &id)
			c.Lifecycle(event, status, id)
		case line == "!list":
			c.Describe([]pm2.Process{{Name: "api", PMID: 1, PID: 21, Status: "online", ExecMode: "cluster"}})
		case strings.HasPrefix(line, "+"):
			d, err := time.ParseDuration(line[1:])
			if err != nil {
				t.Fatal(err)
			}
			now = now.Add(d)
			c.Settle()
		default:
			c.Line(daemonlog.Parse([]byte(line)), live)
		}
	}
	return got
}

const (
	webCode0  = "App [web:0] exited with code [0] via signal [SIGINT]"
	apiCode0  = "App [api:1] exited with code [0] via signal [SIGINT]"
	webKilled = "App [web:0] exited with code [0] via signal [SIGKILL]"
	webStarts = "App [web:0] starting in -fork mode-"
	apiStarts = "App [api:1] starting in -cluster mode-"
	memory    = "[PM2][WORKER] Process %d restarted because it exceeds --max-memory-restart value (current_memory=2 max_memory_limit=1 [octets])"
	notOnline = "Process 0 in a stopped status, starting it"
)

func TestReasons(t *testing.T) {
	for name, c := range map[string]struct {
		away     bool
		anyOrder bool // they end at the same time; want is sorted
		oom      Verdict
		script   []string
		want     []string
	}{
		"throw in fork mode":                        {script: []string{"!throw 0", "App [web:0] exited with code [1] via signal [SIGINT]", webStarts}, want: []string{"web:0 crash 1"}},
		"throw in cluster mode":                     {script: []string{"!throw 1", apiCode0, "!event exit stopped 1"}, want: []string{"api:1 crash 1"}},
		"throw in cluster mode, told after the end": {script: []string{apiCode0, "!event exit stopped 1", apiStarts, "!throw 1"}, want: []string{"api:1 crash 1"}},
		"throw in cluster mode, told after ends of others": {
			script: []string{apiCode0, webCode0, webStarts, "!throw 1", "Stopping app:web id:0", webCode0},
			want:   []string{"web:0 clean 0", "api:1 crash 1", "web:0 operator 0"},
		},
		"throw in cluster mode, by the next one at once": {
			script: []string{apiCode0, apiStarts, "!event online online 1", "!throw 1", apiCode0, apiStarts},
			want:   []string{"api:1 clean 0", "api:1 crash 1"},
		},
		"throw in cluster mode, by the next one that only the list told of": {
			script: []string{apiCode0, apiStarts, "!list", "!throw 1", apiCode0, apiStarts},
			want:   []string{"api:1 clean 0", "api:1 crash 1"},
		},
		"throw in cluster mode, by the next one later": {script: []string{apiCode0, apiStarts, "+2s", "!throw 1", apiCode0, apiStarts}, want: []string{"api:1 clean 0", "api:1 crash 1"}},
		"two ends in cluster mode, no word between": {
			script: []string{apiCode0, apiStarts, "Stopping app:api id:1", apiCode0},
			want:   []string{"api:1 clean 0", "api:1 operator 0"},
		},
		"given up in cluster mode, told of throw late": {script: []string{apiCode0, `Script /a.js had too many unstable restarts (16). Stopped. "errored"`, "!throw 1"}, want: []string{"api:1 errored 0"}},
		"given up, of an end that PM2 was told to bring about": {
			script: []string{apiCode0, "Stopping app:web id:0", webCode0, `Script /a.js had too many unstable restarts (16). Stopped. "errored"`, "+2s"},
			want:   []string{"web:0 operator 0", "api:1 clean 0"},
		},
		"throw in cluster mode, away":       {away: true, script: []string{apiCode0, apiStarts}, want: []string{"api:1 unknown -1"}},
		"exit 0 in cluster mode":            {script: []string{apiCode0, apiStarts, "+2s"}, want: []string{"api:1 clean 0"}},
		"exit 0 long after an exception":    {script: []string{"!throw 1", "+10s", apiCode0, apiStarts, "+2s"}, want: []string{"api:1 clean 0"}},
		"exit 0":                            {script: []string{webCode0, "+2s"}, want: []string{"web:0 clean 0"}},
		"exit 3":                            {away: true, script: []string{"App [web:0] exited with code [3] via signal [SIGINT]", "+2s"}, want: []string{"web:0 crash 3"}},
		"heap limit":                        {script: []string{"App [web:0] exited with code [0] via signal [SIGABRT]", webStarts}, want: []string{"web:0 crash 134"}},
		"SIGTERM from outside":              {script: []string{"App [web:0] exited with code [0] via signal [SIGTERM]", webStarts}, want: []string{"web:0 signal 143"}},
		"SIGKILL":                           {oom: No, script: []string{webKilled, webStarts}, want: []string{"web:0 signal 137"}},
		"SIGKILL by the kernel":             {oom: Yes, script: []string{webKilled, webStarts}, want: []string{"web:0 oom_kill 137"}},
		"SIGKILL, no telling by whom":       {away: true, script: []string{webKilled, webStarts}, want: []string{"web:0 unknown 137"}},
		"restart by an operator":            {script: []string{"Stopping app:web id:0", webCode0, webStarts}, want: []string{"web:0 operator 0"}},
		"stopped, did not listen to SIGINT": {script: []string{"Stopping app:web id:0", webKilled}, want: []string{"web:0 operator 137"}},
		"reload in fork mode":               {script: []string{notOnline, "Stopping app:web id:0", webCode0, webStarts}, want: []string{"web:0 reload 0"}},
		"reload in cluster mode": {
			script: []string{apiStarts, "Stopping app:api id:_old_1", "App [api:_old_1] exited with code [0] via signal [SIGINT]"},
			want:   []string{"api:1 reload 0"},
		},
		"soft reload, the old worker leaves by itself": {
			script: []string{apiStarts, "App [api:_old_1] exited with code [0] via signal [SIGINT]"},
			want:   []string{"api:1 reload 0"},
		},
		"memory limit in fork mode": {
			script: []string{fmt.Sprintf(memory, 0), notOnline, "Stopping app:web id:0", webCode0, webStarts, "Stopping app:web id:0", webCode0},
			want:   []string{"web:0 memory_limit 0", "web:0 operator 0"},
		},
		"memory limit in cluster mode": {
			script: []string{fmt.Sprintf(memory, 1), apiStarts, "Stopping app:api id:_old_1", "App [api:_old_1] exited with code [0] via signal [SIGINT]", "Stopping app:api id:1", apiCode0},
			want:   []string{"api:1 memory_limit 0", "api:1 operator 0"},
		},
		"watch": {
			script: []string{"Change detected on path a.js for app web - restarting", "Stopping app:web id:0", webCode0, webStarts, "Stopping app:web id:0", webCode0},
			want:   []string{"web:0 watch 0", "web:0 operator 0"},
		},
		"watch, noticed by each worker": {
			script: []string{
				"Change detected on path a.js for app api - restarting", "Stopping app:api id:1", "Change detected on path a.js for app api - restarting", apiCode0, apiStarts,
				"Stopping app:api id:1", apiCode0,
			},
			want: []string{"api:1 watch 0", "api:1 operator 0"},
		},
		"cron": {script: []string{"[PM2] Deregistering a cron job on: 2", "Stopping app:job id:2", "App [job:2] exited with code [0] via signal [SIGINT]"}, want: []string{"job:2 cron 0"}},
		"restart of a cron app by an operator": {
			script: []string{"+90s", "[PM2] Deregistering a cron job on: 2", "Stopping app:job id:2", "App [job:2] exited with code [0] via signal [SIGINT]"},
			want:   []string{"job:2 operator 0"},
		},
		"given up": {
			script: []string{"App [web:0] exited with code [1] via signal [SIGINT]", `Script /a.js had too many unstable restarts (16). Stopped. "errored"`},
			want:   []string{"web:0 errored 1"},
		},
		"given up, told by the bus first": {
			script: []string{"App [web:0] exited with code [1] via signal [SIGINT]", "!event exit errored 0", `Script /a.js had too many unstable restarts (16). Stopped. "errored"`},
			want:   []string{"web:0 errored 1"},
		},
		"kill -9 of the daemon": {
			script:   []string{"Stopping app:web id:0", webCode0, "--- New PM2 Daemon started ----"},
			anyOrder: true,
			want:     []string{"api:1 unknown -1", "job:2 unknown -1", "web:0 operator 0"},
		},
		"unseen start": {script: []string{"App [new:9] starting in -fork mode-", "App [new:9] exited with code [2] via signal [SIGINT]", "+2s"}, want: []string{"new:9 crash 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, !c.away, c.oom, c.script...)
			if c.anyOrder {
				sort.Strings(got)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestCronOfALaterStart: an app that PM2 started after the first list, and one
// that took the id of another.
func TestCronOfALaterStart(t *testing.T) {
	var got []Reason
	c := New(Options{
		Emit:      func(e Exit) { got = append(got, e.Reason) },
		Now:       func() time.Time { return noon },
		OOMKilled: func(bool) Verdict { return No },
		Outlives:  func(int) func() bool { return nil },
		Zone:      func() *time.Location { return nil },
	})
	restart := func(name string) {
		for _, line := range []string{
			"[PM2] Deregistering a cron job on: 5", "Stopping app:" + name + " id:5",
			"App [" + name + ":5] exited with code [0] via signal [SIGINT]", "App [" + name + ":5] starting in -fork mode-",
		} {
			c.Line(daemonlog.Parse([]byte(line)), true)
		}
	}
	c.Line(daemonlog.Parse([]byte("App [late:5] starting in -fork mode-")), true)
	c.Describe([]pm2.Process{{Name: "late", PMID: 5, CronRestart: "0 12 * * *"}})
	restart("late")
	restart("late")
	c.Describe(nil)
	c.Describe([]pm2.Process{{Name: "other", PMID: 5, CronRestart: "0 13 * * *"}}) // before its lines are read
	c.Line(daemonlog.Parse([]byte("App [other:5] starting in -fork mode-")), false)
	restart("other")
	if diff := cmp.Diff([]Reason{Cron, Cron, Operator}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRestoreWhileStopping: the agent was restarted between the words of PM2
// and the end that they explain.
func TestRestoreWhileStopping(t *testing.T) {
	var got []Reason
	opts := Options{
		Emit:      func(e Exit) { got = append(got, e.Reason) },
		Now:       func() time.Time { return noon },
		OOMKilled: func(bool) Verdict { return No },
		Outlives:  func(int) func() bool { return nil },
		Zone:      func() *time.Location { return nil },
	}
	feed := func(c *Classifier, lines ...string) {
		for _, line := range lines {
			c.Line(daemonlog.Parse([]byte(line)), false)
		}
		c.Flush()
	}
	c := New(opts)
	feed(c, webStarts, apiStarts, "Stopping app:web id:0", fmt.Sprintf(memory, 1), apiStarts)
	state, err := json.Marshal(c.Running())
	if err != nil {
		t.Fatal(err)
	}
	var running []Process
	if err := json.Unmarshal(state, &running); err != nil {
		t.Fatal(err)
	}
	c = New(opts)
	c.Restore(running)
	feed(c, webKilled, webStarts, "Stopping app:api id:_old_1", "App [api:_old_1] exited with code [0] via signal [SIGINT]", webKilled)

	feed(c, "Stopping app:web id:0")
	c.Gap() // its end is among the missing lines
	c.Know([]pm2.Process{{Name: "web", PMID: 0, PID: 10, Status: "online"}})
	feed(c, webKilled, webStarts)

	c = New(opts) // knows nothing, begins while PM2 stops web
	c.Know([]pm2.Process{{Name: "web", PMID: 0, PID: 10, Status: pm2.StatusStopping}})
	feed(c, webKilled, webStarts, webKilled)
	if diff := cmp.Diff([]Reason{Operator, MemoryLimit, Signal, Signal, Unknown, Signal}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestOrphans: a process may take a moment to notice that its daemon is gone,
// and another daemon may be there by then.
func TestOrphans(t *testing.T) {
	now, lives, got := noon, map[int]bool{1: true, 2: true}, 0
	c := New(Options{
		Emit:      func(Exit) { got++ },
		Now:       func() time.Time { return now },
		OOMKilled: func(bool) Verdict { return No },
		Outlives:  func(id int) func() bool { return func() bool { return lives[id] } },
		Zone:      func() *time.Location { return nil },
	})
	c.Know([]pm2.Process{{Name: "node", PMID: 1, PID: 10, Status: "online"}, {Name: "python", PMID: 2, PID: 11, Status: "online"}})
	c.Line(daemonlog.Parse([]byte("--- New PM2 Daemon started ----")), false)
	c.Line(daemonlog.Parse([]byte("App [node:1] starting in -fork mode-")), true)
	c.Settle()
	if got != 0 {
		t.Errorf("%d ends while both live", got)
	}
	lives[1] = false
	c.Settle()
	now = now.Add(time.Minute)
	c.Settle()
	lives[2] = false
	c.Settle()
	if got != 1 {
		t.Errorf("%d ends, want that of the one that followed its daemon", got)
	}
}

// TestListedBeforeItsLine: PM2's list may tell of a start whose line is read
// later. That is no reload.
func TestListedBeforeItsLine(t *testing.T) {
	var got []Reason
	c := New(Options{
		Emit:      func(e Exit) { got = append(got, e.Reason) },
		Now:       func() time.Time { return noon },
		OOMKilled: func(bool) Verdict { return No },
		Outlives:  func(int) func() bool { return nil },
		Zone:      func() *time.Location { return nil },
	})
	c.Know([]pm2.Process{{Name: "web", PMID: 0, PID: 10, Status: "online", StartedAt: noon}})
	c.Line(daemonlog.Parse([]byte(webStarts)), true)
	c.DaemonGone(noon)
	if len(got) != 1 {
		t.Errorf("one process ran, %d ended", len(got))
	}
}

// TestOneExitForEachLine holds the guarantee for any order of lines.
func FuzzOneExitForEachLine(f *testing.F) {
	lines := []string{
		webCode0, apiCode0, webKilled, webStarts, apiStarts, notOnline, "Stopping app:web id:0", "Stopping app:api id:_old_1",
		"App [api:_old_1] exited with code [0] via signal [SIGINT]", fmt.Sprintf(memory, 1),
		"Change detected on path a for app web - restarting", "[PM2] Deregistering a cron job on: 2", "+2s",
		`Script /a.js had too many unstable restarts (16). Stopped. "errored"`, "!throw 1", "!event exit errored 0",
	}
	f.Add([]byte{0, 1, 2, 3}, true)
	f.Fuzz(func(t *testing.T, order []byte, live bool) {
		var script []string
		ends := 0
		for _, b := range order {
			line := lines[int(b)%len(lines)]
			if strings.Contains(line, "exited with code") {
				ends++
			}
			script = append(script, line)
		}
		if got := run(t, live, No, append(script, "+2s")...); len(got) != ends {
			t.Fatalf("%d ends gave %d exits: %q → %q", ends, len(got), script, got)
		}
	})
}
