//go:build soak

package soak

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
)

// flooded is a PM2 with an app that writes log lines on order, to nowhere but
// PM2's bus, and one that does nothing.
type flooded struct {
	*pm2test.Daemon
	agent *agent // nil without one
}

func newFlooded(t *testing.T, withAgent bool) *flooded {
	t.Helper()
	f := &flooded{Daemon: pm2test.New(t, pm2test.Options{})}
	nowhere := map[string]any{"out_file": "/dev/null", "error_file": "/dev/null"}
	f.App(t,
		pm2test.AppSpec{Name: "floods", Script: filepath.Join(pm2test.Root(), "internal", "soak", "apps", "flood.js"), Extra: nowhere},
		pm2test.AppSpec{Name: "idles", Extra: nowhere},
	)
	f.WaitStatus(t, "floods", "online", 1)
	f.WaitStatus(t, "idles", "online", 1)
	if withAgent {
		f.agent = newAgent(t, f.Home())
		f.agent.start(t)
		f.agent.ready(t)
	}
	return f
}

// wrote is what the app says that it wrote.
type wrote struct{ Lines, Bytes, MS float64 }

// flood has the app write, and returns when it did.
func (f *flooded) flood(t *testing.T, mbps float64, d time.Duration, during func()) wrote {
	t.Helper()
	done := filepath.Join(f.Home(), "flood.done")
	order := filepath.Join(f.Home(), "flood")
	text := fmt.Sprintf(`{"mbps": %v, "ms": %d}`, mbps, d.Milliseconds())
	if err := errors.Join(os.WriteFile(order+".new", []byte(text), 0o600), os.Rename(order+".new", order)); err != nil {
		t.Fatal(err)
	}
	if during != nil {
		during()
	}
	var w wrote
	pm2test.Eventually(t, d+2*time.Minute, func() error {
		b, err := os.ReadFile(done)
		if err != nil {
			return err
		}
		return json.Unmarshal(b, &w)
	})
	if err := os.Remove(done); err != nil {
		t.Fatal(err)
	}
	return w
}

func (f *flooded) lines(t *testing.T) float64 {
	t.Helper()
	m, err := f.agent.scrape()
	if err != nil {
		t.Fatal(err)
	}
	return m.sum("pm2_app_log_lines_total", `app="floods"`)
}

// counts waits until the agent has counted n lines, and makes sure that it
// stays at that.
func (f *flooded) counts(t *testing.T, n float64) time.Duration {
	t.Helper()
	began := time.Now()
	pm2test.Eventually(t, time.Minute, func() error {
		if got := f.lines(t); got < n {
			return fmt.Errorf("%v of %v lines counted", got, n)
		}
		return nil
	})
	took := time.Since(began)
	time.Sleep(time.Second)
	if got := f.lines(t); got != n {
		t.Errorf("%v lines counted, %v were written", got, n)
	}
	return took
}

// memory samples the resident memory of a process until stop.
type memory struct {
	at   []float64 // seconds
	mib  []float64
	done chan struct{}
	wg   sync.WaitGroup
}

func watchMemory(t *testing.T, pid int) *memory {
	m := &memory{done: make(chan struct{})}
	began := time.Now()
	m.wg.Go(func() {
		for {
			m.at = append(m.at, time.Since(began).Seconds())
			m.mib = append(m.mib, resident(t, pid)/(1<<20))
			select {
			case <-m.done:
				return
			case <-time.After(250 * time.Millisecond):
			}
		}
	})
	return m
}

func (m *memory) stop() {
	close(m.done)
	m.wg.Wait()
}

func (m *memory) max() float64 {
	most := 0.0
	for _, v := range m.mib {
		most = max(most, v)
	}
	return most
}

// slope is MiB a second over the later two thirds: the first is warming up.
func (m *memory) slope() float64 {
	at, mib := m.at[len(m.at)/3:], m.mib[len(m.at)/3:]
	var x, y, xx, xy float64
	for i := range at {
		x, y, xx, xy = x+at[i], y+mib[i], xx+at[i]*at[i], xy+at[i]*mib[i]
	}
	n := float64(len(at))
	return (n*xy - x*y) / (n*xx - x*x)
}

