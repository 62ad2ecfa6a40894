//go:build routes

package mixedhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
)

const (
	turnOn  = "Turn it on:"
	turnOff = "Turn it off:"
	lineOn  = "On in an ecosystem file, whose arguments replace these when the app is started from it:"
	lineOff = "Off in an ecosystem file:"
)

// TestMixedHost turns pm25-ext on, removes it and turns it off, all as the plan
// says, and looks at every app after every step.
func TestMixedHost(t *testing.T) {
	h := newHost(t, filepath.Join(t.TempDir(), "pm25", "ext"), apps(t))
	says := func(state string) plan {
		t.Helper()
		want := map[string]string{}
		for i := range h.apps {
			want[h.apps[i].Name] = "not possible"
			if h.apps[i].route != "" {
				want[h.apps[i].Name] = state
			}
		}
		p := h.plan()
		if diff := cmp.Diff(want, p.states()); diff != "" {
			t.Errorf("the plan's states: %s", diff)
		}
		return p
	}

	h.allOnline("started")
	before := h.settings()
	metrics := serve(t, h)
	p := says("off")

	h.run(p[turnOn])
	h.asked(h.measured()...)
	h.allOnline("turned on")
	if p := says("on"); len(p[turnOn]) != 0 {
		t.Errorf("all is on, and there is more to turn on: %q", p[turnOn])
	}
	h.changed(before, h.settings(), "--require", h.file())
	metrics.counts(h)

	h.d.Must(t, "restart", "all")
	h.asked()
	h.allOnline("all restarted")
	h.d.Must(t, "reload", "all")
	h.asked()
	h.allOnline("all reloaded")
	metrics.counts(h)

	h.d.Must(t, "save")
	h.d.Must(t, "kill")
	if err := h.d.Resurrect(context.Background()); err != nil {
		t.Fatal(err)
	}
	h.restarts = map[int]int{}
	for _, proc := range h.list() {
		h.restarts[proc.PMID] = proc.Restarts
	}
	h.allOnline("saved, killed and resurrected")
	says("on")
	metrics.counts(h)

	h.remove()
	h.d.Must(t, "restart", "all")
	h.asked()
	h.allOnline("package removed, all restarted")
	out, code := h.agent("check")
	if code != 0 {
		t.Errorf("ext check of an empty file: exit code %d", code)
	}
	h.names(out, "which is empty")
	if p := says("on, but removed"); len(p[turnOn]) != 0 {
		t.Errorf("to turn on what is not there: %q", p[turnOn])
	}

	if err := os.Remove(h.file()); err != nil {
		t.Fatal(err)
	}
	out, code = h.agent("check")
	if code != 1 {
		t.Errorf("ext check of a missing file: exit code %d", code)
	}
	h.names(out, "which is not there")
	h.allOnline("file gone, nothing restarted")

	p = says("on, FILE MISSING")
	if len(p[turnOn]) != 0 {
		t.Errorf("to turn on what would keep apps from starting: %q", p[turnOn])
	}
	before = h.settings()
	h.run(p[turnOff])
	h.asked(h.measured()...)
	h.allOnline("turned off")
	h.changed(before, h.settings())
	h.d.Must(t, "restart", "all")
	h.asked()
	h.allOnline("all restarted without it")
	says("off")
	if out, code = h.agent("check"); code != 0 || !strings.Contains(out, "no app loads") {
		t.Errorf("ext check when it is off: exit code %d: %s", code, out)
	}
}

// TestPathWithSpaces: commands and settings hold where the package lies below a
// folder with a space in its name.
func TestPathWithSpaces(t *testing.T) {
	var some []app
	for _, a := range apps(t) {
		switch a.Name {
		case "web", "service", "small", "tsx", "python":
			some = append(some, a)
		}
	}
	h := newHost(t, filepath.Join(t.TempDir(), "my apps", "pm25", "ext"), some)
	h.allOnline("started")
	metrics := serve(t, h)
	h.run(h.plan()[turnOn])
	h.asked(h.measured()...)
	h.allOnline("turned on")
	before := h.settings()
	metrics.counts(h)
	h.run(h.plan()[turnOff])
	h.asked(h.measured()...)
	h.allOnline("turned off")
	h.changed(before, h.settings())
}

// TestEcosystemLines: the plan's lines turn it on and off when apps are started
// from a file again, and a file without them leaves it as it is.
func TestEcosystemLines(t *testing.T) {
	var some []app
	for _, a := range apps(t) {
		switch a.Name {
		case "service", "small":
			some = append(some, a)
		}
	}
	h := newHost(t, filepath.Join(t.TempDir(), "my apps", "pm25", "ext"), some)
	h.allOnline("started")
	start := func(lines []string) {
		t.Helper()
		var b strings.Builder
		b.WriteString("module.exports = { apps: [\n")
		for i := range h.apps {
			a := &h.apps[i]
			own := ""
			for _, line := range lines {
				if name, setting, _ := strings.Cut(line, " "); name == a.Name {
					own = strings.TrimSpace(setting)
				}
			}
			fmt.Fprintf(&b, "{ name: '%s', script: '%s', %s },\n", a.Name, a.Script, own)
		}
		b.WriteString("] }\n")
		file := filepath.Join(t.TempDir(), "ecosystem.config.js")
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := h.d.StartEcosystem(context.Background(), file); err != nil {
			t.Fatal(err)
		}
		h.asked()
		h.allOnline("started from a file")
	}
	p := h.plan()
	for _, step := range []struct {
		lines []string
		state string
	}{{p[lineOn], "on"}, {nil, "on"}, {p[lineOff], "off"}, {nil, "off"}} {
		start(step.lines)
		if states := h.plan().states(); states["service"] != step.state || states["small"] != step.state {
			t.Errorf("after %q: %v, want %s", step.lines, states, step.state)
		}
	}
}

