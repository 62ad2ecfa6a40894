package exporter

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/pm2/exits"
	"github.com/pm25/pm25/internal/procfs"
	"github.com/pm25/pm25/internal/watch"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fixedDaemon is a daemon that always looks the same.
type fixedDaemon struct {
	view   watch.View
	ledger *ledger.Ledger
}

func (d *fixedDaemon) View(context.Context, watch.Want) watch.View { return d.view }
func (d *fixedDaemon) Label() string                               { return d.view.Label }
func (d *fixedDaemon) Ledger(f func(*ledger.Ledger))               { f(d.ledger) }

// fixedSource knows the processes of the tests.
type fixedSource map[int]procfs.Sample

func (s fixedSource) Read(pid int, _, _ time.Time) (procfs.Sample, error) {
	if sample, ok := s[pid]; ok {
		return sample, nil
	}
	return procfs.Sample{}, procfs.ErrGone
}
func (fixedSource) Retain([]int) {}
func (fixedSource) Close()       {}

type fixedHost struct{}

func (fixedHost) Facts(context.Context) (procfs.HostFacts, error) {
	return procfs.HostFacts{
		CPUs: 4, Load1: 0.5, Load5: 0.4, Load15: 0.3, MemoryTotalBytes: 8 << 30, MemoryAvailableBytes: 3 << 30, BootTimeSeconds: 1.7e9,
		Filesystems: []procfs.Filesystem{{Mountpoint: "/srv", SizeBytes: 100 << 30, AvailBytes: 40 << 30}},
	}, nil
}

type fixedAgent struct{}

func (fixedAgent) RejectedSockets() map[string]uint64 { return map[string]uint64{"not_pm2": 1} }
func (fixedAgent) StateErrors() uint64                { return 0 }
func (fixedAgent) StateRestored() bool                { return true }

// fixedShipping is a shipper that has met everything.
func fixedShipping() Shipping {
	return Shipping{
		SpoolBytes: 5 << 20, SpoolMaxBytes: 256 << 20, SpoolRecords: 3, SpoolOldest: now.Add(-time.Minute), WriteFailures: 1,
		Damaged: map[string]uint64{"torn": 17}, Queued: 2, Receipts: 9, LastReceipt: now.Add(-time.Second), DeadLetterBytes: 700,
		Records:      map[string]uint64{"exception": 12, "exit": 4},
		Acknowledged: map[string]uint64{"stored": 12, "duplicate": 1},
		Retries:      map[string]uint64{"unreachable": 2},
		Dropped:      map[[2]string]uint64{{"event", "queue_full"}: 5},
		DeadLetters:  map[string]uint64{"too_new": 1},
	}
}

func sampleOf(pid int, started time.Time) procfs.Sample {
	return procfs.Sample{
		PID: pid, StartTicks: 99, StartTime: started, UserSeconds: 12.5, SystemSeconds: 2.25, ResidentBytes: 64 << 20,
		Threads: 11, OpenFDs: 24, Children: 1, ChildrenResidentBytes: 5 << 20, ChildrenSeconds: 0.5,
	}
}

