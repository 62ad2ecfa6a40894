package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// patience is how long a test waits for what has to happen.
const patience = 20 * time.Second

// hook is a webhook that tells what it was sent.
type hook struct {
	*httptest.Server
	mu   sync.Mutex
	sent []message
	code int
}

type message struct {
	Status string
	Alerts []struct {
		Status              string
		Labels, Annotations map[string]string
		StartsAt            time.Time
		GeneratorURL        string
	}
	GroupLabels map[string]string
	ExternalURL string
}

func newHook(t *testing.T) *hook {
	h := &hook{code: http.StatusOK}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m message
		err := json.NewDecoder(r.Body).Decode(&m)
		if err != nil {
			t.Errorf("webhook: %v", err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.sent = append(h.sent, m)
		w.WriteHeader(h.code)
	}))
	t.Cleanup(h.Close)
	return h
}

// told lists what was told: "firing a b", "resolved a", by the label n.
func (h *hook) told() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := []string{}
	for _, m := range h.sent {
		var names []string
		for _, a := range m.Alerts {
			name := a.Labels["n"]
			if a.Status != m.Status {
				name += " (" + a.Status + ")"
			}
			names = append(names, name)
		}
		out = append(out, m.Status+" "+strings.Join(names, " "))
	}
	return out
}

// expect waits until as many messages are there, and compares all.
func (h *hook) expect(t *testing.T, want ...string) {
	t.Helper()
	until(t, fmt.Sprintf("%d messages", len(want)), func() bool { return len(h.told()) >= len(want) })
	if got := h.told(); strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Fatalf("told %q, want %q", got, want)
	}
}

func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); {
		if time.Now().After(end) {
			t.Fatalf("after %s there is no: %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// quick tells everything at once to a webhook; overrides is more of the route.
func quick(t testing.TB, to string, overrides ...string) *config.Config {
	t.Helper()
	route := map[string]string{"group_by": "[alertname]", "group_wait": "10ms", "group_interval": "100ms", "repeat_interval": "4h"}
	for _, o := range overrides {
		k, v, _ := strings.Cut(o, ": ")
		route[k] = v
	}
	text := "route:\n  receiver: default\n"
	for k, v := range route {
		text += "  " + k + ": " + v + "\n"
	}
	text += "receivers:\n  - name: default\n    webhook_configs:\n      - {url: " + to + "}\n"
	conf, err := config.Load(text)
	ok(t, err)
	return conf
}

// running is a Server with what a test wants to look into.
type running struct {
	*Server
	reg  *prometheus.Registry
	logs *logs
	http *httptest.Server
}

type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func options(dir string) (Options, *logs) {
	l := &logs{}
	return Options{
		Dir: dir, ExternalURL: &url.URL{Scheme: "http", Host: "127.0.0.1:9725", Path: "/alertmanager"}, Registry: prometheus.NewRegistry(),
		Logger: slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: time.Now,
	}, l
}

// start starts a server, and closes it at the end of the test.
func start(t testing.TB, dir string, conf *config.Config, change ...func(*Options)) *running {
	t.Helper()
	o, l := options(dir)
	for _, c := range change {
		c(&o)
	}
	s, err := New(o, conf)
	ok(t, err)
	r := &running{Server: s, reg: o.Registry, logs: l}
	r.http = httptest.NewServer(http.StripPrefix("/alertmanager", s.Handler()))
	t.Cleanup(func() {
		r.http.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return r
}

// killed is what a kill at this moment would leave: a copy of the folder. The
// server goes on, and writes elsewhere.
func (r *running) killed(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copy")
	ok(t, os.CopyFS(dir, os.DirFS(r.opts.Dir)))
	return dir
}

type posted struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
}

var epoch = time.Now().Add(-time.Hour).Truncate(time.Second)

// alertOf is an alert as Prometheus sends it: it says itself until when it is
// good. A negative life is one that is over.
func alertOf(name string, life time.Duration) posted {
	return posted{
		Labels: map[string]string{"alertname": "Test", "n": name}, Annotations: map[string]string{"summary": "it is " + name},
		StartsAt: epoch, EndsAt: time.Now().Add(life), GeneratorURL: "http://127.0.0.1:9725/graph",
	}
}

func (r *running) post(t testing.TB, alerts ...posted) {
	t.Helper()
	code, body := r.request(t, http.MethodPost, "/api/v2/alerts", alerts)
	if code != http.StatusOK {
		t.Fatalf("posting alerts: %d %s", code, body)
	}
}

func (r *running) request(t testing.TB, method, path string, body any) (int, string) {
	t.Helper()
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		ok(t, err)
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, r.http.URL+"/alertmanager"+path, in)
	ok(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	ok(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	ok(t, err)
	return resp.StatusCode, string(data)
}

// metric is the sum over all series of a metric with these labels ("k=v").
func (r *running) metric(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	families, err := r.reg.Gather()
	ok(t, err)
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
	series:
		for _, m := range f.GetMetric() {
			has := map[string]bool{}
			for _, l := range m.GetLabel() {
				has[l.GetName()+"="+l.GetValue()] = true
			}
			for _, l := range labels {
				if !has[l] {
					continue series
				}
			}
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

func has(t testing.TB, g prometheus.Gatherer, name string) bool {
	t.Helper()
	families, err := g.Gather()
	ok(t, err)
	return slices.ContainsFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name })
}

// passes waits until groups of alerts were looked through some more times.
func (r *running) passes(t testing.TB) {
	t.Helper()
	from := r.metric(t, "alertmanager_nflog_queries_total")
	until(t, "more looks at what was told", func() bool { return r.metric(t, "alertmanager_nflog_queries_total") >= from+3 })
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
