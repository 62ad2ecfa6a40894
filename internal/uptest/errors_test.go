package uptest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// refused starts a program that has to end by itself with code 1 and a message
// at the end that holds all the texts.
func refused(t *testing.T, o Options, says ...string) {
	t.Helper()
	o.Program = programs.Program(t, "pm25")
	u := Launch(t, o)
	if code := u.Wait(t, 20*time.Second); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	log := "\n" + u.Log()
	message := log[strings.LastIndex(log, "\npm25: ")+1:]
	for _, s := range says {
		if !strings.Contains(message, s) {
			t.Errorf("it does not say %q: %s", s, message)
		}
	}
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestBadFiles: each error names the file, the line and what to do.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string) string { return write(t, filepath.Join(dir, name), content) }

	rules := file("rules.yml", "groups:\n  - name: mine\n    rules:\n      - alert: Mine\n        expr: up ==\n")
	unknown := file("unknown.yml", "groups:\n  - name: mine\n    rules:\n      - alert: Mine\n        exprs: up == 0\n")
	for _, c := range []struct {
		name string
		args []string
		says []string
	}{
		{"no rule file", []string{"--config.file=" + file("p1.yml", "rule_files: ["+dir+"/nowhere.yml]\n")}, []string{"nowhere.yml"}},
		{"bad expression", []string{"--config.file=" + file("p2.yml", "rule_files: ["+rules+"]\n")}, []string{rules, "5:15", "parse error"}},
		{"unknown field of a rule", []string{"--config.file=" + file("p3.yml", "rule_files: ["+unknown+"]\n")}, []string{unknown, "line 5", "exprs"}},
		{"bad prometheus.yml", []string{"--config.file=" + file("p4.yml", "global:\n  scrape_intervall: 5s\n")}, []string{dir + "/p4.yml", "line 2", "scrape_intervall"}},
		{"no prometheus.yml", []string{"--config.file=" + dir + "/p5.yml"}, []string{dir + "/p5.yml", "no such file"}},
		{
			"unknown receiver",
			[]string{"--alertmanager.config.file=" + file("a1.yml", "route:\n  receiver: team\nreceivers:\n  - name: tema\n")},
			[]string{dir + "/a1.yml:2", "team"},
		},
		{"bad alertmanager.yml", []string{"--alertmanager.config.file=" + file("a2.yml", "route:\n  receiver: [a\n")}, []string{dir + "/a2.yml:"}},
		{"bad targets", []string{"--targets=" + file("t1.json", `{"targets":["a:1"]}`)}, []string{dir + "/t1.json", "list", "host"}},
		{"no targets", []string{"--targets=" + dir + "/t2.json"}, []string{dir + "/t2.json"}},
		{"targets of no known form", []string{"--targets=" + file("t3.txt", "")}, []string{"t3.txt", ".json"}},
		{"bad web config", []string{"--web.config.file=" + file("w1.yml", "basic_auth_user: {}\n")}, []string{dir + "/w1.yml", "basic_auth_user"}},
		{"no such alert", []string{"--rules.config.file=" + file("c1.yml", "alerts: {PM2AppDwn: {disabled: true}}\n")}, []string{dir + "/c1.yml", "PM2AppDwn", "PM2AppDown"}},
		{"no such threshold", []string{"--rules.config.file=" + file("r2.yml", "thresholds:\n  crash_loop: 3\n")}, []string{dir + "/r2.yml", "line 2", "crash_loop"}},
		{"bad Grafana", []string{"--grafana.url=grafana:3000"}, []string{"--grafana.url", "http"}},
		{"bad webhook", []string{"--alert.webhook=chat.example.com/hook"}, []string{"--alert.webhook", "http"}},
		{
			"bad receivers",
			[]string{"--alert.receivers-file=" + file("r1.yml", "default: [ops]\nreceivers:\n  ops: {slack: {url: https://hunter2}}\n")},
			[]string{"--alert.receivers-file " + dir + "/r1.yml: line 3: receivers.ops.slack.url: there is no such key; known here: url_file"},
		},
		{"owners alone", []string{"--alert.owners-file=" + dir + "/o1.yml"}, []string{"--alert.owners-file needs --alert.receivers-file"}},
		{"two ways", []string{"--alert.receivers-file=x", "--alert.webhook=http://127.0.0.1:1"}, []string{"--alert.receivers-file excludes --alert.webhook"}},
		{"short retention", []string{"--storage.tsdb.retention.time=5m"}, []string{"--storage.tsdb.retention.time", "2h"}},
		{"no such flag", []string{"--nonsense"}, []string{"nonsense", "--help"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refused(t, Options{Args: c.args}, c.says...)
		})
	}
}