// TestFlood floods PM2 with log lines, without and with an agent, and then
// stops the agent's process for a while.
func TestFlood(t *testing.T) {
	r := doctable.New("", "without the agent", "with the agent")
	cells := map[bool][]float64{}
	var f *flooded
	for _, with := range []bool{false, true} {
		f = newFlooded(t, with)
		time.Sleep(3 * time.Second)
		pid := f.PID()
		before, cpu := resident(t, pid)/(1<<20), readCPU(t, pid)
		var agentCPU kernelCPU
		if with {
			agentCPU = readCPU(t, f.agent.cmd.Process.Pid)
		}
		m := watchMemory(t, pid)
		w := f.flood(t, 50, 30*time.Second, nil)
		m.stop()
		now := readCPU(t, pid)
		seconds := w.MS / 1000
		row := []float64{w.Bytes / 1e6 / seconds, w.Lines / 1000, before, m.max(), m.slope()}
		late := time.Duration(0)
		if with {
			late = f.counts(t, w.Lines)
		}
		time.Sleep(5 * time.Second)
		row = append(row, resident(t, pid)/(1<<20), (now.user+now.system-cpu.user-cpu.system)/seconds)
		cells[with] = row
		if with {
			used := readCPU(t, f.agent.cmd.Process.Pid)
			cells[with] = append(row, f.lines(t)/1000, late.Seconds(),
				(used.user+used.system-agentCPU.user-agentCPU.system)/seconds, resident(t, f.agent.cmd.Process.Pid)/(1<<20), peak(t, f.agent.cmd.Process.Pid))
		} else if err := f.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{
		"written, MB/s", "lines written, thousands", "PM2's memory before, MiB", "at most during the flood", "its slope, MiB/s", "5 s after",
		"PM2's CPU, cores", "lines counted, thousands", "counted late by, s", "agent's CPU, cores", "agent's memory, MiB", "at most",
	} {
		without := any("")
		if i < len(cells[false]) {
			without = cells[false][i]
		}
		r.Add(name, without, cells[true][i])
	}
	doc.Write(t, "flood", r)
	if grown := cells[true][4] - cells[false][4]; grown > 1 {
		t.Errorf("with the agent PM2 grows by %.2f MiB/s more", grown)
	}
	stall(t, f, cells[true][7]*1000)
}

// stall stops the agent's process for 30 s of a lower flood.
func stall(t *testing.T, f *flooded, lines float64) {
	t.Helper()
	pid, proc := f.PID(), f.agent.cmd.Process
	before := resident(t, pid) / (1 << 20)
	var stopped *memory
	w := f.flood(t, 2, 40*time.Second, func() {
		time.Sleep(2 * time.Second)
		if err := proc.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		stopped = watchMemory(t, pid)
		time.Sleep(30 * time.Second)
		f.Tell(t, 1, pm2test.Cmd{"do": "exit3"}) // unseen
		f.WaitStatus(t, "idles", "online", 1)
		stopped.stop()
		if err := proc.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	})
	late := f.counts(t, lines+w.Lines)
	f.Tell(t, 1, pm2test.Cmd{"do": "exit3"})
	var exits float64
	pm2test.Eventually(t, 10*time.Second, func() error {
		m, err := f.agent.scrape()
		if err != nil {
			return err
		}
		if exits = m.sum("pm2_app_exits_total", `app="idles"`); exits < 2 {
			return fmt.Errorf("%v of 2 exits counted", exits)
		}
		return nil
	})
	time.Sleep(2 * time.Second)
	m, err := f.agent.scrape()
	if err != nil {
		t.Fatal(err)
	}
	exits = m.sum("pm2_app_exits_total", `app="idles"`)
	if exits != 2 {
		t.Errorf("%v exits counted, there were 2", exits)
	}
	r := doctable.New("", "measured")
	r.Add("written, MB/s", w.Bytes/1e3/w.MS)
	r.Add("PM2's memory before, MiB", before)
	r.Add("after 30 s without a reader", stopped.max())
	r.Add("its slope meanwhile, MiB/s", stopped.slope())
	r.Add("at the end", resident(t, pid)/(1<<20))
	r.Add("lines written meanwhile", w.Lines)
	r.Add("lines counted in the end", f.lines(t)-lines)
	r.Add("counted late by, s", late.Seconds())
	r.Add("exits, one during the stop and one after it", 2)
	r.Add("exits counted", exits)
	r.Add("connections lost", m.sum("pm25_agent_connects_total")-1)
	doc.Write(t, "stall", r)
}

// peak is the most memory that a process ever had, in MiB.
func peak(t *testing.T, pid int) float64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(b, []byte("VmHWM:"))
	var kib float64
	if _, err := fmt.Sscan(string(rest[:min(len(rest), 40)]), &kib); err != nil {
		t.Fatal(err)
	}
	return kib / 1024
}
