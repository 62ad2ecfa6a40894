package simagent

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/catalog"
)

// clock is set forward by hand.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newFleet(t *testing.T, hosts, processes int) (*Fleet, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	f, err := New(Options{Hosts: hosts, ProcessesPerHost: processes, Seed: 1, Logger: log.NewNopLogger(), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return f, c
}

func exposition(t *testing.T, h *Host) string {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

type metrics map[string]*dto.MetricFamily

func scrape(t *testing.T, h *Host) metrics {
	t.Helper()
	p := expfmt.NewTextParser(model.UTF8Validation)
	m, err := p.TextToMetricFamilies(strings.NewReader(exposition(t, h)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sum adds the samples that have the labels, given as name and value in turn.
func (m metrics) sum(name string, labels ...string) (sum float64) {
	for _, s := range m[name].GetMetric() {
		has := map[string]string{}
		for _, l := range s.GetLabel() {
			has[l.GetName()] = l.GetValue()
		}
		ok := true
		for i := 0; i < len(labels); i += 2 {
			ok = ok && has[labels[i]] == labels[i+1]
		}
		if ok {
			sum += s.GetGauge().GetValue() + s.GetCounter().GetValue()
		}
	}
	return sum
}

// TestCatalog: every metric of the catalog is there, and no other.
func TestCatalog(t *testing.T) {
	f, c := newFleet(t, 1, 20)
	c.at = c.at.Add(time.Minute)
	if !f.Hosts()[0].Set("legacy", CrashLoop) {
		t.Fatal("there is no legacy")
	}
	c.at = c.at.Add(time.Minute)
	m := scrape(t, f.Hosts()[0])
	for _, metric := range catalog.All() {
		if m[metric.Name] == nil {
			t.Errorf("%s is missing", metric.Name)
		}
		delete(m, metric.Name)
	}
	for name := range m {
		t.Errorf("%s is not in the catalog", name)
	}
}

func TestSameSeedSameHosts(t *testing.T) {
	a, ca := newFleet(t, 2, 20)
	b, cb := newFleet(t, 2, 20)
	ca.at, cb.at = ca.at.Add(time.Hour), cb.at.Add(time.Hour)
	for i := range a.Hosts() {
		if exposition(t, a.Hosts()[i]) != exposition(t, b.Hosts()[i]) {
			t.Errorf("host %d differs", i)
		}
	}
	if exposition(t, a.Hosts()[0]) == exposition(t, a.Hosts()[1]) {
		t.Error("all hosts are the same")
	}
}

// TestTimePasses: half a day looks like one of a real host.
func TestTimePasses(t *testing.T) {
	f, c := newFleet(t, 1, 20)
	h := f.Hosts()[0]
	var last metrics
	var least, most float64
	for range 12 * 60 {
		c.at = c.at.Add(time.Minute)
		m := scrape(t, h)
		if last != nil {
			used := m.sum(catalog.ProcessCPU) - last.sum(catalog.ProcessCPU)
			if share := used / 60; share < 0.3 || share > cores {
				t.Fatalf("%v cores used at %s", share, c.at)
			}
		}
		memory := m.sum(catalog.ProcessResidentMemory, "app", "shop-web")
		if least == 0 || memory < least {
			least = memory
		}
		most = max(most, memory)
		last = m
	}
	if least < 100*mib || most > 600*mib || most < 1.05*least {
		t.Errorf("shop-web has %v to %v bytes", least, most)
	}
	if n := last.sum(catalog.AppExits, "app", "reports", "reason", "memory_limit"); n < 1 || n > 5 {
		t.Errorf("reports, which leaks, met its limit %v times", n)
	}
	if n := last.sum(catalog.AppExits, "reason", "crash"); n > 20 {
		t.Errorf("%v crashes of healthy apps", n)
	}
	if n := last.sum(catalog.ProcessState, "state", "online"); n != 19 {
		t.Errorf("%v processes are online, want all but the backup", n)
	}
}

func TestFates(t *testing.T) {
	f, c := newFleet(t, 1, 20)
	h := f.Hosts()[0]
	h.Set("mailer", CrashLoop)
	h.Set("search", Errored)
	c.at = c.at.Add(time.Minute)
	m := scrape(t, h)
	if n := m.sum(catalog.AppExits, "app", "mailer", "reason", "crash"); n != 20 {
		t.Errorf("%v crashes in a minute of loop, want 20", n)
	}
	if n := m.sum(catalog.ProcessRestarts, "app", "mailer"); n != 20 {
		t.Errorf("%v restarts in a minute of loop, want 20", n)
	}
	if n := m.sum(catalog.ProcessState, "app", "search", "state", "errored"); n != 2 {
		t.Errorf("%v workers of search are errored, want 2", n)
	}
	h.Set("mailer", Healthy)
	h.Set("search", Healthy)
	c.at = c.at.Add(time.Minute)
	m = scrape(t, h)
	if n := m.sum(catalog.AppExits, "app", "mailer", "reason", "crash"); n != 20 {
		t.Errorf("%v crashes after the loop's end, want 20", n)
	}
	if n := m.sum(catalog.ProcessState, "app", "search", "state", "online"); n != 2 {
		t.Errorf("%v workers of search are online again, want 2", n)
	}
	if h.Set("nobody", CrashLoop) {
		t.Error("an app that is not there has a fate")
	}
}

func TestServe(t *testing.T) {
	f, _ := newFleet(t, 3, 5)
	s, err := f.Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	path := filepath.Join(t.TempDir(), "targets.json")
	for range 2 { // also over an old one
		if err := s.WriteTargets(path); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var groups []struct {
		Targets []string
		Labels  map[string]string
	}
	if err := json.Unmarshal(b, &groups); err != nil || len(groups) != 3 || groups[1].Labels["host"] != "web-02" {
		t.Fatalf("%v: %s", err, b)
	}
	get := func() error {
		res, err := http.Get("http://" + groups[1].Targets[0] + "/metrics")
		if err == nil {
			res.Body.Close()
		}
		return err
	}
	if err := get(); err != nil {
		t.Error(err)
	}
	f.Hosts()[1].Switch(false)
	if get() == nil {
		t.Error("a host that is off answers")
	}
	f.Hosts()[1].Switch(true)
	if err := get(); err != nil {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	good := Options{Hosts: 1, ProcessesPerHost: 1, Logger: log.NewNopLogger(), Now: time.Now}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]func(*Options){
		"hosts":     func(o *Options) { o.Hosts = 0 },
		"processes": func(o *Options) { o.ProcessesPerHost = -1 },
		"logger":    func(o *Options) { o.Logger = nil },
		"clock":     func(o *Options) { o.Now = nil },
	} {
		o := good
		bad(&o)
		if _, err := New(o); err == nil {
			t.Errorf("bad %s are taken", name)
		}
	}
}
