package agenttest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/pm25/pm25/internal/pm2test"
)

// reporter is an app that reports as pm25-ext does, by hand: from its start
// it has served two requests of 30 ms and one of 400 ms, and goes on to report
// that, now in part and now whole.
const reporter = `
const le = [0.005,0.01,0.025,0.05,0.1,0.2,0.3,0.5,0.6,1,2.5,5,10];
const start = Math.floor(performance.timeOrigin);
let seq = 0;
const report = () => process.send({type: 'pm25:report', data: {
  v: 1, pid: process.pid, start, seq: ++seq, full: seq % 2 === 0, ext: '0.1.0', node: process.versions.node,
  http: {le, schema: 3, inflight: 2, collapsed: 0, series: [
    ['GET', '/users/:id', '2xx', 3, 0.46, [0,0,0,2,0,0,0,1,0,0,0,0,0], 0, [[-40,2],[-10,1]]]]},
  slow: [{id: '01a214a2-4439-7352-a53c-8cf9333d90e9', m: 'GET', r: '/users/:id', c: 200, s: 0.4, at: Date.now(), aborted: false}],
  slowDropped: 0,
  runtime: {heap: [1,2,3,4,5], afterGC: null, gc: {major: [1,0.002,[0,1,0,0,0,0]]}, loop: [1,2], delay: [0,0,0,0,0,0,0], delayMax: 0, handles: 1, requests: 0},
  exceptions: {uncaught: 0, rejection: 0, handled: 1, notified: 0}, eventsDropped: 0}});
process.send({type: 'pm25:report', data: {v: 1, pid: process.pid, start, seq: 1, full: true, http: 'no report'}});
process.send({type: 'http:transaction', data: {url: '/a?token=canary', method: 'GET', time: 300, code: 503, ip: '::1', size: 1}});
setInterval(report, 200);
`

// viaSocket makes a reporter use the agent's socket instead of PM2's bus.
const viaSocket = `
const net = require('net');
const socket = () => net.connect(process.env.PM2_HOME + '/pm25-ext.sock').on('error', () => { out = null; });
let out = null;
const send = (m) => {
  if (!out) out = socket();
  out.write(JSON.stringify({topic: m.type, data: m.data, pm_id: Number(process.env.as || process.env.pm_id)}) + '\n');
};
process.send = send;
`

// native is the sum of a histogram's exponential buckets.
func native(h *dto.Histogram) uint64 {
	n, at := int64(h.GetZeroCount()), int64(0)
	for _, delta := range h.GetPositiveDelta() {
		at += delta
		n += at
	}
	return uint64(n)
}

// protobufFamily scrapes one family in protobuf.
func (a *agent) protobufFamily(name string) *dto.MetricFamily {
	a.t.Helper()
	code, body, err := a.try("/metrics", http.Header{"Accept": {protobuf}})
	if err != nil || code != http.StatusOK {
		a.t.Fatalf("%d, %v", code, err)
	}
	dec := expfmt.NewDecoder(strings.NewReader(body), expfmt.NewFormat(expfmt.TypeProtoDelim))
	for {
		var f dto.MetricFamily
		switch err := dec.Decode(&f); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			a.t.Fatal(err)
		case f.GetName() == name:
			return &f
		}
	}
}

// requests waits until an app has that many requests, and then sees that it
// has no more.
func (a *agent) requests(app string, want uint64) {
	a.t.Helper()
	const name = "pm2_http_request_duration_seconds"
	count := func() (uint64, error) {
		found := a.scrape().find(name, "app", app, "route", "/users/:id", "method", "GET", "code", "2xx")
		if len(found) != 1 {
			return 0, fmt.Errorf("%d series", len(found))
		}
		return found[0].GetHistogram().GetSampleCount(), nil
	}
	pm2test.Eventually(a.t, 20*time.Second, func() error {
		n, err := count()
		if err == nil && n != want {
			err = fmt.Errorf("%s: %d requests, want %d", app, n, want)
		}
		return err
	})
	a.hears(5)
	if n, err := count(); err != nil || n != want {
		a.t.Errorf("%s: %d requests, want %d, %v", app, n, want, err)
	}
	for _, m := range a.protobufFamily(name).GetMetric() {
		h := m.GetHistogram()
		classic := h.GetBucket()
		if label(m, "app") == app && (native(h) != want || h.GetSampleCount() != want || h.GetCreatedTimestamp() == nil || classic[len(classic)-1].GetCumulativeCount() != want) {
			a.t.Errorf("%s: native %d, classic %d", app, native(h), classic[len(classic)-1].GetCumulativeCount())
		}
	}
}

