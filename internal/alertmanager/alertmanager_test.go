package alertmanager

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/client_golang/prometheus"
)

func TestTellsAndResolves(t *testing.T) {
	h := newHook(t)
	r := start(t, t.TempDir(), quick(t, h.URL))
	r.post(t, alertOf("a", time.Hour))
	h.expect(t, "firing a")
	m := h.sent[0]
	a := m.Alerts[0]
	if m.ExternalURL != "http://127.0.0.1:9725/alertmanager" || m.GroupLabels["alertname"] != "Test" ||
		a.Annotations["summary"] != "it is a" || !a.StartsAt.Equal(epoch) || a.GeneratorURL != "http://127.0.0.1:9725/graph" {
		t.Errorf("message %+v", m)
	}
	r.passes(t)
	r.post(t, alertOf("b", time.Hour))
	h.expect(t, "firing a", "firing a b")
	r.post(t, alertOf("a", -time.Second), alertOf("b", -time.Second))
	h.expect(t, "firing a", "firing a b", "resolved a b")
	r.post(t, alertOf("c", time.Hour))
	h.expect(t, "firing a", "firing a b", "resolved a b", "firing c")
}

// aged makes the file of alerts say that their senders have vouched for them
// until a time long ago, as after a long stop.
func aged(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "alerts.json")
	doc, err := readFiring(path)
	ok(t, err)
	if len(doc.Alerts) == 0 {
		t.Fatal("no alerts were written down")
	}
	for i := range doc.Alerts {
		doc.Alerts[i].EndsAt = epoch.Add(time.Minute)
	}
	data, err := json.Marshal(doc)
	ok(t, err)
	ok(t, os.WriteFile(path, data, 0o600))
	return dir
}

func grace(d time.Duration) func(*Options) { return func(o *Options) { o.Grace = d } }

// What was told before a kill is not told again, and what ended since then is
// told as resolved, once.
func TestKill(t *testing.T) {
	before := newHook(t)
	first := start(t, t.TempDir(), quick(t, before.URL))
	first.post(t, alertOf("a", time.Hour))
	before.expect(t, "firing a")
	until(t, "a journal", func() bool { return journaled(t, first.opts.Dir, "nflog") == 1 })

	t.Run("still fires", func(t *testing.T) {
		h := newHook(t)
		r := start(t, first.killed(t), quick(t, h.URL))
		again := alertOf("a", time.Hour)
		again.StartsAt = time.Now() // Prometheus does not know when it began
		r.post(t, again)
		r.passes(t)
		h.expect(t)
		alerts, err := r.Alerts(t.Context())
		ok(t, err)
		if len(alerts) != 1 || !alerts[0].StartsAt.Equal(epoch) {
			t.Errorf("alerts %+v", alerts)
		}
	})
	t.Run("still fires after a long time", func(t *testing.T) {
		h := newHook(t)
		r := start(t, aged(t, first.killed(t)), quick(t, h.URL))
		r.post(t, alertOf("a", time.Hour))
		r.passes(t)
		h.expect(t)
	})
	t.Run("is over", func(t *testing.T) {
		h := newHook(t)
		r := start(t, aged(t, first.killed(t)), quick(t, h.URL), grace(300*time.Millisecond))
		h.expect(t, "resolved a")
		r.post(t, alertOf("b", time.Hour))
		h.expect(t, "resolved a", "firing b")
	})
	// Its repeat interval is over too, but nobody says that it still fires.
	t.Run("was over long ago", func(t *testing.T) {
		h := newHook(t)
		start(t, aged(t, first.killed(t)), quick(t, h.URL, "repeat_interval: 1ms"), grace(300*time.Millisecond))
		h.expect(t, "resolved a")
	})
	t.Run("is repeated when it is sent again", func(t *testing.T) {
		h := newHook(t)
		r := start(t, aged(t, first.killed(t)), quick(t, h.URL, "repeat_interval: 1h", "group_interval: 1h"), grace(time.Hour))
		ok(t, r.Reload(quick(t, h.URL, "repeat_interval: 1ms", "group_interval: 1h")))
		h.expect(t)
		r.post(t, alertOf("a", time.Hour))
		h.expect(t, "firing a")
	})
}