// TestBadPlaces: the port and the folder are somebody else's.
func TestBadPlaces(t *testing.T) {
	t.Parallel()
	t.Run("port", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		refused(t, Options{Args: []string{"--web.listen-address=" + l.Addr().String()}}, "--web.listen-address", l.Addr().String(), "taken", fmt.Sprint("pid ", os.Getpid()))
	})
	t.Run("public", func(t *testing.T) {
		t.Parallel()
		address := fmt.Sprintf("0.0.0.0:%d", pm2test.FreePort(t))
		refused(t, Options{Args: []string{"--web.listen-address=" + address}}, address, "basic_auth_users", "--web.config.file", "--web.insecure")
	})
	t.Run("version", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		file := write(t, filepath.Join(dir, "version"), "pm25 data 99\n")
		refused(t, Options{DataDir: dir}, file+":1", "99", "--data.dir")
		unchanged(t, dir, map[string]string{"version": "pm25 data 99\n"})
	})
	t.Run("foreign folder", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		write(t, filepath.Join(dir, "thesis.txt"), "mine")
		refused(t, Options{DataDir: dir}, dir, "thesis.txt", "--data.dir")
		unchanged(t, dir, map[string]string{"thesis.txt": "mine"})
	})
	t.Run("second", func(t *testing.T) {
		t.Parallel()
		u := Start(t, Options{Program: programs.Program(t, "pm25")})
		refused(t, Options{DataDir: u.DataDir}, u.DataDir, "in use", fmt.Sprint("pid ", u.PID()), "--data.dir")
		if err := u.ok("/-/ready"); err != nil {
			t.Errorf("the first one: %v", err)
		}
		u.Stop()
	})
}

// unchanged holds that a folder has just these files.
func unchanged(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if b, err := os.ReadFile(filepath.Join(dir, e.Name())); err != nil || string(b) != files[e.Name()] {
			t.Errorf("%s is in the folder now: %q, %v", e.Name(), b, err)
		}
	}
	if len(entries) != len(files) {
		t.Errorf("%d files in the folder, want %d", len(entries), len(files))
	}
}

// TestBadReload: what is wrong is told, and what runs stays.
func TestBadReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := write(t, filepath.Join(dir, "prometheus.yml"), "global:\n  external_labels: {site: one}\n")
	u := Start(t, Options{Program: programs.Program(t, "pm25"), Args: []string{"--config.file=" + config}})
	write(t, config, "global:\n  external_lables: {site: two}\n")
	if err := u.Reload(); err == nil || !strings.Contains(err.Error(), config) || !strings.Contains(err.Error(), "external_lables") {
		t.Errorf("a bad file: %v", err)
	}
	if _, body, err := u.Get("/prometheus/api/v1/status/config"); err != nil || !strings.Contains(body, "site: one") {
		t.Errorf("what runs is not what ran: %v: %.500s", err, body)
	}
	write(t, config, "global:\n  external_labels: {site: two}\n")
	if err := u.Reload(); err != nil {
		t.Errorf("a good file: %v", err)
	}
	if _, body, err := u.Get("/prometheus/api/v1/status/config"); err != nil || !strings.Contains(body, "site: two") {
		t.Errorf("a good file is not taken: %v: %.500s", err, body)
	}
	u.Stop()
}

// TestReloadOfRules: thresholds and links change without a restart, and what is
// wrong is told and leaves the rules that run.
func TestReloadOfRules(t *testing.T) {
	t.Parallel()
	config := write(t, filepath.Join(t.TempDir(), "rules.yml"), "thresholds: {crash_loop_ends: 6}\n")
	u := Start(t, Options{Program: programs.Program(t, "pm25"), Args: []string{"--rules.config.file=" + config, "--grafana.url=http://grafana.test"}})
	defer u.Stop()
	runs := func(texts ...string) {
		t.Helper()
		_, body, err := u.Get("/prometheus/api/v1/rules?rule_name[]=PM2CrashLoop")
		for _, text := range texts {
			if err != nil || !strings.Contains(body, text) {
				t.Errorf("rules without %q: %v: %.3000s", text, err, body)
			}
		}
	}
	runs("\\u003e 6 - 0.1", "http://grafana.test/d/pm25-app")

	write(t, config, "thresholds: {crash_loop_ends: 7}\nalerts: {PM2CrashLop: {disabled: true}}\n")
	if err := u.Reload(); err == nil || !strings.Contains(err.Error(), config) || !strings.Contains(err.Error(), "PM2CrashLoop") {
		t.Errorf("a bad file: %v", err)
	}
	runs("\\u003e 6 - 0.1")

	write(t, config, "thresholds: {crash_loop_ends: 7}\ngrafana_url: http://boards.test\n")
	if err := u.Reload(); err != nil {
		t.Errorf("a good file: %v", err)
	}
	runs("\\u003e 7 - 0.1", "http://boards.test/d/pm25-app")
}
