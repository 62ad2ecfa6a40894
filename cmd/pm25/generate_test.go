package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGenerate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := run([]string{"generate", "--check", dir}); err == nil || !strings.Contains(err.Error(), "no such folder") {
		t.Errorf("of no folder: %v", err)
	}
	if err := run([]string{"generate", dir}); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"generate", "--check", dir}); err != nil {
		t.Error(err)
	}
	err := run([]string{"generate", "--check", "--server.url=https://pm25.example.com", dir})
	for _, name := range []string{"prometheus/prometheus.yml", "grafana/provisioning/datasources/pm25.yml"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("with another server %s is stale: %v", name, err)
		}
	}
	if text := read(t, dir, "prometheus/rules/pm25.yml"); !strings.Contains(text, "'http://127.0.0.1:3000/d/pm25-app?") || !strings.Contains(text, "'http://127.0.0.1:9725/runbooks/") ||
		!strings.Contains(text, "'http://127.0.0.1:9093/#/silences/new?") || strings.Contains(text, "externalURL") {
		t.Error("without flags alerts do not link to Grafana, PM25 and Alertmanager")
	}
	bad := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(bad, []byte("langage: zh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"generate", "--rules.config.file=" + bad, dir}); err == nil || !strings.Contains(err.Error(), "langage") {
		t.Errorf("a setting that there is not: %v", err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestGenerateWhoIsTold: by files whose secrets are on another machine, or by a
// webhook.
func TestGenerateWhoIsTold(t *testing.T) {
	dir := t.TempDir()
	receivers := filepath.Join(dir, "receivers.yml")
	if err := os.WriteFile(receivers, []byte("default: [ding, chat]\nreceivers:\n  ding: {dingtalk: {url_file: ding.url}}\n  chat: {slack: {url_file: chat.url}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	chinese := filepath.Join(dir, "zh.yml")
	if err := os.WriteFile(chinese, []byte("language: zh\ndefault: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "zh")
	if err := run([]string{"generate", "--alert.receivers-file=" + chinese, out}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(read(t, out, "grafana/dashboards/pm25-fleet.json"), "总览") || !strings.Contains(read(t, out, "prometheus/rules/pm25.yml"), "主机") {
		t.Error("rules and boards do not speak the language of receivers")
	}
	for _, test := range []struct {
		flags []string
		want  string
		err   string
	}{
		{nil, "(nobody)", ""},
		{[]string{"--alert.webhook=http://hook:8080/a"}, "http://hook:8080/a", ""},
		{[]string{"--alert.receivers-file=" + receivers, "--notify.token-file=/run/token"}, "http://127.0.0.1:9725/notify/dingtalk/ding", ""},
		{[]string{"--alert.receivers-file=" + receivers, "--notify.token-file=/run/token"}, filepath.Join(dir, "chat.url"), ""},
		{[]string{"--alert.receivers-file=" + receivers, "--notify.token-file=/run/token", "--alert.receivers-dir=/etc/pm25"}, "/etc/pm25/chat.url", ""},
		{[]string{"--alert.receivers-file=" + receivers}, "", `receiver "ding" is the robot of a chat, and PM25's bridge to it takes nothing from an Alertmanager without its token: name the file with it by --notify.token-file`},
		{[]string{"--alert.receivers-file=" + receivers, "--notify.url=https://pm25.lan/", "--notify.token-file=/run/token"}, "/run/token", ""},
		{[]string{"--alert.receivers-file=" + receivers, "--alert.webhook=http://hook"}, "", "exclude each other"},
		{[]string{"--alert.webhook=hook"}, "", "--alert.webhook is no URL"},
		{[]string{"--alert.owners-file=" + receivers}, "", "needs --alert.receivers-file"},
		{[]string{"--grafana.url=grafana"}, "", "--grafana.url is no URL"},
		{[]string{"--notify.url=pm25"}, "", "address of bridge"},
	} {
		out := filepath.Join(t.TempDir(), "out")
		err := run(append([]string{"generate", out}, test.flags...))
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q: %v", test.flags, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", test.flags, err)
		} else if text := read(t, out, "alertmanager/alertmanager.yml"); !strings.Contains(text, test.want) {
			t.Errorf("%q: no %s in\n%s", test.flags, test.want, text)
		}
	}
}
