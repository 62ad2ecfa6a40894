package soak

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/pm2test"
)

// daemon is the label of the daemon under test.
const daemon = "soak"

// binary is the agent, built once from the tree under test.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pm25-soak-")
	if err != nil {
		return "", err
	}
	built = dir
	name := filepath.Join(dir, "pm25-agent")
	cmd := exec.Command("go", "build", "-o", name, "./cmd/pm25-agent")
	cmd.Dir = pm2test.Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the agent: %w\n%s", err, out)
	}
	return name, nil
})

var built string

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// agent is pm25-agent on one daemon, started any number of times on the same
// port and state.
type agent struct {
	addr   string
	args   []string
	bin    string
	log    string
	client *http.Client

	cmd    *exec.Cmd
	exited chan struct{}
}

func newAgent(t testing.TB, home string, args ...string) *agent {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a := &agent{
		addr: fmt.Sprintf("127.0.0.1:%d", pm2test.FreePort(t)), bin: bin, log: filepath.Join(dir, "log"),
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	a.args = append([]string{
		"--pm2.home=" + daemon + "=" + home, "--web.listen-address=" + a.addr, "--state.dir=" + filepath.Join(dir, "state"),
	}, args...)
	t.Cleanup(func() {
		a.kill()
		if t.Failed() {
			b, _ := os.ReadFile(a.log)
			lines := strings.Split(strings.TrimSpace(string(b)), "\n")
			t.Logf("end of the agent's log:\n%s", strings.Join(lines[max(0, len(lines)-20):], "\n"))
		}
	})
	return a
}

func (a *agent) start(t testing.TB) {
	t.Helper()
	log, err := os.OpenFile(a.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the agent has its own
	a.cmd = exec.Command(a.bin, a.args...)
	a.cmd.Stdout, a.cmd.Stderr = log, log
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := a.cmd.Start(); err != nil {
		t.Fatalf("starting the agent: %v", err)
	}
	cmd, exited := a.cmd, make(chan struct{})
	a.exited = exited
	go func() {
		_ = cmd.Wait() // how it ended is read from cmd.ProcessState
		close(exited)
	}()
}

// kill ends the agent as a crash would.
func (a *agent) kill() {
	if a.cmd == nil {
		return
	}
	_ = a.cmd.Process.Kill() // fails only if it has ended
	<-a.exited
	a.cmd = nil
}

// stop ends the agent in order.
func (a *agent) stop(t testing.TB) {
	t.Helper()
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("the agent had ended: %v", err)
	}
	select {
	case <-a.exited:
	case <-time.After(15 * time.Second):
		t.Fatal("the agent did not end within 15 s of SIGTERM")
	}
	// Before it takes care of signals, SIGTERM ends it the hard way.
	if s := a.cmd.ProcessState; !s.Success() && s.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Fatalf("the agent ended with %v", s)
	}
	a.cmd = nil
}

// ready waits until the agent follows PM2.
func (a *agent) ready(t testing.TB) {
	t.Helper()
	pm2test.Eventually(t, 20*time.Second, func() error {
		s, err := a.scrape()
		if err == nil && s.sum("pm2_up") != 1 {
			err = errors.New("pm2_up is not 1")
		}
		return err
	})
}

// metrics are the samples of one scrape, by name and sorted labels.
type metrics map[string]float64

func (a *agent) scrape() (metrics, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+a.addr+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	res, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("/metrics answers %s", res.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(res.Body)
	if err != nil {
		return nil, err
	}
	out := metrics{}
	for name, f := range families {
		for _, m := range f.Metric {
			labels := map[string]string{}
			for _, l := range m.Label {
				labels[l.GetName()] = l.GetValue()
			}
			out[seriesKey(name, labels)] = m.Gauge.GetValue() + m.Counter.GetValue() + m.Untyped.GetValue()
		}
	}
	return out, nil
}

// seriesKey is name{a="1",b="2"}, without what Prometheus adds.
func seriesKey(name string, labels map[string]string) string {
	var parts []string
	for k, v := range labels {
		if k != "__name__" && k != "job" && k != "instance" {
			parts = append(parts, k+"=\""+v+"\"")
		}
	}
	sort.Strings(parts)
	return name + "{" + strings.Join(parts, ",") + "}"
}

// sum adds the series of a metric that have all of the labels, each given as
// name="value".
func (m metrics) sum(name string, labels ...string) float64 {
	total := 0.0
	for key, v := range m {
		if matches(key, name, labels) {
			total += v
		}
	}
	return total
}

func matches(key, name string, labels []string) bool {
	if !strings.HasPrefix(key, name+"{") {
		return false
	}
	for _, l := range labels {
		if !strings.Contains(key, l) {
			return false
		}
	}
	return true
}

var (
	connectedLine = regexp.MustCompile(`(?m)^.*msg="Connected to PM2".*$`)
	stamp         = regexp.MustCompile(`\btime=(\S+)`)
)

// connects returns when the agents, one after the other, began to follow PM2.
func (a *agent) connects(t testing.TB) []time.Time {
	t.Helper()
	b, err := os.ReadFile(a.log)
	if err != nil {
		t.Fatal(err)
	}
	var out []time.Time
	for _, line := range connectedLine.FindAllString(string(b), -1) {
		m := stamp.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("no time in %q", line)
		}
		at, err := time.Parse(time.RFC3339Nano, m[1])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, at)
	}
	return out
}
