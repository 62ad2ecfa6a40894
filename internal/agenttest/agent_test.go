// Package agenttest tests the program pm25-agent from the outside: the built
// binary, over the real PM2 where the real one can show what is tested.
package agenttest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/pm2test"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pm25a-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "pm25-agent")
	build := exec.Command("go", "build", "-o", binary, "./cmd/pm25-agent")
	build.Dir = pm2test.Root()
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the agent: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// agent is a running pm25-agent.
type agent struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string
	state string
	done  chan struct{}

	mu  sync.Mutex
	out bytes.Buffer
}

func (a *agent) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.out.Write(p)
}

func (a *agent) log() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.out.String()
}

// launch starts an agent and does not wait for it.
func launch(t *testing.T, state string, env []string, args ...string) *agent {
	t.Helper()
	port := pm2test.FreePort(t)
	a := &agent{t: t, url: fmt.Sprintf("http://127.0.0.1:%d", port), state: state, done: make(chan struct{})}
	a.cmd = exec.Command(binary, append([]string{fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port), "--state.dir=" + state, "--log.level=debug"}, args...)...)
	a.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	a.cmd.Stdout, a.cmd.Stderr = a, a
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = a.cmd.Wait(); close(a.done) }()
	t.Cleanup(func() {
		a.stop(syscall.SIGTERM)
		if t.Failed() {
			log := a.log()
			t.Logf("the agent's log:\n%s", log[max(0, len(log)-4000):])
		}
	})
	return a
}

// start starts an agent and waits until it is ready.
func start(t *testing.T, args ...string) *agent {
	t.Helper()
	a := launch(t, t.TempDir(), nil, args...)
	a.ready()
	return a
}

func (a *agent) ready() {
	a.t.Helper()
	pm2test.Eventually(a.t, 15*time.Second, func() error {
		select {
		case <-a.done:
			return fmt.Errorf("the agent ended: %s", a.log())
		default:
		}
		code, body, err := a.try("/-/ready", nil)
		if err == nil && code != http.StatusOK {
			err = errors.New(body)
		}
		return err
	})
}

// stop ends the agent and returns its exit code.
func (a *agent) stop(sig os.Signal) int {
	a.t.Helper()
	_ = a.cmd.Process.Signal(sig)
	select {
	case <-a.done:
	case <-time.After(15 * time.Second):
		_ = a.cmd.Process.Kill()
		<-a.done
		a.t.Errorf("the agent did not end on %s", sig)
	}
	return a.cmd.ProcessState.ExitCode()
}

var client = &http.Client{Timeout: 20 * time.Second}

func (a *agent) try(path string, header http.Header) (code int, body string, err error) {
	req, err := http.NewRequest(http.MethodGet, a.url+path, nil)
	if err != nil {
		return 0, "", err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func (a *agent) get(path string) (code int, body string) {
	a.t.Helper()
	code, body, err := a.try(path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	return code, body
}

// metrics are parsed families by name.
type metrics map[string]*dto.MetricFamily

func parse(t testing.TB, body string) metrics {
	t.Helper()
	p := expfmt.NewTextParser(model.UTF8Validation)
	m, err := p.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatalf("not a valid exposition: %v", err)
	}
	return m
}

func (a *agent) scrape() metrics {
	a.t.Helper()
	code, body := a.get("/metrics")
	if code != http.StatusOK {
		a.t.Fatalf("status %d: %s", code, body)
	}
	return parse(a.t, body)
}

// find returns the samples that have the labels, given as name and value in
// turn.
func (m metrics) find(name string, labels ...string) []*dto.Metric {
	var out []*dto.Metric
	for _, s := range m[name].GetMetric() {
		ok := true
		for i := 0; i < len(labels); i += 2 {
			ok = ok && label(s, labels[i]) == labels[i+1]
		}
		if ok {
			out = append(out, s)
		}
	}
	return out
}

func label(s *dto.Metric, name string) string {
	for _, l := range s.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// value is the one sample with the labels; ok is false without one.
func (m metrics) value(name string, labels ...string) (v float64, ok bool) {
	found := m.find(name, labels...)
	if len(found) != 1 {
		return 0, false
	}
	s := found[0]
	return s.GetGauge().GetValue() + s.GetCounter().GetValue() + s.GetUntyped().GetValue(), true
}

// wait scrapes until a sample has a value.
func (a *agent) wait(want float64, name string, labels ...string) {
	a.t.Helper()
	pm2test.Eventually(a.t, 20*time.Second, func() error {
		m := a.scrape()
		if v, ok := m.value(name, labels...); !ok || v != want {
			return fmt.Errorf("%s%q is %v (%d samples), want %v", name, labels, v, len(m.find(name, labels...)), want)
		}
		return nil
	})
}