// Whose sender said that it fires until later than the start need not be sent
// again to be told; when it is, its new end counts, though it is earlier.
func TestKillBeforeTelling(t *testing.T) {
	first := start(t, t.TempDir(), quick(t, newHook(t).URL, "group_wait: 2h"))
	first.post(t, alertOf("a", time.Hour))
	first.firing.save()
	h := newHook(t)
	r := start(t, first.killed(t), quick(t, h.URL))
	h.expect(t, "firing a")
	r.post(t, alertOf("a", 300*time.Millisecond))
	h.expect(t, "firing a", "resolved a")
}

// What its sender said before counts no more when the sender started with us:
// it is told when it is sent again, or ends soon.
func TestKillWithTheSender(t *testing.T) {
	first := start(t, t.TempDir(), quick(t, newHook(t).URL, "group_wait: 2h"))
	first.post(t, alertOf("a", time.Hour))
	first.firing.save()
	ours := func(o *Options) { o.Sender = "http://127.0.0.1:9725/" }
	t.Run("still fires", func(t *testing.T) {
		h := newHook(t)
		r := start(t, first.killed(t), quick(t, h.URL, "group_by: [n]"), ours)
		r.post(t, alertOf("b", time.Hour)) // in a group of its own
		h.expect(t, "firing b")
		r.post(t, alertOf("a", time.Hour))
		h.expect(t, "firing b", "firing a")
	})
	t.Run("is over", func(t *testing.T) {
		h := newHook(t)
		r := start(t, first.killed(t), quick(t, h.URL), ours, grace(300*time.Millisecond))
		until(t, "an end", func() bool { alerts, err := r.Alerts(t.Context()); return err == nil && len(alerts) == 0 })
		h.expect(t) // it was never told
	})
}

// An end that was not told before the kill is told after it, and one that was
// is not told again; nor is the alert.
func TestKillAfterTheEnd(t *testing.T) {
	before := newHook(t)
	first := start(t, t.TempDir(), quick(t, before.URL, "group_interval: 1h"))
	first.post(t, alertOf("a", time.Hour))
	before.expect(t, "firing a")
	first.post(t, alertOf("a", -time.Second))
	until(t, "its end in the file", func() bool {
		doc, err := readFiring(filepath.Join(first.opts.Dir, "alerts.json"))
		ok(t, err)
		return len(doc.Alerts) == 1 && doc.Alerts[0].Ended
	})
	h := newHook(t)
	second := start(t, first.killed(t), quick(t, h.URL))
	h.expect(t, "resolved a")
	until(t, "a journal", func() bool { return journaled(t, second.opts.Dir, "nflog") == 1 })
	again := newHook(t)
	third := start(t, second.killed(t), quick(t, again.URL))
	until(t, "a look at what was told", func() bool { return third.metric(t, "alertmanager_nflog_queries_total") > 0 })
	third.post(t, alertOf("b", time.Hour))
	again.expect(t, "firing b")
}

// What is told is in the file before: else a kill right after it would lead to
// an end that nobody tells, or to an alert told anew.
func TestFileIsWrittenBeforeTelling(t *testing.T) {
	dir := t.TempDir()
	var found []bool
	done := make(chan struct{})
	h := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		doc, err := readFiring(filepath.Join(dir, "alerts.json"))
		if err != nil || len(doc.Alerts) != 1 {
			t.Errorf("%+v, %v", doc, err)
			return
		}
		if found = append(found, doc.Alerts[0].Ended); len(found) == 2 {
			close(done)
		}
	}))
	t.Cleanup(h.Close)
	r := start(t, dir, quick(t, h.URL))
	r.post(t, alertOf("a", time.Hour))
	r.passes(t)
	r.post(t, alertOf("a", -time.Second))
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("not told")
	}
	if found[0] || !found[1] {
		t.Errorf("ended, by the file: %v", found)
	}
}

