//go:build soak

package soak

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/promtest"
)

// formats notes, as a proxy before the agent, what each job was given.
type formats struct {
	*httptest.Server
	mu    sync.Mutex
	given map[string]string
}

func newFormats(t *testing.T, a *agent) *formats {
	f := &formats{given: map[string]string{}}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: a.addr})
	proxy.ModifyResponse = func(res *http.Response) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.given[res.Request.URL.Query().Get("job")] = res.Header.Get("Content-Type")
		return nil
	}
	f.Server = httptest.NewServer(proxy)
	t.Cleanup(f.Close)
	return f
}

func (f *formats) of(job string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.given[job]
}

// A scrapeJob is one way to be scraped.
type scrapeJob struct {
	name, server, flags, protocols string
	format                         string // in the Content-Type
	created                        bool   // created timestamps are ingested
	om                             bool   // types are noted without _total
	prom                           *promtest.Server
}

// TestServers has old and new Prometheus servers scrape an agent, in every
// format that they speak.
func TestServers(t *testing.T) {
	const zero = "--enable-feature=created-timestamp-zero-ingestion"
	scrapes := []*scrapeJob{
		{name: "text3", server: "3", flags: zero, protocols: "PrometheusText0.0.4", format: "text/plain"},
		{name: "om3", server: "3", flags: zero, protocols: "OpenMetricsText1.0.0", format: "application/openmetrics-text", om: true},
		{name: "proto3", server: "3", flags: zero, protocols: "PrometheusProto, PrometheusText0.0.4", format: "application/vnd.google.protobuf", created: true},
		{name: "default3", server: "3", format: "application/openmetrics-text", om: true},
		{name: "om2", server: "2.42", format: "application/openmetrics-text", om: true},
		{name: "proto2", server: "2.42", flags: "--enable-feature=native-histograms", format: "application/vnd.google.protobuf"},
	}
	d := pm2test.New(t, pm2test.Options{})
	a := newAgent(t, d.Home())
	a.start(t)
	a.ready(t)
	proxy := newFormats(t, a)
	for _, j := range scrapes {
		config := fmt.Sprintf("scrape_configs:\n  - job_name: %s\n    scrape_interval: 3s\n    scrape_timeout: 3s\n    params: {job: [%s]}\n    static_configs: [{targets: [%q]}]\n",
			j.name, j.name, strings.TrimPrefix(proxy.URL, "http://"))
		if j.protocols != "" {
			config += "    scrape_protocols: [" + j.protocols + "]\n"
		}
		o := promtest.Options{Binary: promtest.Binary(t, j.server), Config: config}
		if j.flags != "" {
			o.Args = []string{j.flags}
		}
		j.prom = promtest.Start(t, o)
	}
	for _, j := range scrapes {
		pm2test.Eventually(t, 30*time.Second, func() error { return j.is("up", 1) })
	}
	// An app that has crashed already when it is scraped for the first time.
	l := &loop{Daemon: d}
	l.go_(t)
	began := time.Now()
	d.App(t, pm2test.AppSpec{
		Name: "late", Script: filepath.Join(pm2test.Root(), "internal", "soak", "apps", "crash.js"), Env: map[string]string{"AFTER": "1"},
		Extra: map[string]any{"max_restarts": 1_000_000},
	})
	time.Sleep(15 * time.Second)
	if err := os.Remove(filepath.Join(d.Home(), "go")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(8 * time.Second)

	m, err := a.scrape()
	if err != nil {
		t.Fatal(err)
	}
	crashes := m.sum("pm2_app_exits_total", `app="late"`, `reason="crash"`)
	r := doctable.New("server", "flag", "format", "`up`", "samples a scrape", "of them `_created`", "metrics with their type", "first sample of a new counter", "crashes seen, of "+fmt.Sprint(crashes))
	counts := map[float64]bool{}
	for _, j := range scrapes {
		j.check(t, proxy, r, began, crashes, counts)
	}
	if len(counts) != 1 {
		t.Errorf("the servers took different numbers of samples: %v", counts)
	}
	doc.Write(t, "servers", r)
}

func (j *scrapeJob) is(selector string, want float64) error {
	got, err := j.prom.Query(context.Background(), selector, time.Now())
	if err != nil {
		return err
	}
	if len(got) != 1 || got[0].Samples[0].Value != want {
		return fmt.Errorf("%s: %s: %v, want %v", j.name, selector, got, want)
	}
	return nil
}

func (j *scrapeJob) check(t *testing.T, proxy *formats, r *doctable.Table, began time.Time, crashes float64, counts map[float64]bool) {
	if err := j.is("min_over_time(up[15s])", 1); err != nil {
		t.Error(err)
	}
	if got := proxy.of(j.name); !strings.HasPrefix(got, j.format) {
		t.Errorf("%s was given %q, not %s", j.name, got, j.format)
	}
	samples, err := j.prom.Query(context.Background(), "scrape_samples_scraped", time.Now())
	if err != nil || len(samples) != 1 {
		t.Fatalf("%s: %v %v", j.name, samples, err)
	}
	n := samples[0].Samples[0].Value
	// Lines of created timestamps would be series to who does not ingest them.
	extra := 0.0
	if created, err := j.prom.Query(context.Background(), `count({__name__=~".+_created"})`, time.Now()); err != nil {
		t.Fatal(err)
	} else if len(created) == 1 {
		extra = created[0].Samples[0].Value
	}
	counts[n-extra] = true
	if extra > 0 {
		t.Errorf("%s has %v series of created timestamps", j.name, extra)
	}

	types, err := j.prom.Types(context.Background(), j.name)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for _, m := range catalog.All() {
		name, want := m.Name, "gauge"
		if m.Type == catalog.Histogram {
			want = "histogram"
		}
		if m.Type == catalog.Counter {
			want = "counter"
			if j.om {
				name = strings.TrimSuffix(name, "_total")
			}
		}
		got, ok := types[name]
		switch {
		case !ok: // the agent has none of it here
		case got != want:
			t.Errorf("%s: %s is a %s, want %s", j.name, name, got, want)
		default:
			right++
		}
	}
	if right < 40 {
		t.Errorf("%s knows %d metrics only", j.name, right)
	}

	raw, err := j.prom.Query(context.Background(), `pm2_app_exits_total{app="late",reason="crash"}[2m]`, time.Now())
	if err != nil || len(raw) != 1 || len(raw[0].Samples) < 2 {
		t.Fatalf("%s: %v %v", j.name, raw, err)
	}
	first, second := raw[0].Samples[0], raw[0].Samples[1]
	sum := counter{}
	for _, s := range raw[0].Samples {
		sum.add(s.Value)
	}
	if j.created {
		if first.Value != 0 || second.Value == 0 || first.At.Before(began.Add(-time.Second)) || !first.At.Before(second.At) {
			t.Errorf("%s: the first samples are %v, want 0 at the creation and more in the first scrape", j.name, raw[0].Samples[:2])
		}
		if sum.sum != crashes {
			t.Errorf("%s: %v crashes seen, there were %v", j.name, sum.sum, crashes)
		}
	}
	if sum.sum > crashes {
		t.Errorf("%s: %v crashes seen, there were %v", j.name, sum.sum, crashes)
	}
	flag := strings.TrimPrefix(j.flags, "--enable-feature=")
	r.Add("Prometheus "+j.server, flag, strings.Split(proxy.of(j.name), ";")[0], 1, n, extra, right, first.Value, sum.sum)
}
