package pages

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/util/teststorage"

	"github.com/pm25/pm25/internal/alertmanager"
)

const scrapeEvery = 15 * time.Second

// world is a Prometheus storage with what agents would have been scraped for,
// and an engine on it. now is the end of what was loaded.
type world struct {
	t       testing.TB
	storage *teststorage.TestStorage
	engine  *promql.Engine
	now     time.Time
	hosts   []*fakeHost
	alerts  []map[string]string
	queries int
	past    int // of the queries: about a moment before now
	fail    func(expr string) error
}

// fakeHost is one machine with one PM2 daemon or more.
type fakeHost struct {
	name     string
	instance string // empty: NAME:9209
	daemons  []string
	gone     time.Duration // how long ago it was seen last; 0: it is there
	down     string        // a daemon that does not answer, the host does
	apps     []fakeApp
}

// fakeApp is an app with workers that are all alike.
type fakeApp struct {
	daemon, namespace, name, mode, version, state string
	ids                                           []int
	age                                           time.Duration
	cpu, memory, children                         float64
	restarts                                      map[int]float64    // by id, of each: in the last five minutes
	exits                                         map[string]float64 // in the last five minutes
	born                                          time.Duration      // how long ago it was first seen; 0: always
	before                                        float64            // what the counters showed at first
}

func newWorld(t testing.TB, hosts ...*fakeHost) *world {
	w := &world{
		t: t, storage: teststorage.New(t), hosts: hosts, now: time.Now().UTC().Truncate(time.Minute),
		engine: promqltest.NewTestEngineWithOpts(t, promql.EngineOpts{
			MaxSamples: 10_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute,
			EnableAtModifier: true, EnableNegativeOffset: true, Parser: parser.NewParser(parser.Options{}),
		}),
	}
	return w
}

// load writes what was scraped in the time before now.
func (w *world) load(span time.Duration) *world {
	app := w.storage.Appender(w.t.Context())
	for at := w.now.Add(-span); !at.After(w.now); at = at.Add(scrapeEvery) {
		put := func(f float64, name string, more ...string) {
			if _, err := app.Append(0, labels.FromStrings(append([]string{model.MetricNameLabel, name}, more...)...), at.UnixMilli(), f); err != nil {
				w.t.Fatal(err)
			}
		}
		for _, h := range w.hosts {
			h.scrape(put, w.now.Sub(at))
		}
		for _, a := range w.alerts {
			var more []string
			for name, v := range maps.All(a) {
				more = append(more, name, v)
			}
			put(float64(w.now.Add(-4*time.Minute).Unix()), "ALERTS_FOR_STATE", more...)
			put(1, "ALERTS", append(more, "alertstate", "firing")...)
		}
	}
	if err := app.Commit(); err != nil {
		w.t.Fatal(err)
	}
	return w
}

type putFunc func(f float64, name string, more ...string)

// scrape writes what the agent of a host says, some time ago.
func (h *fakeHost) scrape(put putFunc, ago time.Duration) {
	target := []string{"job", "pm2", "instance", cmp.Or(h.instance, h.name+":9209"), "host", h.name}
	on := func(f float64, name string, more ...string) {
		put(f, name, append(append([]string{}, target...), more...)...)
	}
	if h.gone > 0 && ago < h.gone {
		on(0, "up")
		if ago > h.gone-2*scrapeEvery { // the rest is stale from the first failed scrape on
			h.series(func(_ float64, name string, more ...string) { on(math.Float64frombits(value.StaleNaN), name, more...) }, ago)
		}
		return
	}
	on(1, "up")
	h.series(on, ago)
}