// After an orderly stop all is as after a kill.
func TestCloseAndStart(t *testing.T) {
	dir := t.TempDir()
	h := newHook(t)
	o, _ := options(dir)
	s, err := New(o, quick(t, h.URL))
	ok(t, err)
	r := &running{Server: s, reg: o.Registry, http: httptest.NewServer(http.StripPrefix("/alertmanager", s.Handler()))}
	r.post(t, alertOf("a", time.Hour))
	h.expect(t, "firing a")
	id, err := s.AddSilence(t.Context(), Silence{Matchers: []Matcher{{Name: "n", Value: "x"}}, EndsAt: time.Now().Add(time.Hour), CreatedBy: "me", Comment: "why"})
	ok(t, err)
	r.http.Close()
	ok(t, s.Close(t.Context()))
	ok(t, s.Close(t.Context()))
	if err := s.Reload(quick(t, h.URL)); err == nil {
		t.Error("a closed server was reloaded")
	}
	for _, name := range []string{"nflog", "silences"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Size() == 0 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
		if n := journaled(t, dir, name); n != 0 {
			t.Errorf("%d entries in the journal of %s after an orderly stop", n, name)
		}
	}
	again := newHook(t)
	second := start(t, dir, quick(t, again.URL))
	second.post(t, alertOf("a", time.Hour))
	second.passes(t)
	again.expect(t)
	silences, err := second.Silences(t.Context())
	if err != nil || len(silences) != 1 || silences[0].ID != id {
		t.Errorf("silences %+v, %v", silences, err)
	}
}

func TestCloseIsBounded(t *testing.T) {
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	h := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	}))
	t.Cleanup(h.Close)
	t.Cleanup(func() { close(release) })
	r := start(t, t.TempDir(), quick(t, h.URL))
	r.post(t, alertOf("a", time.Hour))
	<-arrived
	begun := time.Now()
	ok(t, r.Close(t.Context()))
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// The daemon's alert of the last run keeps those of its apps quiet from the
// first moment on.
func TestInhibitionFromTheStart(t *testing.T) {
	conf := func(h *hook) *config.Config {
		c, err := Default(h.URL)
		ok(t, err)
		return c
	}
	of := func(name string, labels ...string) posted {
		a := alertOf(name, time.Hour)
		a.Labels = map[string]string{"alertname": name, "n": name, "severity": "critical", "job": "pm2", "instance": "h", "host": "h", "daemon": "d"}
		for _, l := range labels {
			k, v, _ := strings.Cut(l, "=")
			a.Labels[k] = v
		}
		return a
	}
	before := newHook(t)
	first := start(t, t.TempDir(), conf(before))
	first.post(t, of("PM2DaemonDown", "scope=daemon"))
	before.expect(t, "firing PM2DaemonDown")

	h := newHook(t)
	r := start(t, aged(t, first.killed(t)), conf(h))
	r.post(t, of("AppDown", "scope=app"), of("OtherHost", "scope=app", "host=other", "instance=other"), of("HostFull", "scope=host"))
	until(t, "an inhibition", func() bool {
		return r.metric(t, "alertmanager_notifications_suppressed_total", "reason=inhibition") > 0
	})
	until(t, "two messages", func() bool { return len(h.told()) == 2 })
	alerts, err := r.Alerts(t.Context())
	ok(t, err)
	for _, a := range alerts {
		if inhibited := len(a.InhibitedBy) > 0; inhibited != (a.Labels["n"] == "AppDown") {
			t.Errorf("%s is inhibited by %q", a.Labels["n"], a.InhibitedBy)
		}
	}
	if told := strings.Join(h.told(), "; "); strings.Contains(told, "AppDown") || strings.Contains(told, "Daemon") {
		t.Errorf("told %s", told)
	}
}

func TestReload(t *testing.T) {
	one, two := newHook(t), newHook(t)
	r := start(t, t.TempDir(), quick(t, one.URL))
	r.post(t, alertOf("a", time.Hour))
	one.expect(t, "firing a")

	bad := quick(t, two.URL)
	bad.Templates = []string{filepath.Join(t.TempDir(), "bad.tmpl")}
	ok(t, os.WriteFile(bad.Templates[0], []byte("{{ define"), 0o600))
	if err := r.Reload(bad); err == nil {
		t.Fatal("no error")
	}
	if r.metric(t, "alertmanager_config_last_reload_successful") != 0 {
		t.Error("the metric does not tell of it")
	}
	r.post(t, alertOf("b", time.Hour))
	one.expect(t, "firing a", "firing a b")

	ok(t, r.Reload(quick(t, two.URL)))
	if r.metric(t, "alertmanager_config_last_reload_successful") != 1 || r.metric(t, "alertmanager_receivers") != 1 {
		t.Error("the metrics do not tell of it")
	}
	r.passes(t)
	two.expect(t) // the receiver is the same by name: it was told
	r.post(t, alertOf("c", time.Hour))
	two.expect(t, "firing a b c")
	one.expect(t, "firing a", "firing a b")
	r.ReloadFailed()
	if r.metric(t, "alertmanager_config_last_reload_successful") != 0 {
		t.Error("the metric does not tell of a configuration that could not be read")
	}
}

