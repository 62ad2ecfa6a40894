//go:build arrivals

package arrivals

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
	"github.com/pm25/pm25/internal/servertest"
)

var programs proctest.Builder

func TestMain(m *testing.M) { programs.Main(m) }

var doc = doctable.Doc{Path: "../../docs/arrivals.md", Env: "PM25_ARRIVALS_WRITE"}

// patience is how long something may take to arrive that waits for nothing.
const patience = 90 * time.Second

func under(parts ...string) string {
	return filepath.Join(append([]string{pm2test.Root()}, parts...)...)
}

// installExt puts pm25-ext where a package would, below another root.
func installExt(t *testing.T) (folder string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "usr/lib/pm25/ext")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "index.js", "index.mjs", "register.cjs"} {
		b, err := os.ReadFile(under("ext", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(folder, "lib"), os.DirFS(under("ext", "lib"))); err != nil {
		t.Fatal(err)
	}
	return folder
}

// preload are the node_args of an app with pm25-ext.
func preload(ext string) []string { return []string{"--require", filepath.Join(ext, "register.cjs")} }

// store is a pm25 server that hosts push to.
type store struct {
	*servertest.Server
	t *testing.T
}

func newStore(t *testing.T) *store {
	t.Helper()
	return &store{servertest.Start(t, servertest.Options{Program: programs.Program(t, "pm25")}), t}
}

// tokenFile makes a bucket, and is where its token is.
func (s *store) tokenFile(t *testing.T, bucket string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(s.Bucket(bucket)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// host is a PM2 daemon with an agent on it that pushes.
type host struct {
	*pm2test.Daemon
	t     *testing.T
	name  string
	addr  string
	args  []string
	agent *proctest.Process
}

// newHost starts an agent on a daemon.
func newHost(t *testing.T, d *pm2test.Daemon, s *store, name, tokenFile string) *host {
	t.Helper()
	h := &host{Daemon: d, t: t, name: name, addr: fmt.Sprintf("127.0.0.1:%d", pm2test.FreePort(t))}
	h.args = []string{
		"--web.listen-address=" + h.addr, "--pm2.home=main=" + d.Home(), "--state.dir=" + t.TempDir(),
		"--host.name=" + name, "--server.url=" + s.URL, "--server.token-file=" + tokenFile,
	}
	h.startAgent()
	return h
}

func (h *host) startAgent() {
	h.t.Helper()
	h.agent = proctest.Start(h.t, nil, programs.Program(h.t, "pm25-agent"), h.args...)
	h.waitMetric("pm2_up", 1)
}

// flush ends the agent in order, which records all that waits, and starts it
// again, which sends what it could not send any more.
func (h *host) flush() {
	h.t.Helper()
	if code := h.agent.Stop(h.t, syscall.SIGTERM); code != 0 {
		h.t.Fatalf("the agent ended with exit code %d", code)
	}
	h.startAgent()
	h.waitMetric("pm25_agent_spool_records", 0)
}

func (h *host) waitMetric(name string, want float64) {
	h.t.Helper()
	pm2test.Eventually(h.t, patience, func() error {
		if h.agent.Ended() {
			return errors.New("the agent ended")
		}
		got, err := h.metric(name)
		if err == nil && (len(got) != 1 || got[0].value != want) {
			err = fmt.Errorf("%s is %v, want %v", name, got, want)
		}
		return err
	})
}

// sample is a series of a metric.
type sample struct {
	labels map[string]string
	value  float64
}

var client = &http.Client{Timeout: 20 * time.Second}

// metric scrapes a metric of the agent.
func (h *host) metric(name string) ([]sample, error) {
	res, err := client.Get("http://" + h.addr + "/metrics")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	var out []sample
	for _, m := range families[name].GetMetric() {
		out = append(out, sample{labels(m), m.GetCounter().GetValue() + m.GetGauge().GetValue()})
	}
	return out, nil
}

func labels(m *dto.Metric) map[string]string {
	out := map[string]string{}
	for _, l := range m.GetLabel() {
		out[l.GetName()] = l.GetValue()
	}
	return out
}

// sumOf adds up the series of a metric of an app.
func (h *host) sumOf(t *testing.T, name, app string) (sum int) {
	t.Helper()
	all, err := h.metric(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.labels["app"] == app {
			sum += int(s.value)
		}
	}
	return sum
}
