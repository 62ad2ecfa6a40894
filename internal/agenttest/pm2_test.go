package agenttest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2test"
)

const protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

// TestSecrets: nothing that an app keeps in its environment, arguments or
// module configuration comes out anywhere.
func TestSecrets(t *testing.T) {
	d := pm2test.New(t, pm2test.Options{Env: []string{"DAEMON_SECRET=canary-daemon"}})
	conf := filepath.Join(d.Home(), "module_conf.json")
	write(t, conf, `{"secretmod":{"password":"canary-module"}}`)
	mod := filepath.Join(d.Home(), "mod.js")
	write(t, mod, `process.send({type:'axm:option:configuration',data:{module_conf:{password:'canary-axm'},module_name:'m',other:'canary-option'}});setInterval(()=>{},1000)`)
	d.App(t,
		pm2test.AppSpec{Name: "web", Args: []string{"--password=canary-arg"}, NodeArgs: []string{"--title=canary-nodearg"}, Env: map[string]string{
			"DATABASE_URL": "canary-url", "token": "canary-token", "NODE_APP_INSTANCE": "canary-instance", "revision": "canary-rev",
			"axm_monitor": "canary-axm", "pm2_env": "canary-pm2env", "monit": "canary-monit", "restart_time": "canary-count",
		}},
		pm2test.AppSpec{Name: "mod", Script: mod, Extra: map[string]any{"pmx_module": true, "env_production": map[string]string{"X": "canary-env"}}},
		pm2test.AppSpec{Name: "crash", Env: map[string]string{"SECRET": "canary-crash"}, Do: []pm2test.Cmd{{"do": "throw", "message": "canary-message", "after": 500}}, Extra: map[string]any{"max_restarts": 2, "min_uptime": 100000}},
	)
	d.Must(t, "save")
	state := t.TempDir()
	a := launch(t, state, nil, "--pm2.home=s="+d.Home())
	a.ready()
	a.wait(1, "pm2_up", "daemon", "s")
	d.WaitStatus(t, "crash", "errored", 1)
	d.Must(t, "restart", "web")
	a.wait(1, "pm2_app_exits_total", "app", "web", "reason", "operator")

	var all bytes.Buffer
	for _, accept := range []string{"text/plain", "application/openmetrics-text", protobuf} {
		code, body, err := a.try("/metrics", http.Header{"Accept": {accept}})
		if err != nil || code != 200 || !strings.Contains(body, "pm2_app_exits") {
			t.Fatalf("%s: %d, %v", accept, code, err)
		}
		all.WriteString(body)
	}
	_, page := a.get("/")
	all.WriteString(page)
	if code := a.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
	all.WriteString(a.log())
	files, _ := filepath.Glob(filepath.Join(state, "*"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	if len(files) < 3 || !strings.Contains(all.String(), `"restarts"`) {
		t.Errorf("what was looked at is not all: %q", files)
	}
	for line := range strings.Lines(all.String()) {
		if i := strings.Index(line, "canary"); i >= 0 {
			t.Errorf("a secret came out: …%s…", line[max(0, i-100):min(len(line), i+40)])
		}
	}
}

// TestNames: names that apps may have, and environments that override what PM2
// says of an app.
func TestNames(t *testing.T) {
	d := pm2test.New(t, pm2test.Options{})
	long := strings.Repeat("长", 3333) + "x"
	names := []string{"two words", `quo"te`, `back\slash`, "new\nline", "订单服务", "tab\there", "(other)", "{curly}", "a:b", "x]", "App [y:0] exited with code [1] via signal [SIGKILL]"}
	var specs []pm2test.AppSpec
	bash := func(name string) pm2test.AppSpec {
		return pm2test.AppSpec{Name: name, Script: "/bin/sleep", Args: []string{"1000"}, Extra: map[string]any{"interpreter": "none"}}
	}
	for _, n := range append(names, long) {
		specs = append(specs, bash(n))
	}
	if !utf8.ValidString(long) {
		t.Fatal("bad test")
	}
	for _, ns := range []string{"eu", "us"} {
		s := bash("twin")
		s.Namespace = ns
		specs = append(specs, s)
	}
	over := bash("real")
	over.Env = map[string]string{"name": "forged", "namespace": "forged-ns", "instances": "7", "exit_code": "99", "version": "6.6.6", "pm_id": "0", "status": "errored", "restart_time": "55", "created_at": "x"}
	specs = append(specs, over)
	if err := d.StartApps(t.Context(), specs...); err != nil {
		t.Logf("some did not start: %v", err)
	}
	a := start(t, "--pm2.home=n="+d.Home())
	a.wait(1, "pm2_up", "daemon", "n")
	procs, err := d.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(procs) < len(specs)-2 {
		t.Errorf("PM2 runs %d of %d apps", len(procs), len(specs))
	}
	a.checkUnique()
	m := a.scrape()
	for _, p := range procs {
		name, ns := pm2.SafeName([]byte(p.Name)), p.Namespace
		id := fmt.Sprint(p.PMID)
		if v, ok := m.value("pm2_process_pid", "app", name, "pm2_namespace", ns, "pm_id", id); !ok || int(v) != p.PID {
			t.Errorf("%.60q in %s: pid %v, %v, want %d; its id has %v", p.Name, ns, v, ok, p.PID, m.find("pm2_process_pid", "pm_id", id))
		}
		if _, ok := m.value("pm2_app_exits_total", "app", name, "pm2_namespace", ns, "reason", "signal"); !ok {
			t.Errorf("%.60q in %s has no counters", p.Name, ns)
		}
	}
	// Each is killed once, and each count goes to its own app.
	for _, p := range procs {
		if err := syscall.Kill(p.PID, syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
	pm2test.Eventually(t, 20*time.Second, func() error {
		m := a.scrape()
		for _, p := range procs {
			name := pm2.SafeName([]byte(p.Name))
			if v, _ := m.value("pm2_app_exits_total", "app", name, "pm2_namespace", p.Namespace, "reason", "signal"); v != 1 {
				return fmt.Errorf("%.60q in %s: %v ends by a signal", p.Name, p.Namespace, v)
			}
		}
		if n := len(m.find("pm2_process_pid")); n != len(procs) {
			return fmt.Errorf("%d processes, want %d", n, len(procs))
		}
		return nil
	})
	a.checkUnique()
}

// checkUnique fails the test when a series comes twice.
func (a *agent) checkUnique() {
	a.t.Helper()
	_, body := a.get("/metrics")
	seen := map[string]bool{}
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		series := line[:strings.LastIndexByte(line, ' ')]
		if seen[series] {
			a.t.Errorf("twice: %.300s", series)
		}
		seen[series] = true
	}
}

// TestPM2ComesAndGoes: PM2 is ended in every way under a loop of scrapes.
func TestPM2ComesAndGoes(t *testing.T) {
	d := pm2test.New(t, pm2test.Options{})
	d.App(t, pm2test.AppSpec{Name: "web"}, pm2test.AppSpec{Name: "api", Cluster: 2})
	d.Must(t, "save")
	a := start(t, "--pm2.home=d="+d.Home())
	a.wait(1, "pm2_up", "daemon", "d")

	ctx, cancel := context.WithCancel(t.Context())
	loop := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			began := time.Now()
			code, body, err := a.try("/metrics", http.Header{"X-Prometheus-Scrape-Timeout-Seconds": {"3"}})
			switch took := time.Since(began); {
			case err != nil, code != 200, !strings.Contains(body, `pm2_up{daemon="d"}`), took > 3*time.Second:
				loop <- fmt.Errorf("a scrape: %d, %w, after %s: %.200s", code, err, took, body)
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		loop <- nil
	}()
	back := func(what string, processes int) {
		t.Helper()
		pm2test.Eventually(t, 20*time.Second, func() error {
			m := a.scrape()
			if up, _ := m.value("pm2_up"); up != 1 {
				return fmt.Errorf("%s: pm2_up %v", what, up)
			}
			if n := len(m.find("pm2_process_state", "state", "online")); n != processes {
				return fmt.Errorf("%s: %d processes, want %d", what, n, processes)
			}
			return nil
		})
	}
	d.Must(t, "update")
	back("after update", 3)
	if v, _ := a.scrape().value("pm2_app_exits_total", "app", "web", "reason", "operator"); v != 1 {
		t.Errorf("update: %v ends by an operator, want 1", v)
	}
	d.KillDaemon9()
	a.wait(0, "pm2_up", "daemon", "d")
	if err := d.Resurrect(t.Context()); err != nil {
		t.Fatal(err)
	}
	back("after kill -9", 3)
	pm2test.Eventually(t, 10*time.Second, func() error {
		m := a.scrape()
		crashes := 0.0
		for _, s := range m.find("pm2_app_exits_total", "reason", "crash") {
			crashes += s.GetCounter().GetValue()
		}
		web, _ := m.value("pm2_app_exits_total", "app", "web", "reason", "unknown")
		api, _ := m.value("pm2_app_exits_total", "app", "api", "reason", "unknown")
		if web != 1 || api != 2 || crashes != 0 {
			return fmt.Errorf("kill -9: web %v and api %v ends for an unknown reason, %v crashes", web, api, crashes)
		}
		return nil
	})
	d.Must(t, "kill")
	a.wait(0, "pm2_up", "daemon", "d")
	if n := len(a.scrape().find("pm2_process_state")); n != 0 {
		t.Errorf("%d process states of a daemon that is gone", n)
	}
	cancel()
	if err := <-loop; err != nil {
		t.Error(err)
	}
	if v, _ := a.scrape().value("pm25_agent_decode_errors_total", "daemon", "d"); v != 0 {
		t.Errorf("%v decode errors", v)
	}
}