func TestSecretsAreNotLogged(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	ok(t, l.Close())
	refused := "http://user:hunter2@" + l.Addr().String() + "/hook/hunter2?key=hunter2"
	h := newHook(t)
	h.code = http.StatusInternalServerError
	failing := strings.Replace(h.URL, "http://", "http://user:hunter2@", 1) + "/hook/hunter2"
	for _, to := range []string{refused, failing} {
		conf, err := Default(to)
		ok(t, err)
		r := start(t, t.TempDir(), conf)
		r.post(t, alertOf("a", time.Hour))
		until(t, "a failure", func() bool { return strings.Contains(r.logs.String(), "Notify attempt failed") })
		if strings.Contains(r.logs.String(), "hunter2") {
			t.Errorf("logged: %s", r.logs)
		}
		if _, status := r.request(t, http.MethodGet, "/api/v2/status", nil); strings.Contains(status, "hunter2") || !strings.Contains(status, "group_wait: 5s") {
			t.Errorf("status %s", status)
		}
	}
}

// A delivery that fails is told until one of the same group succeeds.
func TestFailing(t *testing.T) {
	h := newHook(t)
	h.code = http.StatusBadRequest // which is not tried again at once
	r := start(t, t.TempDir(), quick(t, h.URL))
	if f, failing := r.Failing(); failing || r.Integrations() != 1 {
		t.Errorf("before anything: %+v, %d integrations", f, r.Integrations())
	}
	r.post(t, alertOf("a", time.Hour))
	until(t, "a failure", func() bool { _, failing := r.Failing(); return failing })
	if f, _ := r.Failing(); f.Groups != 1 || !strings.Contains(f.Err, "400") || time.Since(f.Since) > patience {
		t.Errorf("%+v", f)
	}
	h.mu.Lock()
	h.code = http.StatusOK
	h.mu.Unlock()
	until(t, "a success", func() bool { _, failing := r.Failing(); return !failing })
}

func TestMetrics(t *testing.T) {
	r := start(t, t.TempDir(), quick(t, newHook(t).URL))
	for _, name := range []string{
		"alertmanager_alerts", "alertmanager_alerts_received_total", "alertmanager_notifications_total", "alertmanager_notifications_failed_total",
		"alertmanager_silences", "alertmanager_nflog_snapshot_size_bytes", "alertmanager_dispatcher_aggregation_groups",
		"alertmanager_config_last_reload_successful", "alertmanager_integrations", "pm25_alertmanager_journal_failures_total",
	} {
		until(t, name, func() bool { return has(t, r.reg, name) })
	}
	families, err := prometheus.DefaultGatherer.Gather()
	ok(t, err)
	for _, f := range families {
		if strings.Contains(f.GetName(), "alertmanager") {
			t.Errorf("%s is on the default registerer", f.GetName())
		}
	}
}

func TestOptions(t *testing.T) {
	conf := quick(t, "http://127.0.0.1:1")
	if _, err := New(Options{}, conf); err == nil {
		t.Error("no options, and no error")
	}
	o, _ := options(t.TempDir())
	o.Dir = filepath.Join(o.Dir, "file")
	ok(t, os.WriteFile(o.Dir, nil, 0o600))
	if _, err := New(o, conf); err == nil || !strings.Contains(err.Error(), o.Dir) {
		t.Errorf("a file for a folder: %v", err)
	}
}

// A start that fails leaves what it could not read as it is.
func TestForeignFiles(t *testing.T) {
	for _, name := range []string{"nflog", "silences", "nflog.journal", "silences.journal", "alerts.json"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		ok(t, os.WriteFile(path, []byte("something else of 30 characters"), 0o600))
		o, _ := options(dir)
		s, err := New(o, quick(t, "http://127.0.0.1:1"))
		if err == nil {
			t.Errorf("%s: no error", name)
			_ = s.Close(context.Background())
			continue
		}
		if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("%s: %v", name, err)
		}
		if data, err := os.ReadFile(path); err != nil || string(data) != "something else of 30 characters" {
			t.Errorf("%s now holds %q, %v", name, data, err)
		}
	}
}
