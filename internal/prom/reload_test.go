package prom

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var discard = slog.New(slog.DiscardHandler)

func newServer(t *testing.T, h http.HandlerFunc) (address string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// gauge reads one of the Server's own metrics.
func (r *rig) gauge(t *testing.T, name string) float64 {
	t.Helper()
	families, err := r.opts.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func (r *rig) ruleNames(t *testing.T) string {
	t.Helper()
	var names []string
	for _, rule := range r.rules.Rules() {
		names = append(names, rule.Name())
	}
	return strings.Join(names, " ")
}

func TestReload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const ruleText = "groups: [{name: mine, rules: [{record: mine, expr: vector(1)}]}]\n"
	write(ruleText)
	conf := scraping + "rule_files: [" + file + "]\n"
	r := open(t, conf)
	if err := r.Reload(load(t, conf), nil); err == nil {
		t.Error("a reload before the start is taken")
	}
	target(t, r.net)
	r.Start()
	until(t, "the rule is evaluated", func() bool { return r.has(t, "mine") })
	if ok, at := r.gauge(t, "prometheus_config_last_reload_successful"), r.gauge(t, "prometheus_config_last_reload_success_timestamp_seconds"); ok != 1 || at < 1e9 {
		t.Errorf("after the start: successful %v at %v", ok, at)
	}

	write(strings.Replace(ruleText, "vector(1)", "vector(", 1))
	err := r.Reload(load(t, conf+"remote_write: [{url: 'http://127.0.0.1:1/'}]"), nil)
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a broken rule: %v", err)
	}
	if r.ruleNames(t) != "mine" || len(r.conf.Load().RemoteWriteConfigs) != 0 {
		t.Errorf("the running configuration did not stay: rules %q", r.ruleNames(t))
	}
	if r.gauge(t, "prometheus_config_last_reload_successful") != 0 {
		t.Error("the failure is not shown")
	}

	write(strings.Replace(ruleText, "record: mine", "record: yours", 1))
	if err := r.Reload(load(t, conf), nil); err != nil {
		t.Fatal(err)
	}
	until(t, "the new rule is evaluated", func() bool { return r.has(t, "yours") })
	if r.gauge(t, "prometheus_config_last_reload_successful") != 1 {
		t.Error("the success is not shown")
	}
}

// TestReloadOfBuiltinRules: they change with the configuration, or not at all.
func TestReloadOfBuiltinRules(t *testing.T) {
	builtin := func(record string) map[string]string {
		return map[string]string{"builtin/pm25.yml": "groups: [{name: ours, rules: [{record: " + record + ", expr: vector(1)}]}]\n"}
	}
	r := open(t, scraping, func(o *Options) { o.Rules = builtin("one") })
	target(t, r.net)
	r.Start()
	until(t, "the rule is evaluated", func() bool { return r.has(t, "one") })
	if err := r.Reload(load(t, scraping), builtin("two")); err != nil {
		t.Fatal(err)
	}
	until(t, "the new rule is evaluated", func() bool { return r.has(t, "two") })

	bad := strings.Replace(scraping, "global: {", "global: {query_log_file: /nowhere/at/all.log, ", 1)
	for _, err := range []error{r.Reload(load(t, scraping), map[string]string{"builtin/pm25.yml": "groups: [{name: ours, rules: [{record: three}]}]"}), r.Reload(load(t, bad), builtin("three"))} {
		if err == nil || r.ruleNames(t) != "two" {
			t.Errorf("error %v, rules %q", err, r.ruleNames(t))
		}
	}
	if err := r.Reload(load(t, scraping), builtin("two")); err != nil || r.ruleNames(t) != "two" {
		t.Errorf("error %v, rules %q", err, r.ruleNames(t))
	}
}

// What only fails while it is applied, here the query log in no folder, leaves
// nothing of it in the parts that took it already.
func TestReloadThatFailsMidwayIsUndone(t *testing.T) {
	r := open(t, scraping)
	target(t, r.net)
	r.Start()
	until(t, "the target is up", func() bool { return r.has(t, "up") })
	bad := strings.Replace(scraping, "global: {", "global: {query_log_file: /nowhere/at/all.log, ", 1) +
		"storage: {exemplars: {max_exemplars: 5}, tsdb: {retention: {time: 1d}}}\n"
	if err := r.Reload(load(t, bad), nil); err == nil || !strings.Contains(err.Error(), "query log") {
		t.Fatalf("got %v", err)
	}
	if kept := r.gauge(t, "prometheus_tsdb_retention_limit_seconds"); kept != defaultRetention.Seconds() {
		t.Errorf("kept for %v s", kept)
	}
	if n := r.gauge(t, "prometheus_tsdb_exemplar_max_exemplars"); n != defaultExemplars {
		t.Errorf("%v exemplars", n)
	}
}
