package prom

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql"

	"github.com/pm25/pm25/internal/memnet"
)

// patience is how long a test waits for what takes milliseconds on a machine at rest.
const patience = 20 * time.Second

// scraping is a configuration with one target at target.in-process.
const scraping = `
global: {scrape_interval: 100ms, scrape_timeout: 100ms, evaluation_interval: 100ms}
scrape_configs:
  - job_name: app
    scrape_native_histograms: true
    always_scrape_classic_histograms: true
    scrape_protocols: [PrometheusProto, OpenMetricsText1.0.0, PrometheusText0.0.4]
    static_configs: [{targets: ["target.in-process:80"]}]
`

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// rig is a Server with what it needs.
type rig struct {
	*Server
	opts Options
	net  *memnet.Network
	log  *logBuffer
}

func load(t *testing.T, text string) *config.Config {
	t.Helper()
	conf, err := config.Load(text, promslog.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

func options(t *testing.T, dir string) (Options, *memnet.Network, *logBuffer) {
	t.Helper()
	base, err := url.Parse("http://pm25.test:9725/")
	if err != nil {
		t.Fatal(err)
	}
	network, log := memnet.New(), &logBuffer{}
	return Options{
		Dir: dir, BaseURL: base, Dial: network.DialContext, Registry: prometheus.NewRegistry(),
		Logger: slog.New(slog.NewTextHandler(log, nil)), Now: time.Now,
	}, network, log
}

// open makes a Server that ends with the test.
func open(t *testing.T, text string, change ...func(*Options)) *rig {
	t.Helper()
	o, network, log := options(t, filepath.Join(t.TempDir(), "tsdb"))
	for _, f := range change {
		f(&o)
	}
	s, err := Open(o, load(t, text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("closing: %v", err)
		}
		if t.Failed() {
			t.Log(log)
		}
	})
	return &rig{s, o, network, log}
}

// serve answers at host.in-process until the test ends.
func serve(t *testing.T, network *memnet.Network, host string, h http.Handler) {
	t.Helper()
	server := &http.Server{Handler: h}
	go server.Serve(network.Listen(host))
	t.Cleanup(func() { server.Close() })
}

// target is an application with one counter.
func target(t *testing.T, network *memnet.Network) prometheus.Counter {
	t.Helper()
	orders := prometheus.NewCounter(prometheus.CounterOpts{Name: "orders_total", Help: "Orders."})
	took := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "took_seconds", Help: "Time.", NativeHistogramBucketFactor: 1.1})
	registry := prometheus.NewRegistry()
	registry.MustRegister(orders, took)
	took.(prometheus.ExemplarObserver).ObserveWithExemplar(0.2, prometheus.Labels{"trace_id": "abc"})
	serve(t, network, "target", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return orders
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %s for this: %s", patience, what)
		}
	}
}

// vector is the result of an instant query.
func (r *rig) vector(t *testing.T, expr string) promql.Vector {
	t.Helper()
	v, err := r.Query(t.Context(), expr, time.Now())
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return v.(promql.Vector)
}

// has tells whether a query gives anything.
func (r *rig) has(t *testing.T, expr string) bool {
	t.Helper()
	return len(r.vector(t, expr)) > 0
}

