package alertmanager

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/rules/routing"
)

func TestDefault(t *testing.T) {
	conf, err := Default("https://user:pw@example.org/hook?a=1&b=%20x")
	ok(t, err)
	hooks := receiverOf(conf, "webhook").WebhookConfigs
	if len(hooks) != 1 || string(hooks[0].URL) != "https://user:pw@example.org/hook?a=1&b=%20x" || !hooks[0].SendResolved() || hooks[0].MaxAlerts != 2000 || hooks[0].Timeout != 10*time.Second {
		t.Errorf("webhooks %+v", hooks)
	}
	critical := dispatch.NewRoute(conf.Route, nil).Match(model.LabelSet{"alertname": "PM2CrashLoop", "severity": "critical"})[0].RouteOpts
	if critical.Receiver != "webhook" || critical.GroupWait != 5*time.Second {
		t.Errorf("critical: %+v", critical)
	}
	if watchdog := dispatch.NewRoute(conf.Route, nil).Match(model.LabelSet{"alertname": "PM25Watchdog", "severity": "none"})[0].RouteOpts; len(receiverOf(conf, watchdog.Receiver).WebhookConfigs) > 0 {
		t.Errorf("the watchdog goes to %s", watchdog.Receiver)
	}
	nobody, err := Default("")
	ok(t, err)
	if r := nobody.Receivers; len(r) != 1 || len(r[0].WebhookConfigs) != 0 {
		t.Errorf("receivers %+v", r)
	}
	if _, err := prepare(nobody, nil); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"hunter2", "ftp://host/hunter2", "http:///hunter2", "http://host:hunter2/", "http://host/%zzhunter2", "http://host/{{ hunter2", "http://host/\nhunter2"} {
		if _, err := Default(bad); err == nil || !strings.Contains(err.Error(), "--alert.webhook") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func receiverOf(conf *config.Config, name string) config.Receiver {
	for _, r := range conf.Receivers {
		if r.Name == name {
			return r
		}
	}
	return config.Receiver{}
}

// What is written for receivers of all kinds is taken, and told in our words over
// the connections that we are given.
func TestLoad(t *testing.T) {
	receivers := routing.Receivers{
		Language: routing.Chinese, Default: []string{"ding"},
		Receivers: map[string]routing.Receiver{"ding": {DingTalk: &routing.Robot{URLFile: "unused"}}},
	}
	text, err := routing.Alertmanager(receivers, nil, routing.Options{BridgeURL: "http://notify.in-process"})
	ok(t, err)
	conf, err := Load(strings.ReplaceAll(text, "5s", "10ms")) // not to wait
	ok(t, err)
	h := newHook(t)
	dialed := make(chan string, 10)
	r := start(t, t.TempDir(), conf, func(o *Options) {
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dialed <- address
			return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(h.URL, "http://"))
		}
	})
	a := alertOf("a", time.Hour)
	a.Labels = map[string]string{"alertname": "PM2CrashLoop", "severity": "critical", "n": "a"}
	r.post(t, a)
	h.expect(t, "firing a")
	if address := <-dialed; address != "notify.in-process:80" {
		t.Errorf("dialed %s", address)
	}
	templates, err := newTemplates(nil)
	ok(t, err)
	templates.ExternalURL = &url.URL{}
	if title, err := templates.ExecuteTextString(`{{ template "pm25.zh.title" . }}`, templates.Data("x", nil, nil, "")); err != nil || !strings.Contains(title, "恢复") {
		t.Errorf("%q, %v", title, err)
	}
	if _, err := Load("route: {receiver: secret}"); err == nil {
		t.Error("a bad configuration is taken")
	}
}

const goodConfig = `global:
  resolve_timeout: 5m
route:
  receiver: team
  group_by: [alertname]
  routes:
    - matchers: ['severity="page"']
      receiver: pager
      mute_time_intervals: [nights]
    - matchers:
        - app=~"api|web"
      receiver: team
inhibit_rules:
  - source_matchers: [severity="page"]
    target_matchers: [severity="info"]
    equal: [app]
time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: "22:00", end_time: "24:00"}]
receivers:
  - name: team
    webhook_configs:
      - url: http://127.0.0.1:1/secret
        send_resolved: true
  - name: pager
    webhook_configs:
      - url: http://127.0.0.1:1/secret
templates:
  - empty/*.tmpl
  - good.tmpl
`

