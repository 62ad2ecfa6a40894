package agenttest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/app"
	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/record"
)

// records keeps what an agent recorded.
type records struct {
	mu  sync.Mutex
	all []*record.Record
}

func (r *records) Offer(rec *record.Record) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, rec)
	return true
}

func (r *records) of(app string) (out []*record.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.all {
		if rec.App == app {
			out = append(out, rec)
		}
	}
	return out
}

// told is what is left of an app's records of some kinds, in order of time.
func (r *records) told(app string, kinds ...record.Kind) []string {
	var out []string
	of := r.of(app)
	slices.SortStableFunc(of, func(a, b *record.Record) int { return a.Time().Compare(b.Time()) })
	for _, rec := range of {
		if !slices.Contains(kinds, rec.Kind) {
			continue
		}
		line := string(rec.Kind)
		switch {
		case rec.Exception != nil:
			e := rec.Exception
			line = fmt.Sprintf("%s: %s ×%d %s %s", e.Name, firstLine(e.Message), rec.Count(), rec.Source, e.Mechanism)
		case rec.Exit != nil:
			line = fmt.Sprintf("exit %s %d %s", rec.Exit.Reason, rec.Exit.Code, rec.Exit.Signal)
		case rec.Deploy != nil:
			line = fmt.Sprintf("deploy %s → %s", rec.Deploy.FromVersion, rec.Version)
		case rec.Event != nil:
			line = fmt.Sprintf("event %s %s", rec.Event.Name, rec.Event.Data)
		}
		out = append(out, strings.TrimSpace(line))
	}
	return out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// watching is an agent in this process that records.
type watching struct {
	t *testing.T
	*records
	agent *app.Agent
}

func watchAndRecord(t *testing.T, d *pm2test.Daemon, state string) *watching {
	t.Helper()
	w := &watching{t: t, records: &records{}}
	w.start(d, state)
	return w
}

func (w *watching) start(d *pm2test.Daemon, state string) {
	w.t.Helper()
	_, slogger := app.NewLoggers("error", "logfmt")
	on := map[string]bool{}
	for _, c := range catalog.Collectors() {
		on[c] = true
	}
	agent, err := app.NewAgent(app.Options{
		Homes: []string{"r=" + d.Home()}, ForgetAfter: time.Hour, StateDir: state, TelemetryPath: "/metrics", Collectors: on, CustomPerProcess: 100,
		Record: app.RecordOptions{Sink: w.records, Host: "h1", LogLines: 20}, Logger: log.NewNopLogger(), Slog: slogger, Now: time.Now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := agent.Start(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.agent = agent
}

func (w *watching) stop() {
	w.t.Helper()
	if w.agent == nil {
		return
	}
	if err := w.agent.Stop(); err != nil {
		w.t.Error(err)
	}
	w.agent.Close()
	w.agent = nil
}

func (w *watching) scrape() metrics {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.agent.Metrics().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return parse(w.t, rec.Body.String())
}

// want waits until an app's records of some kinds are these.
func (w *watching) want(app string, kinds []record.Kind, want ...string) {
	w.t.Helper()
	pm2test.Eventually(w.t, 15*time.Second, func() error {
		got := w.told(app, kinds...)
		sorted := slices.Clone(want)
		slices.Sort(got)
		slices.Sort(sorted)
		if !slices.Equal(got, sorted) {
			return fmt.Errorf("%s: %q, want %q", app, got, sorted)
		}
		return nil
	})
}

var (
	exceptionsOnly = []record.Kind{record.Exception}
	faults         = []record.Kind{record.Exception, record.Exit}
	life           = []record.Kind{record.Exit, record.Start, record.Restart, record.Stop, record.Reload, record.Delete, record.Deploy}
)

// TestRecords: what apps under the real PM2 do is recorded once each.
func TestRecords(t *testing.T) {
	d := pm2test.New(t, pm2test.Options{Env: []string{"PM2_WORKER_INTERVAL=1000"}})
	dir := t.TempDir()
	syntax := filepath.Join(dir, "syntax.js")
	write(t, syntax, "const a = ;\n")
	once := map[string]any{"autorestart": false}
	throw := []pm2test.Cmd{{"do": "throw", "type": "TypeError", "message": "boom", "code": "EBOOM", "after": 1000}}
	reject := []pm2test.Cmd{{"do": "reject", "message": "rejected", "after": 1000}}
	text := []pm2test.Cmd{{"do": "reject", "value": "just a string", "after": 1000}}
	notify := []pm2test.Cmd{{"do": "emit", "type": "process:exception", "data": map[string]any{"message": "declined", "name": "Error", "stack": "Error: declined\n    at pay (" + dir + "/pay.js:3:1)", "metadata": map[string]any{"custom": map[string]any{"order": 7}}}, "after": 1000}}
	ext := []string{"--require", filepath.Join(pm2test.Root(), "ext", "register.cjs")}
	w := watchAndRecord(t, d, t.TempDir())
	defer w.stop()
	noPMX := map[string]any{"autorestart": false, "pmx": false}
	d.App(t,
		pm2test.AppSpec{Name: "throw-fork", Do: throw, Extra: once},
		pm2test.AppSpec{Name: "throw-cluster", Do: throw, Cluster: 1, Extra: once},
		pm2test.AppSpec{Name: "throw-ext-fork", Do: throw, Extra: once, NodeArgs: ext},
		pm2test.AppSpec{Name: "throw-ext-cluster", Do: throw, Cluster: 1, Extra: once, NodeArgs: ext},
		pm2test.AppSpec{Name: "reject-fork", Do: reject},
		pm2test.AppSpec{Name: "reject-cluster", Do: reject, Cluster: 1},
		pm2test.AppSpec{Name: "reject-ext-fork", Do: reject, NodeArgs: ext},
		pm2test.AppSpec{Name: "text-fork", Do: text},
		pm2test.AppSpec{Name: "text-cluster", Do: text, Cluster: 1},
		pm2test.AppSpec{Name: "text-ext-cluster", Do: text, Cluster: 1, NodeArgs: ext},
		pm2test.AppSpec{Name: "notify", Do: notify},
		pm2test.AppSpec{Name: "syntax", Script: syntax, Extra: map[string]any{"max_restarts": 2, "min_uptime": 100000}},
		pm2test.AppSpec{Name: "nopmx", Do: throw, Extra: noPMX},
		pm2test.AppSpec{Name: "heap", NodeArgs: []string{"--max-old-space-size=20"}, Do: []pm2test.Cmd{{"do": "oom", "after": 1000}}, Extra: once},
		pm2test.AppSpec{Name: "leak", Do: []pm2test.Cmd{{"do": "leak", "mb": 100, "after": 1000}}, Extra: map[string]any{"max_memory_restart": "120M"}},
		pm2test.AppSpec{Name: "own", Do: []pm2test.Cmd{{"do": "emit", "type": "order:placed", "data": map[string]any{"order": 42}, "after": 1000}}},
	)
	const crashed = "exit crash 1"
	for _, name := range []string{"throw-fork", "throw-cluster"} {
		w.want(name, faults, "TypeError: boom ×1 pm2 uncaught", crashed)
	}
	for _, name := range []string{"throw-ext-fork", "throw-ext-cluster"} {
		w.want(name, faults, "TypeError: boom ×1 ext uncaught", crashed)
	}
	w.want("reject-fork", faults, "Error: rejected ×1 pm2 unknown")
	w.want("reject-cluster", faults, "Error: rejected ×1 pm2 unknown")
	w.want("reject-ext-fork", faults, "Error: rejected ×1 ext rejection")
	w.want("text-fork", faults, "NonError: just a string ×1 pm2 unknown")
	w.want("text-cluster", faults, "NonError: just a string ×1 pm2 unknown")
	w.want("text-ext-cluster", faults, "NonError: just a string ×1 ext rejection")
	w.want("notify", faults, "Error: declined ×1 pm2 notified")
	w.want("heap", faults, "exit crash 134 SIGABRT")
	w.want("own", []record.Kind{record.Event}, `event order:placed {"order":42}`)
	pm2test.Eventually(t, 15*time.Second, func() error { // it does so again and again
		if ends := w.told("leak", record.Exit); len(ends) == 0 || ends[0] != "exit memory_limit 0" {
			return fmt.Errorf("leak: %q", ends)
		}
		return nil
	})
	w.want("nopmx", faults, "TypeError: boom ×1 log logged", crashed)
	w.syntaxError()
	w.sameAsMetrics()
	w.stop()
	w.wellFormed("throw-fork", "throw-cluster", "throw-ext-fork", "throw-ext-cluster")
}

// syntaxError: a script that can not start is tried and given up; the throws
// are one kind.
func (w *watching) syntaxError() {
	w.t.Helper()
	w.want("syntax", []record.Kind{record.Exit}, "exit crash 1", "exit errored 1")
}

// sameAsMetrics: the records of an app stand for as many exceptions as its
// counters.
func (w *watching) sameAsMetrics() {
	w.t.Helper()
	pm2test.Eventually(w.t, 10*time.Second, func() error {
		m := w.scrape()
		for _, s := range m.find("pm2_app_exceptions_total") {
			name, handled := label(s, "app"), label(s, "handled")
			var n uint64
			for _, r := range w.of(name) {
				if e := r.Exception; e != nil && fmt.Sprint(e.Handled) == handled && e.Mechanism != record.Logged {
					n += r.Count()
				}
			}
			if want := uint64(s.GetCounter().GetValue()); n != want {
				return fmt.Errorf("%s, handled=%s: records stand for %d exceptions, the counter says %d", name, handled, n, want)
			}
		}
		return nil
	})
}

// wellFormed: all records pass a server's check, and those of throws say where
// and by whom.
func (w *watching) wellFormed(throwers ...string) {
	w.t.Helper()
	ids := map[string]bool{}
	for _, r := range w.all {
		if refusal := r.Check(time.Now()); refusal != nil {
			w.t.Errorf("%s of %s: %s", r.Kind, r.App, refusal.Error)
		}
		if ids[r.ID] {
			w.t.Errorf("two records have one id: %s of %s", r.Kind, r.App)
		}
		ids[r.ID] = true
	}
	for _, name := range throwers {
		for _, r := range w.of(name) {
			if r.Host != "h1" || r.Daemon != "r" || r.Namespace != "default" || r.Started == 0 || r.Mode == "" {
				w.t.Errorf("%s of %s: %+v", r.Kind, name, r)
			}
			if (r.Kind == record.Exception || r.Kind == record.Exit) && !slices.ContainsFunc(r.Logs, func(l record.LogLine) bool { return strings.Contains(l.Text, "boom") }) {
				w.t.Errorf("%s of %s has the lines %+v", r.Kind, name, r.Logs)
			}
			if e := r.Exception; e != nil {
				if len(e.Frames) == 0 || !strings.Contains(e.Culprit, "app.js") || e.Code != "EBOOM" && name != "throw-fork" { // where PM2 leaves it out
					w.t.Errorf("%s: culprit %q, code %q, frames %+v", name, e.Culprit, e.Code, e.Frames)
				}
			}
		}
	}
	if os.Getenv("PM25_SHOW_RECORDS") != "" {
		for _, r := range w.all {
			w.t.Logf("%s %s/%s:%d %s %s", r.Kind, r.Namespace, r.App, r.PMID, r.Version, r.Line())
		}
	}
}

// storm rejects often and lives on.
const storm = `
let left = 2000;
const timer = setInterval(() => {
  for (let i = 0; i < 20 && left > 0; i++, left--) Promise.reject(new Error('storm ' + left));
  if (left === 0) clearInterval(timer);
}, 20);
setInterval(() => {}, 1000);
`

// TestStormOfExceptions: few records stand for all throws, whoever tells of
// them.
func TestStormOfExceptions(t *testing.T) {
	d := pm2test.New(t, pm2test.Options{})
	script := filepath.Join(t.TempDir(), "storm.js")
	write(t, script, storm)
	ext := []string{"--require", filepath.Join(pm2test.Root(), "ext", "register.cjs")}
	w := watchAndRecord(t, d, t.TempDir())
	defer w.stop()
	d.App(t,
		pm2test.AppSpec{Name: "fork", Script: script}, pm2test.AppSpec{Name: "cluster", Script: script, Cluster: 2},
		pm2test.AppSpec{Name: "ext-fork", Script: script, NodeArgs: ext}, pm2test.AppSpec{Name: "ext-cluster", Script: script, Cluster: 2, NodeArgs: ext},
	)
	throws := map[string]uint64{"fork": 2000, "cluster": 4000, "ext-fork": 2000, "ext-cluster": 4000}
	pm2test.Eventually(t, 30*time.Second, func() error {
		m := w.scrape()
		for name, want := range throws {
			if v, _ := m.value("pm2_app_exceptions_total", "app", name, "handled", "false"); v != float64(want) {
				return fmt.Errorf("%s: %v exceptions are counted, want %d", name, v, want)
			}
		}
		return nil
	})
	w.stop() // which records what waits
	for name, want := range throws {
		var n uint64
		records := 0
		for _, r := range w.of(name) {
			if r.Kind == record.Exception {
				n += r.Count()
				records++
				t.Logf("%s: ×%d %s %s %v %q %s %s", name, r.Count(), r.Source, r.Exception.Mechanism, r.Exception.Handled, r.Exception.Title, r.Exception.Fingerprint[:8], r.Exception.Stack)
			}
		}
		if n != want || records > 6 {
			t.Errorf("%s: %d records stand for %d throws, want %d", name, records, n, want)
		}
	}
}

// TestLifecycleRecords: what an operator does.
func TestLifecycleRecords(t *testing.T) {
	d := pm2test.New(t, pm2test.Options{})
	dir := t.TempDir()
	version := func(v string) { write(t, filepath.Join(dir, "package.json"), `{"name":"shop","version":"`+v+`"}`) }
	version("1.0.0")
	write(t, filepath.Join(dir, "shop.js"), "setInterval(() => {}, 1000)\n")
	state := t.TempDir()
	w := watchAndRecord(t, d, state)
	defer func() { w.stop() }()
	d.App(t, pm2test.AppSpec{Name: "web"}, pm2test.AppSpec{Name: "api", Cluster: 2}, pm2test.AppSpec{Name: "shop", Script: filepath.Join(dir, "shop.js"), Cluster: 2})
	w.want("web", life, "start")
	w.want("api", life, "start", "start")
	d.Must(t, "restart", "web")
	w.want("web", life, "start", "exit operator 0", "restart")
	d.Must(t, "stop", "web")
	w.want("web", life, "start", "exit operator 0", "restart", "exit operator 0", "stop")
	d.Must(t, "start", "web")
	d.Must(t, "reload", "api")
	w.want("web", life, "start", "exit operator 0", "restart", "exit operator 0", "stop", "start")
	w.want("api", life, "start", "start", "restart", "restart", "exit reload 0", "exit reload 0", "reload")
	version("1.1.0")
	d.Must(t, "reload", "shop")
	w.want("shop", []record.Kind{record.Deploy}, "deploy 1.0.0 → 1.1.0")
	w.scrape()
	w.stop()
	version("1.2.0") // while the agent is away
	d.Must(t, "restart", "shop")
	d.Must(t, "restart", "web")
	w.start(d, state)
	w.want("shop", []record.Kind{record.Deploy}, "deploy 1.0.0 → 1.1.0", "deploy 1.1.0 → 1.2.0")
	w.want("web", []record.Kind{record.Exit}, "exit operator 0", "exit operator 0", "exit operator 0")
	d.Must(t, "delete", "api")
	pm2test.Eventually(t, 10*time.Second, func() error {
		w.scrape()
		if n := len(w.told("api", record.Delete)); n != 2 {
			return fmt.Errorf("%d are deleted", n)
		}
		return nil
	})
	w.stop()
	for _, r := range w.all {
		if refusal := r.Check(time.Now()); refusal != nil {
			t.Errorf("%s of %s: %s", r.Kind, r.App, refusal.Error)
		}
	}
}
