package matrix

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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

// buildDir is where the agent was built, if it was.
var buildDir string

// binary builds the agent once for all tests.
var binary = sync.OnceValues(func() (path string, err error) {
	if buildDir, err = os.MkdirTemp("", "pm25-matrix-"); err != nil {
		return "", err
	}
	path = filepath.Join(buildDir, "pm25-agent")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "./cmd/pm25-agent")
	cmd.Dir = pm2test.Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the agent: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if buildDir != "" {
		os.RemoveAll(buildDir)
	}
	os.Exit(code)
}

// agent is a running pm25-agent.
type agent struct {
	cmd    *exec.Cmd
	url    string
	log    logBuffer
	exited chan error
}

// logBuffer can be read while it is written to.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// tail is the end of what was written.
func (b *logBuffer) tail() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.buf.String()
	return text[max(0, len(text)-8192):]
}

// startAgent returns when the agent is connected to the daemon.
func startAgent(t *testing.T, d *pm2test.Daemon, stateDir string) *agent {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + strconv.Itoa(pm2test.FreePort(t))
	a := &agent{url: "http://" + address + "/metrics", exited: make(chan error, 1)}
	a.cmd = exec.Command(path, "--pm2.home=t="+d.Home(), "--state.dir="+stateDir, "--web.listen-address="+address, "--log.level=debug")
	a.cmd.Stderr = &a.log
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { a.exited <- a.cmd.Wait() }()
	connected := false
	defer func() {
		if !connected {
			_ = a.cmd.Process.Kill()
			<-a.exited
			t.Logf("end of the agent's log:\n%s", a.log.tail())
		}
	}()
	pm2test.Eventually(t, 20*time.Second, func() error {
		c, err := a.scrape()
		if err == nil && !c.up {
			err = errors.New("pm2_up is 0")
		}
		return err
	})
	connected = true
	return a
}

// end sends a signal and waits.
func (a *agent) end(t *testing.T, sig syscall.Signal) {
	t.Helper()
	_ = a.cmd.Process.Signal(sig)
	select {
	case err := <-a.exited:
		if err != nil && sig == syscall.SIGTERM {
			t.Errorf("the agent ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		_ = a.cmd.Process.Kill()
		<-a.exited
		t.Errorf("the agent did not end on %v", sig)
	}
}

// reasons counts ends by reason; none is 0.
type reasons map[string]int

func parseReasons(text string) reasons {
	r := reasons{}
	for part := range strings.SplitSeq(text, ", ") {
		if reason, n, ok := strings.Cut(part, " "); ok {
			r[reason], _ = strconv.Atoi(n)
		}
	}
	return r
}

func (r reasons) String() string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(r)) {
		if r[reason] != 0 {
			parts = append(parts, fmt.Sprintf("%s %d", reason, r[reason]))
		}
	}
	return strings.Join(parts, ", ")
}

// counts is what one scrape says.
type counts struct {
	up       bool
	exits    map[string]reasons
	restarts map[string]map[int]int // by app and pm_id
	running  map[string]int         // processes with a pid
}

func (a *agent) scrape() (*counts, error) {
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get(a.url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		return nil, err
	}
	c := &counts{exits: map[string]reasons{}, restarts: map[string]map[int]int{}, running: map[string]int{}}
	for _, m := range families["pm2_up"].GetMetric() {
		c.up = c.up || label(m, "daemon") == "t" && m.GetGauge().GetValue() == 1
	}
	for _, m := range families["pm2_app_exits_total"].GetMetric() {
		app := label(m, "app")
		if c.exits[app] == nil {
			c.exits[app] = reasons{}
		}
		c.exits[app][label(m, "reason")] += int(m.GetCounter().GetValue())
	}
	for _, m := range families["pm2_process_restarts_total"].GetMetric() {
		app := label(m, "app")
		if c.restarts[app] == nil {
			c.restarts[app] = map[int]int{}
		}
		id, err := strconv.Atoi(label(m, "pm_id"))
		if err != nil {
			return nil, err
		}
		c.restarts[app][id] = int(m.GetCounter().GetValue())
	}
	for _, m := range families["pm2_process_pid"].GetMetric() {
		if m.GetGauge().GetValue() > 0 {
			c.running[label(m, "app")]++
		}
	}
	return c, nil
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// moved is how far an app's counters went since before.
func (c *counts) moved(before *counts, app string) (reasons, int) {
	r := reasons{}
	for reason, n := range c.exits[app] {
		if d := n - before.exits[app][reason]; d != 0 {
			r[reason] = d
		}
	}
	restarts := 0
	for id, n := range c.restarts[app] {
		restarts += n - before.restarts[app][id]
	}
	return r, restarts
}