func TestLoadFile(t *testing.T) {
	dir := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(dir, "good.tmpl"), []byte(`{{ define "x" }}hello{{ end }}`), 0o600))
	ok(t, os.WriteFile(filepath.Join(dir, "bad.tmpl"), []byte("\n{{ define }}"), 0o600))
	path := filepath.Join(dir, "alertmanager.yml")
	ok(t, os.WriteFile(path, []byte(goodConfig), 0o600))
	conf, err := LoadFile(path)
	ok(t, err)
	if conf.Templates[1] != filepath.Join(dir, "good.tmpl") {
		t.Errorf("templates %q", conf.Templates)
	}
	for name, tc := range map[string]struct {
		old, with string
		wants     []string
	}{
		"receiver of a route":    {"receiver: pager", "receiver: pagr", []string{":8: ", `"pagr"`, "define it under receivers:"}},
		"receiver of the root":   {"receiver: team\n  group_by", "receiver: nobody\n  group_by", []string{":4: ", `"nobody"`}},
		"receiver twice":         {"- name: pager", "- name: team", []string{":26: ", `"team"`, "another name"}},
		"receiver without name":  {"- name: pager\n   ", "-", []string{":26: ", "missing name"}},
		"interval":               {"[nights]", "[days]", []string{":9: ", `"days"`, "time_intervals:"}},
		"unknown field":          {"send_resolved", "send_resolve", []string{":25: ", `unknown field "send_resolve"`}},
		"unknown top field":      {"global:", "globl:", []string{":1: ", `unknown field "globl"`}},
		"two unknown fields":     {"resolve_timeout: 5m\nroute:", "a: 1\n  b: 2\nroute:", []string{":2: ", ":3: ", `"a"`, `"b"`}},
		"matcher":                {`- app=~"api|web"`, `- app`, []string{":11: ", "bad matcher", `app="api"`}},
		"matcher's expression":   {`api|web`, `api(`, []string{":11: ", "api("}},
		"matcher of inhibition":  {`[severity="info"]`, `["=info"]`, []string{":15: ", "bad matcher"}},
		"duration":               {"resolve_timeout: 5m", "resolve_timeout: 5 minutes", []string{":2: ", "5 minutes", "30s, 5m"}},
		"no URL":                 {"url: http://127.0.0.1:1/secret\n        send", "send", []string{":24: ", "url"}},
		"URL":                    {"http://127.0.0.1:1/secret\n        send", "http://127.0.0.1:1/secret%zz\n        send", []string{":24: ", "URL"}},
		"scheme":                 {"http://127.0.0.1:1/secret\n        send", "secret://x\n        send", []string{":24: ", "scheme"}},
		"not YAML":               {"route:\n", "route: [\n", []string{": ", "alertmanager.yml:"}},
		"no route":               {goodConfig, "receivers: [{name: a}]", []string{"no route", "add route:"}},
		"empty":                  {goodConfig, "", []string{"no route"}},
		"time":                   {"22:00", "25:00", []string{":20: ", "25:00"}},
		"label in group_by":      {"[alertname]", "[alertname, alertname]", []string{":5: ", "group_by"}},
		"template is not there":  {"- good.tmpl", "- none.tmpl", []string{":31: ", "none.tmpl", "no such file"}},
		"template":               {"- good.tmpl", "- bad.tmpl", []string{":31: ", "bad.tmpl:2"}},
		"certificates not there": {"send_resolved: true", "http_config: {tls_config: {ca_file: none.pem}}", []string{":22: ", "team", "none.pem"}},
	} {
		if !strings.Contains(goodConfig, tc.old) {
			t.Fatalf("%s: %q is not in the text", name, tc.old)
		}
		ok(t, os.WriteFile(path, []byte(strings.Replace(goodConfig, tc.old, tc.with, 1)), 0o600))
		conf, err := LoadFile(path)
		if err == nil || conf != nil {
			t.Errorf("%s: %v, %v", name, conf, err)
			continue
		}
		for _, want := range append(tc.wants, path) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no %q in: %v", name, want, err)
			}
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: a secret in: %v", name, err)
		}
	}
	if _, err := LoadFile(filepath.Join(dir, "none.yml")); err == nil || !strings.Contains(err.Error(), "none.yml") {
		t.Errorf("no file: %v", err)
	}
	ok(t, os.Truncate(path, maxConfig+1))
	if _, err := LoadFile(path); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a large file: %v", err)
	}
}

// An error in a long file is found in a moment.
func TestLongFile(t *testing.T) {
	text := &strings.Builder{}
	text.WriteString("route: {receiver: r0}\nreceivers:\n")
	for i := range 1500 {
		fmt.Fprintf(text, "  - name: r%d\n    webhook_configs: [{url: 'http://127.0.0.1:1/%d'}]\n", i, i)
	}
	text.WriteString("  - name: bad\n    webhook_configs: [{}]\n")
	path := filepath.Join(t.TempDir(), "alertmanager.yml")
	ok(t, os.WriteFile(path, []byte(text.String()), 0o600))
	begun := time.Now()
	_, err := LoadFile(path)
	if err == nil || !strings.Contains(err.Error(), path+":3004: ") {
		t.Errorf("error %v", err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}