func TestScrapeStoresAllThatATargetTells(t *testing.T) {
	r := open(t, scraping)
	orders := target(t, r.net)
	orders.Add(7)
	r.Start()
	until(t, "the counter is scraped", func() bool { return r.has(t, "orders_total == 7") })

	v, err := r.Query(t.Context(), "orders_total[5m]", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	points := v.(promql.Matrix)[0].Floats
	if points[0].F != 0 || points[1].F != 7 {
		t.Errorf("the counter begins with %v, not with 0 at its creation and then 7", points)
	}
	h := r.vector(t, `took_seconds`)
	if len(h) != 1 || h[0].H == nil || h[0].H.Count != 1 {
		t.Errorf("native histogram: %v", h)
	}
	if !r.has(t, `took_seconds_bucket{le="+Inf"} == 1`) {
		t.Error("the classic buckets are missing")
	}
	querier, err := r.db.ExemplarQuerier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expr, err := r.parser.ParseExpr(`took_seconds_bucket`)
	if err != nil {
		t.Fatal(err)
	}
	found, err := querier.Select(0, time.Now().UnixMilli(), selectors(expr)...)
	if err != nil || len(found) == 0 || found[0].Exemplars[0].Labels.Get("trace_id") != "abc" {
		t.Errorf("exemplars: %v, %v", found, err)
	}
}

func TestQueryRange(t *testing.T) {
	r := open(t, scraping)
	target(t, r.net)
	r.Start()
	until(t, "the target is up", func() bool { return r.has(t, "up == 1") })
	now := time.Now()
	v, err := r.QueryRange(t.Context(), "vector(2)", now.Add(-time.Minute), now, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	m := v.(promql.Matrix)
	// Another query takes the memory that this one has given back.
	if _, err := r.QueryRange(t.Context(), "vector(9)", now.Add(-time.Minute), now, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	if len(m) != 1 || len(m[0].Floats) != 3 || m[0].Floats[0].F != 2 {
		t.Errorf("got %v", m)
	}
	for _, bad := range []struct {
		span, step time.Duration
	}{{time.Minute, 0}, {time.Minute, -time.Second}, {-time.Minute, time.Second}, {12 * time.Hour, time.Second}} {
		if _, err := r.QueryRange(t.Context(), "up", now.Add(-bad.span), now, bad.step); err == nil {
			t.Errorf("%s by %s is taken", bad.span, bad.step)
		}
	}
	if _, err := r.Query(t.Context(), "up{", now); err == nil || !strings.Contains(err.Error(), "parse error") {
		t.Errorf("a broken expression: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	o, _, _ := options(t, t.TempDir())
	for name, change := range map[string]func(*Options){
		"no folder":          func(o *Options) { o.Dir = "" },
		"no address":         func(o *Options) { o.BaseURL = nil },
		"no dialer":          func(o *Options) { o.Dial = nil },
		"no registry":        func(o *Options) { o.Registry = nil },
		"no logger":          func(o *Options) { o.Logger = nil },
		"no clock":           func(o *Options) { o.Now = nil },
		"negative retention": func(o *Options) { o.Retention = -time.Hour },
		"negative size":      func(o *Options) { o.RetentionSize = -1 },
	} {
		bad := o
		change(&bad)
		if _, err := Open(bad, load(t, scraping)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	o.Rules = map[string]string{"builtin/a.yml": "groups: [{name: a, rules: [{record: b, expr: 'sum('}]}]"}
	if _, err := Open(o, load(t, scraping)); err == nil || !strings.Contains(err.Error(), "builtin/a.yml") {
		t.Errorf("a broken built-in rule: %v", err)
	}
}

func TestOpenGivesUpTheStorageWhenItFails(t *testing.T) {
	o, _, _ := options(t, t.TempDir())
	o.Registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "prometheus_sd_discovered_targets"}))
	if _, err := Open(o, load(t, scraping)); err == nil {
		t.Fatal("a second metric of this name is taken")
	}
	o.Registry = prometheus.NewRegistry()
	s, err := Open(o, load(t, scraping))
	if err != nil {
		t.Fatalf("the folder is still held: %v", err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRetention(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name, conf string
		age        time.Duration
		size       int64
		want       string
		block      time.Duration
	}{
		{"by default", "", 0, 0, "15d", 36 * time.Hour},
		{"from the options", "", 5 * day, 1 << 30, "5d or 1GiB", 12 * time.Hour},
		{"by size alone", "", 0, 1 << 30, "1GiB", 31 * day},
		{"from the file", "storage: {tsdb: {retention: {time: 3d}}}", 5 * day, 1 << 30, "3d", 7*time.Hour + 12*time.Minute},
		{"short", "", time.Hour, 0, "1h", 2 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := open(t, "global: {}\n"+c.conf, func(o *Options) { o.Retention, o.RetentionSize = c.age, c.size })
			info, err := r.runtimeInfo()
			if err != nil || info.StorageRetention != c.want {
				t.Errorf("kept for %q, not %q (%v)", info.StorageRetention, c.want, err)
			}
			if got := longestBlock(time.Duration(r.conf.Load().StorageConfig.TSDBConfig.Retention.Time)); got != c.block {
				t.Errorf("blocks of %s, not %s", got, c.block)
			}
		})
	}
}

// body reads an answer of the handler.
func (r *rig) body(t *testing.T, method, target, form string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://in-process"+target, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Origin", "http://elsewhere.test")
	rec := newRecorder(t, r.Handler(), req)
	defer rec.Body.Close()
	text, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%s: other origins may read the answer", target)
	}
	return rec.StatusCode, string(text)
}