// twoDaemons is one daemon with processes in many states, and one that is down.
func twoDaemons(t *testing.T) (daemons []Daemon, source fixedSource) {
	t.Helper()
	started := now.Add(-time.Hour)
	list := []pm2.Process{
		{
			Name: "web", Namespace: "default", PMID: 0, PID: 100, UniqueID: "u0", Status: "online", Restarts: 3, StartedAt: started,
			ExecMode: "cluster", Interpreter: "node", NodeVersion: "20.20.2", Version: "1.2.0", Revision: "abc", InstanceID: "0",
			MemoryLimitBytes: 100 << 20, ExitCode: 1, HasExitCode: true,
			Latencies: []pm2.CustomMetric{{Name: "PM2's recent HTTP latency, median", Unit: "ms", Value: 3}},
			Metrics:   []pm2.CustomMetric{{Name: "Open carts", Unit: "carts", Value: 7}, {Name: "Queue \"größe\"", Value: -1.5}},
		},
		{Name: "订单服务", Namespace: "华东", PMID: 1, PID: 101, UniqueID: "u1", Status: "waiting restart", ExecMode: "fork", Interpreter: "python3", Latencies: []pm2.CustomMetric{{Name: "PM2's recent HTTP latency, median", Unit: "ms", Value: 3}}},
		{Name: "a\uFFFDb~01020304", Namespace: "default", PMID: 2, Status: "errored", UniqueID: "u2", UnstableRestarts: 2, ExecMode: "fork"},
		{Name: "odd", Namespace: "default", PMID: 3, PID: 103, UniqueID: "u3", Status: "something new", StartedAt: started, MemoryBytes: 12345},
	}
	l := ledger.New(started.Add(-time.Minute))
	l.Apply(list, now)
	list[0].Restarts = 5
	l.Exit(exits.Exit{Name: "web", PMID: 0, Reason: exits.Crash, Code: 1, At: now.Add(-time.Minute)}, now)
	l.Exit(exits.Exit{Name: "web", PMID: 0, Reason: exits.OOMKill, Code: 137, At: now}, now)
	l.Event(&pm2.Event{Kind: pm2.EventErr, Name: "web", Namespace: "default", Lines: 3}, now)
	l.Event(&pm2.Event{Kind: pm2.EventException, Name: "web", Namespace: "default"}, now)
	list[0].StartedAt, list[0].Version = started.Add(time.Minute), "1.3.0"
	l.Apply(list, now)
	reports(t, l, list[0].StartedAt)
	up := watch.View{
		Label: "deploy", Home: "/home/deploy/.pm2", Owner: "deploy", Up: true, Version: "7.0.4", Peer: discovery.Peer{PID: 50, StartTicks: 99},
		Files: []watch.AppFiles{{Key: ledger.AppKey{Namespace: "default", App: "web"}, LogBytes: [2]int64{1024, -1}, Expected: 2}},
	}
	up.Stats.Messages[pm2.EventErr] = 1
	for i := range list {
		p := &list[i]
		v := watch.ProcessView{Process: p, Key: l.Key(p), HostPID: p.PID}
		if p.Name == "odd" {
			v.HostPID = 0 // in a container
			v.CronDue = started.Add(90 * time.Minute)
		}
		up.Processes = append(up.Processes, v)
	}
	down := watch.View{Label: "deploy:old", Err: errors.New("no PM2 daemon is listening")}
	source = fixedSource{50: sampleOf(50, started), 100: sampleOf(100, started)}
	return []Daemon{&fixedDaemon{up, l}, &fixedDaemon{down, ledger.New(now)}}, source
}

// reports is what the first process says of its requests and itself.
func reports(t *testing.T, l *ledger.Ledger, started time.Time) {
	t.Helper()
	runtime := pm2.NoRuntime()
	runtime.HeapUsed, runtime.HeapTotal, runtime.HeapLimit, runtime.HeapAfterGC = 20e6, 30e6, 2e9, 15e6
	runtime.External, runtime.ArrayBuffers, runtime.Handles, runtime.Requests = 1e6, 5e5, 4, 0
	runtime.Delay, runtime.DelayMax = [7]float64{0, 0.001, 0.05, 0.002, 0.001, 0.003, 0.02}, 0.06
	runtime.GC[0] = pm2.GC{Count: 3, Sum: 2.5, Buckets: [6]uint64{0, 1, 1, 0, 0, 0}}
	runtime.Active, runtime.Idle = 12.5, 40
	at := started.Add(time.Second).UnixMilli()
	report := &pm2.Report{
		PID: 100, Start: at, Seq: 1, Full: true, HTTP: true, InFlight: 2, Collapsed: 1, Runtime: &runtime, Exceptions: &[4]uint64{1, 0, 2, 0},
		Series: []pm2.ReportSeries{
			{
				Method: "GET", Route: "/users/:id", Code: "2xx", Count: 7, Sum: 20.5, Classic: [13]uint64{0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 2}, Zero: 1,
				Native: []pm2.ReportBucket{{Index: -56, Count: 1}, {Index: -55, Count: 1}, {Index: -52, Count: 1}, {Index: 8, Count: 1}, {Index: 30, Count: 2}},
			},
			{Method: "POST", Route: "/quote\"\\größe", Code: "aborted", Count: 1, Sum: 0, Zero: 1, Classic: [13]uint64{1}},
		},
		Slow: []pm2.SlowRequest{
			{ID: "0199b5a0-0000-7000-8000-000000000001", Method: "GET", Route: "/users/:id", Code: "2xx", Seconds: 0.45, At: 1764100000456},
			{ID: "0199b5a0-0000-7000-8000-000000000002", Method: "GET", Route: "/users/:id", Code: "2xx", Seconds: 12, At: 1764100001000},
		},
	}
	if err := l.Report(&pm2.Event{Kind: pm2.EventReport, Name: "web", Namespace: "default", Report: report}, now); err != nil {
		t.Fatal(err)
	}
	l.Event(&pm2.Event{Kind: pm2.EventTransaction, Name: "odd", Namespace: "default", PMID: 3, Method: "GET", Code: "5xx"}, now)
}