// TestNodeOptions: an app that npm starts loads pm25-ext by its environment,
// reports over the agent's socket, and is not forgotten by plan and check. In
// cluster mode that loads nothing, which the plan knows.
func TestNodeOptions(t *testing.T) {
	ext := filepath.Join(t.TempDir(), "pm25", "ext")
	var some []app
	for _, a := range apps(t) {
		a.Env["NODE_OPTIONS"] = "--require " + filepath.Join(ext, "register.cjs")
		switch a.Name {
		case "npm":
			a.route = usersRoute
			some = append(some, a)
		case "service":
			a.route = ""
			some = append(some, a)
		}
	}
	h := newHost(t, ext, some)
	h.allOnline("started")
	m := serve(t, h)
	pm2test.Eventually(t, 30*time.Second, func() error { // the app looks for an agent from time to time
		n, err := m.requests()
		if err == nil && len(n) == 0 {
			err = errors.New("nothing heard of npm")
		}
		return err
	})
	m.counts(h)
	p := h.plan()
	if states := p.states(); states["npm"] != "on, by NODE_OPTIONS" || states["service"] != "off" {
		t.Errorf("the plan: %q", p)
	}
	for _, line := range slices.Concat(p[turnOn], p[turnOff]) {
		if strings.Contains(line, "npm") {
			t.Errorf("the plan: %s", line)
		}
	}
	h.remove()
	h.d.Must(t, "restart", "all")
	h.asked()
	h.allOnline("package removed, all restarted")
	if err := os.Remove(h.file()); err != nil {
		t.Fatal(err)
	}
	out, code := h.agent("check")
	if code != 1 {
		t.Errorf("ext check of a missing file: exit code %d", code)
	}
	h.names(out, "which is not there")
}

// names sees that ext check spoke of the apps that load the file, and of no
// others.
func (h *host) names(out, says string) {
	h.t.Helper()
	h.t.Logf("ext check:\n%s", out)
	for i := range h.apps {
		a := &h.apps[i]
		want := a.route != ""
		if got := strings.Contains(out, fmt.Sprintf("app %s loads %s, %s", a.Name, h.file(), says)); got != want {
			h.t.Errorf("ext check speaks of %s: %v, want %v", a.Name, got, want)
		}
	}
}

// changed sees that turning it on or off changed nothing but the arguments for
// Node.js of the apps that can load it, and kept those of their own.
func (h *host) changed(before, after map[string]map[string]any, more ...string) {
	h.t.Helper()
	for name, was := range before {
		is := after[name]
		for i := range h.apps {
			a := &h.apps[i]
			if a.Name != name[:strings.LastIndexByte(name, ' ')] || a.route == "" {
				continue
			}
			want := []any{}
			for _, arg := range slices.Concat(a.NodeArgs, more) {
				want = append(want, arg)
			}
			if diff := cmp.Diff(want, is["node_args"]); diff != "" {
				h.t.Errorf("%s: node_args %s", name, diff)
			}
			was["node_args"], is["node_args"] = nil, nil
		}
		if diff := cmp.Diff(was, is); diff != "" {
			h.t.Errorf("%s: more than asked for was changed: %s", name, diff)
		}
	}
}

// metrics is what a running pm25-agent exposes.
type metrics struct {
	t   *testing.T
	url string
}

func serve(t *testing.T, h *host) *metrics {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", pm2test.FreePort(t))
	proctest.Start(t, nil, programs.Program(t, "pm25-agent"), "--pm2.home=host="+h.d.Home(), "--state.dir="+t.TempDir(), "--web.listen-address="+address)
	m := &metrics{t: t, url: "http://" + address}
	pm2test.Eventually(t, 20*time.Second, func() error { return get(m.url + "/-/ready") })
	return m
}

// requests are the requests of each app and route that were counted.
func (m *metrics) requests() (map[string]uint64, error) {
	resp, err := client.Get(m.url + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s, %w", resp.Status, err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	n := map[string]uint64{}
	for _, metric := range families["pm2_http_request_duration_seconds"].GetMetric() {
		n[label(metric, "app")+" "+label(metric, "route")] += metric.GetHistogram().GetSampleCount()
	}
	return n, nil
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// counts makes requests, and sees that just as many more are counted under the
// routes of the apps that load pm25-ext, and none of the others.
func (m *metrics) counts(h *host) {
	m.t.Helper()
	const more = 10
	from := m.still()
	want := map[string]uint64{}
	for i := range h.apps {
		a := &h.apps[i]
		if a.port == 0 {
			continue
		}
		for range more {
			if err := get(a.url()); err != nil {
				m.t.Fatal(err)
			}
		}
		if a.route != "" {
			want[a.Name+" "+a.route] = from[a.Name+" "+a.route] + more
		}
	}
	var n map[string]uint64
	pm2test.Eventually(m.t, 30*time.Second, func() (err error) {
		if n, err = m.requests(); err != nil {
			return err
		}
		if diff := cmp.Diff(want, n); diff != "" {
			return fmt.Errorf("requests counted: %s", diff)
		}
		return nil
	})
	m.t.Logf("requests by app and route, %d more of each: %v", more, n)
}

// still waits until the counts stand still for longer than apps take to report.
func (m *metrics) still() map[string]uint64 {
	m.t.Helper()
	var last map[string]uint64
	since := time.Now()
	pm2test.Eventually(m.t, 40*time.Second, func() error {
		n, err := m.requests()
		if err != nil {
			return err
		}
		if !cmp.Equal(n, last) {
			last, since = n, time.Now()
		}
		if held := time.Since(since); held < 7*time.Second {
			return fmt.Errorf("requests are being counted, the last %v ago", held)
		}
		return nil
	})
	return last
}