// hears waits until more reports were read.
func (a *agent) hears(more float64) {
	a.t.Helper()
	read := func() float64 { v, _ := a.scrape().value("pm25_agent_bus_messages_total", "kind", "report"); return v }
	from := read()
	pm2test.Eventually(a.t, 20*time.Second, func() error {
		if n := read(); n < from+more {
			return fmt.Errorf("%v reports, want %v", n, from+more)
		}
		return nil
	})
}

// TestReports: requests that processes report become histograms of their apps,
// over workers, restarts of theirs and of the agent.
func TestReports(t *testing.T) {
	d := pm2test.New(t, pm2test.Options{})
	state := t.TempDir()
	a := launch(t, state, nil, "--pm2.home=e="+d.Home())
	a.ready()
	a.wait(1, "pm2_up", "daemon", "e")
	script := filepath.Join(d.Home(), "reporter.js")
	write(t, script, reporter)
	d.App(t, pm2test.AppSpec{Name: "fork", Script: script}, pm2test.AppSpec{Name: "cluster", Script: script, Cluster: 2})
	a.requests("fork", 3)
	a.requests("cluster", 6)
	d.Must(t, "restart", "fork")
	a.requests("fork", 6)
	d.Must(t, "reload", "cluster")
	a.requests("cluster", 12)

	m := a.scrape()
	for _, c := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{2, "pm2_http_requests_in_flight", []string{"app", "fork"}},
		{1, "nodejs_heap_size_used_bytes", []string{"app", "fork"}},
		{2, "nodejs_eventloop_time_seconds_total", []string{"app", "fork", "state", "active"}}, // of two lives
		{2, "pm2_app_exceptions_total", []string{"app", "fork", "handled", "true"}},
		{2, "pm2_http_slow_requests_total", []string{"app", "fork", "code", "5xx"}},
		{6, "pm25_agent_decode_errors_total", nil}, // one of each life
	} {
		if v, ok := m.value(c.name, c.labels...); !ok || v != c.want {
			t.Errorf("%s%q is %v (%v), want %v", c.name, c.labels, v, ok, c.want)
		}
	}
	if native, exemplars, classic := a.prometheusReads("cluster"); native != 12 || exemplars != 1 || classic != 12 {
		t.Errorf("Prometheus reads %d and %v requests with %d exemplars, want 12 and one", native, classic, exemplars)
	}
	_, text, err := a.try("/metrics", http.Header{"Accept": {"application/openmetrics-text"}})
	if want := `le="0.5"} 6 # {record_id="01a214a2-4439-7352-a53c-8cf9333d90e9"} 0.4 `; err != nil || !strings.Contains(text, want) || strings.Contains(text, "canary") {
		t.Errorf("no %s in OpenMetrics, or a secret (%v)", want, err)
	}

	if code := a.stop(syscall.SIGTERM); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	d.Must(t, "restart", "fork") // while nobody looks
	a = launch(t, state, nil, "--pm2.home=e="+d.Home())
	a.ready()
	a.requests("fork", 9)
	a.requests("cluster", 12)

	a.stop(syscall.SIGKILL)
	a = launch(t, state, nil, "--pm2.home=e="+d.Home())
	a.ready()
	a.requests("fork", 0)
	a.requests("cluster", 0)
	d.Must(t, "stop", "fork")
	pm2test.Eventually(t, 10*time.Second, func() error {
		m := a.scrape()
		for _, name := range []string{"pm2_http_requests_in_flight", "nodejs_heap_size_used_bytes", "nodejs_last_report_timestamp_seconds"} {
			if n := len(m.find(name, "app", "fork")); n != 0 {
				return fmt.Errorf("%s of a process that ended", name)
			}
		}
		return nil
	})
	d.Must(t, "delete", "cluster")
	pm2test.Eventually(t, 10*time.Second, func() error {
		if n := len(a.scrape().find("pm2_http_request_duration_seconds", "app", "cluster")); n != 0 {
			return fmt.Errorf("%d series of an app that was deleted", n)
		}
		return nil
	})
}