func clock() time.Time { return now }

func newExporter(t *testing.T, daemons []Daemon, source procfs.Source, more ...Collector) *Exporter {
	t.Helper()
	host, err := NewHostCollector(func(func() []string) (procfs.Host, error) { return fixedHost{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Options{
		Collectors: append([]Collector{NewDaemonCollector(source), NewProcessCollector(source), NewAppCollector(), NewHTTPCollector(clock), NewNodejsCollector(clock), NewCustomCollector(1), host}, more...),
		Daemons:    func() []Daemon { return daemons }, Agent: fixedAgent{}, Shipping: fixedShipping, Logger: log.NewNopLogger(), Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func text(t *testing.T, families []*dto.MetricFamily) string {
	t.Helper()
	var b bytes.Buffer
	enc := expfmt.NewEncoder(&b, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, f := range families {
		if err := enc.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestExposition(t *testing.T) {
	daemons, source := twoDaemons(t)
	e := newExporter(t, daemons, source)
	e.Gather(t.Context(), nil) // a second scrape must not differ from the first
	got := maskBuild(text(t, e.Gather(t.Context(), nil)))
	const golden = "testdata/metrics.prom"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("exposition differs from %s (-want +got); go test ./exporter -update writes it anew\n%s", golden, diff)
	}
	problems, err := promlint.New(strings.NewReader(got)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
}

// maskBuild hides what differs between builds.
func maskBuild(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, catalog.AgentBuildInfo+"{") {
			lines[i] = catalog.AgentBuildInfo + `{goversion="go",revision="r",version="v"} 1`
		}
	}
	return strings.Join(lines, "\n")
}

// TestCatalogAndExpositionAgree holds that every metric of the catalog is
// emitted, with its type and exactly its labels and values, and nothing else.
func TestCatalogAndExpositionAgree(t *testing.T) {
	daemons, source := twoDaemons(t)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text(t, newExporter(t, daemons, source).Gather(t.Context(), nil))))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range catalog.All() {
		f, ok := families[m.Name]
		if !ok {
			t.Errorf("%s is in the catalog, but not exposed", m.Name)
			continue
		}
		delete(families, m.Name)
		want := dto.MetricType_GAUGE
		switch m.Type {
		case catalog.Counter:
			want = dto.MetricType_COUNTER
		case catalog.Histogram:
			want = dto.MetricType_HISTOGRAM
		}
		if f.GetType() != want {
			t.Errorf("%s is exposed as %s, and in the catalog a %s", m.Name, f.GetType(), m.Type)
		}
		for _, metric := range f.Metric {
			checkLabels(t, m, metric)
		}
	}
	for name := range families {
		t.Errorf("%s is exposed, but not in the catalog", name)
	}
}

func checkLabels(t *testing.T, m catalog.Metric, metric *dto.Metric) {
	t.Helper()
	want := m.LabelNames()
	slices.Sort(want)
	var got []string
	for _, pair := range metric.Label {
		got = append(got, pair.GetName())
		for _, l := range m.Labels {
			if l.Name == pair.GetName() && len(l.Values) > 0 && !slices.Contains(l.Values, pair.GetValue()) {
				t.Errorf("%s: %s=%q is not in its closed set", m.Name, l.Name, pair.GetValue())
			}
		}
	}
	if !slices.Equal(want, got) {
		t.Errorf("%s has labels %v, in the catalog %v", m.Name, got, want)
	}
}

func TestStateSetsAreComplete(t *testing.T) {
	daemons, source := twoDaemons(t)
	for _, f := range newExporter(t, daemons, source).Gather(t.Context(), []string{"process"}) {
		if f.GetName() != catalog.ProcessState {
			continue
		}
		sums, counts := map[string]float64{}, map[string]int{}
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if l.GetName() == "pm_id" {
					sums[l.GetValue()] += m.Gauge.GetValue()
					counts[l.GetValue()]++
				}
			}
		}
		for id, sum := range sums {
			if sum != 1 || counts[id] != len(catalog.States()) {
				t.Errorf("process %s: %v states set of %d", id, sum, counts[id])
			}
		}
		return
	}
	t.Fatal("no states")
}

// faulty misbehaves as told.
type faulty struct {
	collect func(ctx context.Context) error
}

func (faulty) Name() string { return "host2" }
func (f faulty) Collect(ctx context.Context, _ *Input, _ *Sink) error {
	return f.collect(ctx)
}

func TestAFaultyCollectorCostsOnlyItself(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for name, collect := range map[string]func(context.Context) error{
		"panic": func(context.Context) error { panic("broken") },
		"error": func(context.Context) error { return errors.New("broken") },
		"slow":  func(context.Context) error { <-release; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			daemons, source := twoDaemons(t)
			e := newExporter(t, daemons, source, faulty{collect})
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			got := text(t, e.Gather(ctx, nil))
			for _, want := range []string{
				`pm25_agent_collector_success{collector="host2"} 0`, `pm25_agent_collector_success{collector="process"} 1`, `pm2_up{daemon="deploy"} 1`,
			} {
				if !strings.Contains(got, want) {
					t.Errorf("missing %s", want)
				}
			}
			timeouts := `pm25_agent_collector_timeouts_total{collector="host2"} 1`
			if strings.Contains(got, timeouts) != (name == "slow") {
				t.Errorf("%s: %v", timeouts, name)
			}
		})
	}
}

func TestHandler(t *testing.T) {
	daemons, source := twoDaemons(t)
	h := newExporter(t, daemons, source).Handler(HandlerOptions{})
	for name, c := range map[string]struct {
		query, header string
		status        int
		body          string
	}{
		"all":                   {"", "10", http.StatusOK, "pm2_host_cpus"},
		"one collector":         {"?collect[]=daemon", "", http.StatusOK, "pm2_up"},
		"unknown collector":     {"?collect[]=nope", "", http.StatusBadRequest, "there are: daemon, process, app, http, nodejs, custom, host"},
		"timeout of no seconds": {"", "soon", http.StatusBadRequest, "no number of seconds"},
		"negative timeout":      {"", "-1", http.StatusBadRequest, "no number of seconds"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics"+c.query, nil)
			if c.header != "" {
				r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", c.header)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
				t.Errorf("%d %.200s", w.Code, w.Body)
			}
			if name == "one collector" && strings.Contains(w.Body.String(), "pm2_process_") {
				t.Error("collect[] did not narrow the answer")
			}
		})
	}
}

func TestOpenMetricsTellsWhenCountersBegan(t *testing.T) {
	daemons, source := twoDaemons(t)
	for _, created := range []bool{false, true} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		r.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
		w := httptest.NewRecorder()
		newExporter(t, daemons, source).Handler(HandlerOptions{Created: created}).ServeHTTP(w, r)
		if strings.Contains(w.Body.String(), "pm2_app_exits_created{") != created || !strings.HasSuffix(w.Body.String(), "# EOF\n") {
			t.Errorf("OpenMetrics, created %v: %.300s", created, w.Body)
		}
	}
}
