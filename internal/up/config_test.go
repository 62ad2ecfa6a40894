package up

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/config"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func jobs(conf *config.Config) string {
	var names []string
	for _, s := range conf.ScrapeConfigs {
		names = append(names, s.JobName)
	}
	return strings.Join(names, " ")
}

func TestBuiltinConfig(t *testing.T) {
	conf, err := prometheusConfig("", `host "quoted": {`, []string{"/etc/pm25/*.json"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if got := jobs(conf); got != "pm2 pm25" {
		t.Errorf("jobs %s", got)
	}
	for _, want := range []string{`instance: 'host "quoted": {'`, "/etc/pm25/*.json", "scrape_native_histograms: true", "alertmanager.in-process:80", "http://pm25.in-process/local"} {
		if !strings.Contains(conf.String(), want) {
			t.Errorf("no %s in\n%s", want, conf)
		}
	}
}

// TestOwnConfig: a user's file keeps all that it says, and gets what it lacks.
func TestOwnConfig(t *testing.T) {
	file := write(t, "prometheus.yml", `
global:
  scrape_interval: 30s
  external_labels: {site: lab}
scrape_configs:
  - job_name: node
    static_configs: [{targets: ["127.0.0.1:9100"]}]
  - job_name: pm25
    static_configs: [{targets: ["127.0.0.1:1"]}]
alerting:
  alertmanagers:
    - static_configs: [{targets: ["127.0.0.1:9093"]}]
remote_write:
  - url: http://127.0.0.1:9999/api/v1/write
`)
	conf, err := prometheusConfig(file, "web-1", nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if got := jobs(conf); got != "node pm25 pm2" {
		t.Errorf("jobs %s", got)
	}
	text := conf.String()
	for _, want := range []string{"site: lab", "127.0.0.1:9093", "alertmanager.in-process:80", "127.0.0.1:1", "http://127.0.0.1:9999/api/v1/write"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "pm25.in-process:80") {
		t.Error("the user's job pm25 was replaced")
	}
	if _, err := prometheusConfig(write(t, "prometheus.yml", "global:\n  scrape_intervall: 5s\n"), "web-1", nil, slog.New(slog.DiscardHandler)); err == nil ||
		!strings.Contains(err.Error(), "prometheus.yml") || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("an unknown field: %v", err)
	}
}

func TestTargetFiles(t *testing.T) {
	for name, c := range map[string]struct{ file, content, want string }{
		"good JSON":  {"hosts.json", `[{"targets": ["10.0.0.5:9209"], "labels": {"host": "web-1"}}]`, ""},
		"good YAML":  {"hosts.yml", "- targets: ['10.0.0.5:9209']\n", ""},
		"a URL":      {"hosts.json", `[{"targets": ["http://10.0.0.5:9209/metrics"]}]`, "is not a valid hostname"},
		"extension":  {"hosts.txt", "", "has to end in .json, .yml or .yaml"},
		"not a list": {"hosts.json", `{"targets": []}`, "it has to be a list such as"},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkTargetFiles([]string{write(t, c.file, c.content)})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if err := checkTargetFiles([]string{"/nonexistent/hosts.json"}); err == nil {
		t.Error("a file that is not there was taken")
	}
	if err := checkTargetFiles([]string{filepath.Join(t.TempDir(), "*.json")}); err != nil {
		t.Errorf("a pattern that matches nothing yet: %v", err)
	}
}