// TestReportsWithoutABus: a process that PM2 does not start itself reports over
// the agent's socket, under its own name only.
func TestReportsWithoutABus(t *testing.T) {
	d := pm2test.New(t, pm2test.Options{})
	script := filepath.Join(d.Home(), "reporter.js")
	write(t, script, viaSocket+reporter)
	sh := func(name string, env map[string]string) pm2test.AppSpec {
		return pm2test.AppSpec{Name: name, Script: "/bin/sh", Args: []string{"-c", "node " + script + "; true"}, Env: env, Extra: map[string]any{"interpreter": "none"}}
	}
	a := start(t, "--pm2.home=e="+d.Home())
	a.wait(1, "pm2_up", "daemon", "e")
	d.App(t, sh("wrapped", nil))
	a.requests("wrapped", 3)
	d.App(t, sh("liar", map[string]string{"as": "0"}))
	pm2test.Eventually(t, 20*time.Second, func() error {
		if v, _ := a.scrape().value("pm25_agent_dropped_total", "what", "ext_message"); v < 5 {
			return fmt.Errorf("%v messages were dropped", v)
		}
		return nil
	})
	a.requests("wrapped", 3)
	m := a.scrape()
	if n := len(m.find("pm2_http_request_duration_seconds", "app", "liar")); n != 0 {
		t.Errorf("%d series of an app that reports as another", n)
	}
	if v, ok := m.value("nodejs_heap_size_used_bytes", "app", "wrapped"); !ok || v != 1 {
		t.Errorf("heap %v (%v)", v, ok)
	}
}

// TestExtPlan: what the plan prints does what it says.
func TestExtPlan(t *testing.T) {
	d := pm2test.New(t, pm2test.Options{})
	file := filepath.Join(d.Home(), "register.cjs")
	write(t, file, "process.title = 'preloaded'")
	d.App(t, pm2test.AppSpec{Name: "web"}, pm2test.AppSpec{Name: "many", Cluster: 2}, pm2test.AppSpec{Name: "sh", Script: "/bin/sleep", Args: []string{"canary"}, Extra: map[string]any{"interpreter": "none", "autorestart": false}})
	run := func(command string) (string, error) {
		cmd := exec.Command(binary, "ext", command, "--ext.path="+file, "--pm2.home=x="+d.Home(), "--state.dir="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if strings.Contains(string(out), "canary") {
			t.Errorf("an argument is in it: %s", out)
		}
		return string(out), err
	}
	block := func(title string) (lines []string) {
		out, err := run("plan")
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		_, rest, _ := strings.Cut(out, "\n"+title)
		rest, _, _ = strings.Cut(rest, "\n\n")
		for line := range strings.Lines(rest) {
			lines = append(lines, strings.TrimSpace(line))
		}
		return lines[1:]
	}
	states := func() map[string]string {
		states := map[string]string{}
		for _, line := range block("  APP ") {
			f := strings.Fields(line)
			states[f[0]] = strings.Join(f[4:], " ")
		}
		return states
	}
	follow := func(title string) {
		for _, command := range block(title) {
			_, args, _ := strings.Cut(command, " pm2 ")
			verb, rest, given := strings.Cut(args, ` --node-args="`)
			words := strings.Fields(verb)
			if given {
				words = append(words, "--node-args="+strings.TrimSuffix(rest, `"`))
			}
			d.Must(t, words...)
		}
	}
	if diff := cmp.Diff(map[string]string{"web": "off", "many": "off", "sh": "not possible"}, states()); diff != "" {
		t.Error(diff)
	}
	follow("Turn it on:")
	d.WaitStatus(t, "many", "online", 2)
	if s := states(); s["web"] != "on" || s["many"] != "on" {
		t.Errorf("turned on: %v", s)
	}
	if out, err := run("check"); err != nil {
		t.Errorf("check: %v, %s", err, out)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if out, err := run("check"); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(out, "app web loads "+file) {
		t.Errorf("check of a file that is not there: %v, %s", err, out)
	}
	write(t, file, "")
	follow("Turn it off:")
	d.WaitStatus(t, "many", "online", 2)
	if s := states(); s["web"] != "off" || s["many"] != "off" {
		t.Errorf("turned off: %v", s)
	}
}
