//go:build soak

package soak

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
)

const busyFor = time.Minute

// doc is where the tables go.
var doc = doctable.Doc{Path: "../../docs/soak.md", Env: "PM25_SOAK_WRITE"}

// TestUsage holds CPU time and memory against the kernel's own figures, of an
// app that burns 60 % of a core and of a server behind `npm start` whose
// children come and go.
func TestUsage(t *testing.T) {
	d := pm2test.New(t, pm2test.Options{})
	a := newAgent(t, d.Home())
	a.start(t)
	a.ready(t)
	d.App(t,
		pm2test.AppSpec{Name: "burns", Do: []pm2test.Cmd{{"do": "burn", "share": 0.6}}},
		pm2test.AppSpec{
			Name: "behind-npm", Script: "npm", Args: []string{"start"},
			Env:   map[string]string{"npm_config_cache": t.TempDir(), "npm_config_update_notifier": "false"},
			Extra: map[string]any{"cwd": filepath.Join(pm2test.Root(), "internal", "soak", "apps", "npm")},
		},
	)
	burns := d.WaitStatus(t, "burns", "online", 1)[0].PID
	npm := d.WaitStatus(t, "behind-npm", "online", 1)[0].PID
	pm2test.Eventually(t, 20*time.Second, func() error {
		m, err := a.scrape()
		if err == nil && m.sum("pm2_process_children", `app="behind-npm"`) < 2 {
			err = fmt.Errorf("npm has no children yet")
		}
		return err
	})
	u := newUsage(t, a, burns)
	for end := time.Now().Add(busyFor); time.Now().Before(end); time.Sleep(time.Second) {
		u.sample(t)
	}
	u.report(t)

	// What npm's tree used in all, once the last child is gone.
	if err := os.WriteFile(filepath.Join(d.Home(), "stop"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	m, err := a.scrape()
	if err != nil {
		t.Fatal(err)
	}
	own, below := treeCPU(t, npm)
	counted := m.sum("pm2_process_cpu_seconds_total", `app="behind-npm"`)
	children := m.sum("pm2_process_children_cpu_seconds_total", `app="behind-npm"`)
	r := doctable.New("what", "kernel", "agent", "difference")
	r.Add("npm itself, s", own, counted, counted-own)
	r.Add("all below npm, living and ended, s", below, children, children-below)
	r.Add("most children at one scrape", "", u.most, "")
	r.Add("scrapes in which the children's time fell", "", u.falls, "")
	doc.Write(t, "npm", r)
	if math.Abs(counted-own) > 2*tick || math.Abs(children-below) > 2*tick+0.02*below {
		t.Errorf("npm: %v s of %v s; below it: %v s of %v s", counted, own, children, below)
	}
	if u.falls > 0 || u.most < 3 {
		t.Errorf("the children's time fell %d times; at most %v children were seen", u.falls, u.most)
	}
}

// usage compares scrapes with what the kernel says before and after each.
type usage struct {
	agent              *agent
	pid                int
	first, last        metrics
	kernelFrom, kernel kernelCPU // means of before and after
	memory             []float64 // relative errors
	most               float64
	falls              int
	began              time.Time
}

func newUsage(t *testing.T, a *agent, pid int) *usage {
	u := &usage{agent: a, pid: pid, began: time.Now()}
	u.sample(t)
	u.first, u.kernelFrom = u.last, u.kernel
	return u
}

func (u *usage) sample(t *testing.T) {
	t.Helper()
	cpu, memory := readCPU(t, u.pid), resident(t, u.pid)
	m, err := u.agent.scrape()
	if err != nil {
		t.Fatal(err)
	}
	cpu2, memory2 := readCPU(t, u.pid), resident(t, u.pid)
	got := m.sum("pm2_process_resident_memory_bytes", `app="burns"`)
	mean := (memory + memory2) / 2
	u.memory = append(u.memory, math.Abs(got-mean)/mean)
	const metric = "pm2_process_children_cpu_seconds_total"
	if u.last != nil && m.sum(metric, `app="behind-npm"`) < u.last.sum(metric, `app="behind-npm"`) {
		u.falls++
	}
	u.most = max(u.most, m.sum("pm2_process_children", `app="behind-npm"`))
	u.last, u.kernel = m, kernelCPU{(cpu.user + cpu2.user) / 2, (cpu.system + cpu2.system) / 2, 0}
}

func (u *usage) report(t *testing.T) {
	t.Helper()
	const metric = "pm2_process_cpu_seconds_total"
	r := doctable.New("what", "kernel", "agent", "relative error")
	all, kernel := 0.0, 0.0
	for _, mode := range []struct {
		name  string
		spent float64
	}{{"user", u.kernel.user - u.kernelFrom.user}, {"system", u.kernel.system - u.kernelFrom.system}} {
		labels := []string{`app="burns"`, `mode="` + mode.name + `"`}
		got := u.last.sum(metric, labels...) - u.first.sum(metric, labels...)
		r.Add(mode.name+" time, s", mode.spent, got, percent((got-mode.spent)/max(mode.spent, tick)))
		all, kernel = all+got, kernel+mode.spent
	}
	wall := time.Since(u.began).Seconds()
	r.Add("both, share of a core", kernel/wall, all/wall, percent((all-kernel)/kernel))
	worst, sum := 0.0, 0.0
	for _, e := range u.memory {
		worst, sum = max(worst, e), sum+e
	}
	r.Add(fmt.Sprintf("resident memory, mean of %d scrapes", len(u.memory)), "", "", percent(sum/float64(len(u.memory))))
	r.Add("resident memory, worst scrape", "", "", percent(worst))
	doc.Write(t, "usage", r)
	if math.Abs(all-kernel)/kernel > 0.01 {
		t.Errorf("CPU time: %v s counted, the kernel says %v s", all, kernel)
	}
	if sum/float64(len(u.memory)) > 0.02 {
		t.Errorf("resident memory is off by %v on average", percent(sum/float64(len(u.memory))))
	}
}

func percent(x float64) string { return strconv.FormatFloat(100*x, 'f', 3, 64) + " %" }

// treeCPU is the CPU time of a process itself, and of all below it, those
// included that ended and were waited for.
func treeCPU(t *testing.T, root int) (own, below float64) {
	t.Helper()
	cpu := readCPU(t, root)
	own, below = cpu.user+cpu.system, cpu.waited
	for _, pid := range childrenOf(t, root) {
		o, b := treeCPU(t, pid)
		below += o + b
	}
	return own, below
}

func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	var out []int
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("children of %d: %v", pid, err)
	}
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		if err != nil {
			continue // the thread ended
		}
		for _, f := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(f); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}