func (h *fakeHost) series(on putFunc, ago time.Duration) {
	on(8, "pm2_host_cpus")
	on(1.4, "pm2_host_load1")
	on(16<<30, "pm2_host_memory_total_bytes")
	on(9<<30, "pm2_host_memory_available_bytes")
	on(100<<30, "pm2_host_filesystem_size_bytes", "mountpoint", "/")
	on(62<<30, "pm2_host_filesystem_avail_bytes", "mountpoint", "/")
	for _, d := range h.daemons {
		if d == h.down && ago < 3*time.Minute {
			on(0, "pm2_up", "daemon", d)
			continue
		}
		on(1, "pm2_up", "daemon", d)
		for _, a := range h.apps {
			if a.daemon == d || a.daemon == "" && d == h.daemons[0] {
				a.series(on, d, ago)
			}
		}
	}
}

func (a fakeApp) series(on putFunc, daemon string, ago time.Duration) {
	if a.born > 0 && ago > a.born {
		return
	}
	base := []string{"daemon", daemon, "pm2_namespace", or(a.namespace, "default"), "app", a.name}
	of := func(more ...string) []string { return append(append([]string{}, base...), more...) }
	// Counters grow evenly over the last five minutes.
	part := min(1, max(0, 1-ago.Seconds()/300))
	for _, id := range a.ids {
		pid := of("pm_id", fmt.Sprint(id))
		for _, s := range []string{"online", "launching", "stopping", "stopped", "errored", "waiting_restart", "one_launch", "other"} {
			is := 0.0
			if s == or(a.state, "online") {
				is = 1
			}
			on(is, "pm2_process_state", append(pid, "state", s)...)
		}
		on(1, "pm2_process_info", append(pid, "exec_mode", or(a.mode, "fork"), "version", or(a.version, "N/A"))...)
		on(a.before+math.Floor(a.restarts[id]*part), "pm2_process_restarts_total", pid...)
		if a.age == 0 {
			continue
		}
		on(float64(time.Now().UTC().Truncate(time.Minute).Add(-a.age).Unix()), "pm2_process_start_time_seconds", pid...)
		on(a.memory, "pm2_process_resident_memory_bytes", pid...)
		on(a.children, "pm2_process_children_resident_memory_bytes", pid...)
		on((1e6-ago.Seconds())*a.cpu*0.8, "pm2_process_cpu_seconds_total", append(pid, "mode", "user")...)
		on((1e6-ago.Seconds())*a.cpu*0.2, "pm2_process_cpu_seconds_total", append(pid, "mode", "system")...)
	}
	for _, reason := range []string{"crash", "signal", "oom_kill", "memory_limit", "errored", "operator", "reload", "watch", "cron", "clean", "unknown"} {
		on(a.before+math.Floor(a.exits[reason]*part), "pm2_app_exits_total", of("reason", reason)...)
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (w *world) Query(ctx context.Context, expr string, at time.Time) (parser.Value, error) {
	w.queries++
	if at.Before(w.now) {
		w.past++
	}
	if w.fail != nil {
		if err := w.fail(expr); err != nil {
			return nil, err
		}
	}
	q, err := w.engine.NewInstantQuery(ctx, w.storage, nil, expr, at)
	if err != nil {
		return nil, err
	}
	r := q.Exec(ctx)
	return r.Value, r.Err
}

func (w *world) QueryRange(ctx context.Context, expr string, start, end time.Time, step time.Duration) (parser.Value, error) {
	q, err := w.engine.NewRangeQuery(ctx, w.storage, nil, expr, start, end, step)
	if err != nil {
		return nil, err
	}
	r := q.Exec(ctx)
	return r.Value, r.Err
}

// newAlertmanager runs one that tells nobody.
func newAlertmanager(t testing.TB) *alertmanager.Server {
	conf, err := alertmanager.Default("")
	if err != nil {
		t.Fatal(err)
	}
	s, err := alertmanager.New(alertmanager.Options{
		Dir: t.TempDir(), ExternalURL: &url.URL{Scheme: "http", Host: "127.0.0.1:9725", Path: "/alertmanager"},
		Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	}, conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// tell sends an alert to an Alertmanager as Prometheus would.
func tell(t testing.TB, s *alertmanager.Server, alerts string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/api/v2/alerts", strings.NewReader(alerts))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("telling an alert: %d %s", w.Code, w.Body)
	}
}

func newPages(t testing.TB, w *world, a Alerts) *Pages {
	p, err := New(Options{
		Metrics: w, Alerts: a, Notices: func() []Notice { return nil }, Job: "pm2", Version: "1.0.0",
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// get asks for a page, in English unless the address says otherwise.
func get(t testing.TB, p *Pages, address string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, address, nil)
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, r)
	return w
}

func post(t testing.TB, p *Pages, address string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, r)
	return w
}

// demo is a host as newcomers have it: nine processes, one of them crashes
// again and again.
func demo() *fakeHost {
	return &fakeHost{name: "web-1", daemons: []string{"deploy"}, apps: []fakeApp{
		{name: "shop-api", mode: "cluster", version: "2.4.1", ids: []int{0, 1, 2, 3}, age: 75 * time.Hour, cpu: 0.11, memory: 96 << 20, restarts: map[int]float64{0: 1, 1: 1, 2: 1, 3: 1}, exits: map[string]float64{"reload": 4}},
		{name: "mailer", version: "1.0.3", ids: []int{4}, age: 9 * time.Second, cpu: 0.42, memory: 41 << 20, restarts: map[int]float64{4: 14}, exits: map[string]float64{"crash": 14}, before: 3},
		{name: "worker", version: "2.4.1", ids: []int{5}, age: 26 * time.Hour, cpu: 0.31, memory: 212 << 20, children: 85 << 20},
		{name: "nightly-report", version: "1.0.0", ids: []int{6}, state: "stopped", exits: map[string]float64{"clean": 1}},
		{name: "images", version: "0.9.2", ids: []int{7}, age: 12 * time.Minute, cpu: 0.05, memory: 488 << 20, restarts: map[int]float64{7: 1}, exits: map[string]float64{"memory_limit": 1}},
		{name: "legacy-sync", version: "0.1.0", ids: []int{8}, state: "errored", restarts: map[int]float64{8: 15}, exits: map[string]float64{"crash": 15, "errored": 1}},
	}}
}

const demoAlerts = `[
 {"labels":{"alertname":"PM2CrashLoop","severity":"critical","scope":"app","job":"pm2","instance":"web-1:9209","host":"web-1","daemon":"deploy","pm2_namespace":"default","app":"mailer"},
  "annotations":{"summary":"mailer on web-1 is in a crash loop","runbook_url":"http://127.0.0.1:9725/runbooks/PM2CrashLoop"},
  "generatorURL":"http://127.0.0.1:9725/prometheus/graph?g0.expr=sum+by+%28host%2C+app%29+%28increase%28pm2_app_exits_total%7Breason%3D~%22crash%7Csignal%22%7D%5B10m%5D%29%29+%3E+3.9&g0.tab=1"},
 {"labels":{"alertname":"PM2ProcessErrored","severity":"critical","scope":"process","job":"pm2","instance":"web-1:9209","host":"web-1","daemon":"deploy","pm2_namespace":"default","app":"legacy-sync","pm_id":"8"},
  "annotations":{"summary":"legacy-sync (id 8) on web-1 is errored: PM2 has given up on it","runbook_url":"http://127.0.0.1:9725/runbooks/PM2ProcessErrored"},
  "generatorURL":"http://127.0.0.1:9725/prometheus/graph?g0.expr=pm2_process_state%7Bstate%3D%22errored%22%7D+%3D%3D+1&g0.tab=1"}
]`

func demoFiring() []map[string]string {
	return []map[string]string{
		{"alertname": "PM2CrashLoop", "severity": "critical", "scope": "app", "job": "pm2", "instance": "web-1:9209", "host": "web-1", "daemon": "deploy", "pm2_namespace": "default", "app": "mailer"},
		{"alertname": "PM2ProcessErrored", "severity": "critical", "scope": "process", "job": "pm2", "instance": "web-1:9209", "host": "web-1", "daemon": "deploy", "pm2_namespace": "default", "app": "legacy-sync", "pm_id": "8"},
	}
}
