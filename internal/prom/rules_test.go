package prom

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const notifying = scraping + `
alerting:
  alertmanagers:
    - static_configs: [{targets: ["alertmanager.in-process:80"]}]
`

const builtinRules = `
groups:
  - name: orders
    rules:
      - {record: "job:orders:sum", expr: "sum by (job) (orders_total)"}
      - alert: ManyOrders
        expr: job:orders:sum > 5
        labels: {severity: page}
        annotations: {summary: "{{ $value }} orders, see {{ externalURL }}"}
`

type alert struct {
	Labels, Annotations map[string]string
	GeneratorURL        string
}

// alertmanager records what it is told.
func alertmanager(told chan<- alert) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var alerts []alert
		if err != nil || r.URL.Path != "/api/v2/alerts" || json.Unmarshal(body, &alerts) != nil {
			http.Error(w, "not alerts", http.StatusBadRequest)
			return
		}
		for _, a := range alerts {
			select {
			case told <- a:
			default: // told again
			}
		}
	})
}

func TestRulesAlertInMemory(t *testing.T) {
	r := open(t, notifying, func(o *Options) { o.Rules = map[string]string{"builtin/pm25.yml": builtinRules} })
	told := make(chan alert, 1)
	serve(t, r.net, "alertmanager", alertmanager(told))
	target(t, r.net).Add(7)
	r.Start()

	got := <-told
	if got.Labels["alertname"] != "ManyOrders" || got.Labels["job"] != "app" || got.Labels["severity"] != "page" {
		t.Errorf("labels %v", got.Labels)
	}
	if want := "7 orders, see http://pm25.test:9725"; got.Annotations["summary"] != want {
		t.Errorf("summary %q, not %q", got.Annotations["summary"], want)
	}
	if want := "http://pm25.test:9725/graph?g0.expr=" + url.QueryEscape("job:orders:sum > 5"); !strings.HasPrefix(got.GeneratorURL, want) {
		t.Errorf("generator %s, not %s", got.GeneratorURL, want)
	}
	until(t, "the results of the rules are stored", func() bool {
		return r.has(t, `job:orders:sum{job="app"} == 7`) && r.has(t, `ALERTS{alertname="ManyOrders",alertstate="firing"}`)
	})
	if _, text := r.body(t, http.MethodGet, "/api/v1/rules", ""); !strings.Contains(text, `"file":"builtin/pm25.yml"`) {
		t.Errorf("the built-in file is not named: %s", text)
	}
}

// An Alertmanager elsewhere is reached with the settings that its configuration
// gives: here, a password.
func TestAlertmanagerElsewhere(t *testing.T) {
	told := make(chan alert, 1)
	inner := alertmanager(told)
	elsewhere := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "pm25" || password != "secret" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	})
	r := open(t, scraping+`
alerting:
  alertmanagers:
    - basic_auth: {username: pm25, password: secret}
      static_configs: [{targets: ["`+elsewhere+`"]}]
`, func(o *Options) { o.Rules = map[string]string{"builtin/pm25.yml": builtinRules} })
	target(t, r.net).Add(7)
	r.Start()
	if got := <-told; got.Labels["alertname"] != "ManyOrders" {
		t.Errorf("told %v", got)
	}
}

// An alert that was active before a restart has been active since then, however
// short its `for` is: else it would seem over until that has passed again.
func TestForIsRestored(t *testing.T) {
	const rules = "groups: [{name: g, interval: 100ms, rules: [{alert: Long, expr: orders_total > 5, for: 2s}]}]"
	dir := filepath.Join(t.TempDir(), "tsdb")
	begin := func() *rig {
		r := open(t, scraping, func(o *Options) { o.Dir, o.Rules = dir, map[string]string{"builtin/pm25.yml": rules} })
		target(t, r.net).Add(7)
		r.Start()
		return r
	}
	firing := `ALERTS{alertname="Long",alertstate="firing"}`
	r := begin()
	until(t, "the alert fires", func() bool { return r.has(t, firing) })
	since := r.vector(t, `ALERTS_FOR_STATE{alertname="Long"}`)[0].F
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r = begin()
	until(t, "the alert is as old as it was", func() bool {
		state := `ALERTS_FOR_STATE{alertname="Long"}`
		v := r.vector(t, fmt.Sprintf("%s and timestamp(%s) > %d", state, state, r.birth.Unix()+1))
		return len(v) == 1 && v[0].F == since && r.has(t, firing)
	})
}

func TestSlowest(t *testing.T) {
	rules := map[string]string{"builtin/pm25.yml": "groups: [{name: g, interval: 7m, rules: []}]"}
	for conf, want := range map[string]time.Duration{
		"{}":                                7 * time.Minute,
		"global: {evaluation_interval: 9m}": 9 * time.Minute,
		"scrape_configs: [{job_name: a, scrape_interval: 11m}]": 11 * time.Minute,
	} {
		if got, err := Slowest(load(t, conf), rules, discard); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", conf, got, err, want)
		}
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	bad := write("bad.yml", "groups:\n  - name: mine\n    rules:\n      - alert: Broken\n        expr: sum(up\n")
	template := write("template.yml", "groups:\n  - name: mine\n    rules:\n      - alert: Templated\n        expr: up\n        labels: {a: '{{ nothing }}'}\n")
	good := write("good.yml", builtinRules)
	jobs := write("jobs.yml", "scrape_configs: [{job_name: app}]\n")
	for _, c := range []struct {
		name, conf string
		builtin    map[string]string
		want       []string // nothing: it is taken
	}{
		{"nothing", "", nil, nil},
		{"a good file", "rule_files: [" + good + "]", nil, nil},
		{"a pattern that matches nothing", "rule_files: [" + dir + "/none-*.yml]", nil, nil},
		{"a broken expression", "rule_files: [" + bad + "]", nil, []string{bad, " 5:15:", `group "mine"`, `"Broken"`, "mend it"}},
		{"a broken template", "rule_files: [" + dir + "/temp*.yml]", nil, []string{template, "Templated", `function "nothing" not defined`}},
		{"a file that is not there", "rule_files: [" + dir + "/gone.yml]", nil, []string{"gone.yml", "no such file"}},
		{"a broken built-in rule", "", map[string]string{"builtin/x.yml": "groups: [{}]"}, []string{"builtin/x.yml", "Groupname must not be empty"}},
		{"a job of this name twice", scraping + "scrape_config_files: [" + jobs + "]", nil, []string{"scrape_config_files", `"app"`}},
		{
			"a certificate that is not there", "remote_write: [{url: 'https://store.test', tls_config: {ca_file: " + dir + "/ca.pem}}]",
			nil,
			[]string{"remote_write[0]", "ca.pem"},
		},
	} {
		err := Check(load(t, c.conf+"\n"), c.builtin, discard)
		if len(c.want) == 0 && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, part := range c.want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v does not say %s", c.name, err, part)
			}
		}
	}
}
