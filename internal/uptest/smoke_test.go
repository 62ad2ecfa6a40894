package uptest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
)

var programs proctest.Builder

func TestMain(m *testing.M) { programs.Main(m) }

// tell is how soon a webhook has to hear of a cause.
const tell = time.Minute

// TestCrashLoopIsTold is the whole way in small: an app begins to crash, and
// the webhook, the page and both APIs say so.
func TestCrashLoopIsTold(t *testing.T) {
	t.Parallel()
	d := pm2test.New(t, pm2test.Options{})
	d.App(t, pm2test.AppSpec{Name: "calm"})
	hook := NewWebhook(t)
	u := Start(t, Options{Program: programs.Program(t, "pm25"), Homes: []string{"shop=" + d.Home()}, Webhook: hook.URL, Args: []string{"--host.name=web-01"}})
	u.WaitValue(20*time.Second, 1, `pm2_up{job="pm2",host="web-01",instance="web-01",daemon="shop"}`)

	d.App(t, pm2test.AppSpec{Name: "payments", Do: []pm2test.Cmd{{"do": "throw", "after": 1200}}})
	told := hook.Wait(t, tell, "firing", "alertname", "PM2CrashLoop")
	for name, want := range map[string]string{"app": "payments", "host": "web-01", "daemon": "shop", "pm2_namespace": "default", "severity": "critical", "job": "pm2"} {
		if told.Labels[name] != want {
			t.Errorf("label %s is %q, want %q", name, told.Labels[name], want)
		}
	}
	if !strings.Contains(told.Annotations["summary"], "payments") {
		t.Errorf("the summary names no app: %q", told.Annotations["summary"])
	}
	FollowLinks(t, u, told, Promise{App: "payments", Group: "boom"})
	checkAlerts(t, u)
	if code, body, err := u.Get("/"); err != nil || code != http.StatusOK || !strings.Contains(body, "payments") || !strings.Contains(body, "PM2CrashLoop") {
		t.Errorf("the page: %d, %v: %.300s", code, err, body)
	}
	for _, a := range hook.Told() {
		if a.Labels["app"] == "calm" {
			t.Errorf("told of an app that does nothing: %v", a)
		}
	}
	u.Stop()
}

// checkAlerts asks both APIs for the alert.
func checkAlerts(t *testing.T, u *Up) {
	t.Helper()
	u.WaitValue(5*time.Second, 1, `count(ALERTS{alertname="PM2CrashLoop",alertstate="firing",app="payments"})`)
	alerts, err := u.Alerts()
	active := func(a Alert) bool {
		return a.Labels["alertname"] == "PM2CrashLoop" && a.Labels["app"] == "payments" && a.Status.State == "active"
	}
	if err != nil || !slices.ContainsFunc(alerts, active) {
		t.Errorf("Alertmanager holds %v, %v", alerts, err)
	}
	code, body, err := u.Get("/prometheus/api/v1/rules")
	var rules struct{ Status string }
	if err != nil || code != http.StatusOK || json.Unmarshal([]byte(body), &rules) != nil || rules.Status != "success" {
		t.Errorf("rules: %d, %v: %.200s", code, err, body)
	}
}

// TestStopAndGoOn: an orderly stop loses nothing that was stored.
func TestStopAndGoOn(t *testing.T) {
	t.Parallel()
	u := Start(t, Options{Program: programs.Program(t, "pm25")})
	u.WaitValue(20*time.Second, 0, `pm2_up{daemon="none"}`)
	silence, err := u.Silence(map[string]string{"alertname": "PM2CrashLoop"}, time.Hour, "kept")
	if err != nil {
		t.Fatal(err)
	}
	before, err := u.Query(`pm2_up{daemon="none"}[5m]`)
	if err != nil || len(before) != 1 {
		t.Fatalf("%v, %v", before, err)
	}
	u.Stop()
	u.Again()
	u.Ready()
	after, err := u.Query(`pm2_up{daemon="none"}[5m]`)
	if err != nil || len(after) != 1 || len(after[0].Samples) < len(before[0].Samples) || after[0].Samples[0] != before[0].Samples[0] {
		t.Errorf("stored before: %v; found after a restart: %v, %v", before, after, err)
	}
	silences, err := u.Silences()
	if err != nil || len(silences) != 1 || silences[0].ID != silence || silences[0].Status.State != "active" {
		t.Errorf("silences %v, %v", silences, err)
	}
	if code, body, err := u.Get("/metrics"); err != nil || code != http.StatusOK || !strings.Contains(body, "pm25_storage_low_disk 0") {
		t.Errorf("/metrics: %d, %v: %.200s", code, err, body)
	}
	if err := u.Reload(); err != nil {
		t.Error(err)
	}
}

// TestTypedAddresses: what people of Prometheus and Alertmanager type leads to a
// page.
func TestTypedAddresses(t *testing.T) {
	t.Parallel()
	u := Start(t, Options{Program: programs.Program(t, "pm25")})
	defer u.Stop()
	for address, title := range map[string]string{
		"/alerts": "<h1>Alerts</h1>", "/prometheus/alerts": "<h1>Alerts</h1>", "/alertmanager": "<h1>Alerts</h1>",
		"/silences": "<h1>Silences</h1>", "/query?g0.expr=up": "<h1>Query</h1>", "/prometheus/": "<h1>Query</h1>",
	} {
		if code, body, err := u.Get(address); err != nil || code != http.StatusOK || !strings.Contains(body, title) {
			t.Errorf("%s: %d, %v, no %s in %.1500s", address, code, err, title, body)
		}
	}
}
