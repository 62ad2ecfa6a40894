package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// programs builds the demo and pm25 as they are in the tree.
func programs(t *testing.T) (demo, pm25 string) {
	t.Helper()
	skip := t.Skipf
	if os.Getenv("CI") != "" {
		skip = t.Fatalf
	}
	if _, err := pm2test.Script(pm2Version); err != nil {
		skip("%v", err)
	}
	dir := t.TempDir()
	for _, pkg := range []string{"./examples/demo", "./cmd/pm25"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, filepath.Base(pkg)), pkg)
		cmd.Dir = pm2test.Root()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", pkg, err, out)
		}
	}
	return filepath.Join(dir, "demo"), filepath.Join(dir, "pm25")
}

// process is a running demo and what it has printed so far.
type process struct {
	cmd  *exec.Cmd
	mark string

	mu   sync.Mutex
	out  strings.Builder
	done chan struct{}
}

func start(t *testing.T, demo, pm25, dir string, args ...string) *process {
	t.Helper()
	p := &process{mark: "PM25_DEMO=" + dir, done: make(chan struct{})}
	p.cmd = exec.Command(demo, append([]string{"--dir", dir, "--program", pm25}, args...)...)
	p.cmd.Dir = pm2test.Root()
	// A pipe of our own: Wait would wait for whoever else holds it open.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() {
		for lines := bufio.NewReader(r); ; {
			l, err := lines.ReadString('\n')
			p.mu.Lock()
			p.out.WriteString(l)
			p.mu.Unlock()
			if err != nil {
				r.Close()
				return
			}
		}
	}()
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.done
		if err := pm2test.KillWith(context.Background(), 0, p.mark); err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// says waits until the demo has printed a text.
func (p *process) says(t *testing.T, text string) {
	t.Helper()
	pm2test.Eventually(t, 90*time.Second, func() error {
		if strings.Contains(p.output(), text) {
			return nil
		}
		return fmt.Errorf("the demo has not said %q but:\n%s", text, p.output())
	})
}

// ends waits for its end and checks how it ended.
func (p *process) ends(t *testing.T, code int) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(90 * time.Second):
		t.Fatalf("the demo goes on:\n%s", p.output())
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("exit code %d, want %d:\n%s", got, code, p.output())
	}
}

func (p *process) nothingLeft(t *testing.T, pids []int) {
	t.Helper()
	if left := pm2test.ProcessesWith(p.mark); len(left) > 0 {
		t.Errorf("left running: %v", left)
	}
	p.gone(t, pids)
}

// gone checks that processes have ended. One that ended by itself a moment ago may
// take another moment to give its memory back.
func (p *process) gone(t *testing.T, pids []int) {
	t.Helper()
	pm2test.Eventually(t, 3*time.Second, func() error {
		for _, pid := range pids {
			if pm2test.Alive(pid) {
				cmd, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
				stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
				return fmt.Errorf("left running: %d (%q, %s)", pid, cmd, stat)
			}
		}
		return nil
	})
}

// TestDemo runs the demo as a user does: several times in one folder, ended in
// every way that a user ends a program.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	demo, pm25 := programs(t)
	dir, err := os.MkdirTemp("", "pm25demo-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)

	// Killed hard, everything stays; meanwhile another demo is refused.
	p := start(t, demo, pm25, dir)
	p.says(t, "a little traffic goes")
	other := start(t, demo, pm25, dir)
	other.ends(t, 1)
	if want := fmt.Sprintf("already (pid %d)", p.cmd.Process.Pid); !strings.Contains(other.output(), want) {
		t.Errorf("the second demo does not say %q but:\n%s", want, other.output())
	}
	orphans := pm2test.ProcessesWith(p.mark)
	if len(orphans) < 8 {
		t.Fatalf("only %d processes ran:\n%s", len(orphans), p.output())
	}
	p.cmd.Process.Kill()
	<-p.done

	// The next one comes up at once all the same, and Ctrl-C leaves nothing.
	p = start(t, demo, pm25, dir)
	p.says(t, "that an earlier demo left behind")
	p.gone(t, orphans)
	p.says(t, "its alert will come")
	pids := pm2test.ProcessesWith(p.mark)
	if len(pids) < 8 {
		t.Errorf("only %d processes run", len(pids))
	}
	p.cmd.Process.Signal(os.Interrupt)
	p.ends(t, 0)
	p.nothingLeft(t, pids)

	// Ctrl-C in the middle of the start.
	p = start(t, demo, pm25, dir)
	p.says(t, "PM2 7 runs")
	p.cmd.Process.Signal(syscall.SIGINT)
	p.ends(t, 0)
	p.nothingLeft(t, nil)

	// And by itself, with every app in its expected state.
	p = start(t, demo, pm25, dir, "--once")
	p.ends(t, 0)
	for _, want := range []string{"PM2 and Prometheus agree", "订单服务 (华东)", "FIRING  PM2CrashLoop  payments", "all 4 links of the message answer", "nothing is left running"} {
		if !strings.Contains(p.output(), want) {
			t.Errorf("--once does not say %q but:\n%s", want, p.output())
		}
	}
	p.nothingLeft(t, nil)
	t.Logf("the demo printed:\n%s", p.output())
}

// TestProgramThatFails: a demo whose pm25 does not come up says why, and leaves
// nothing.
func TestProgramThatFails(t *testing.T) {
	if _, err := pm2test.Script(pm2Version); errors.Is(err, pm2test.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "pm25demo-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	pm25 := filepath.Join(dir, "pm25")
	if err := os.WriteFile(pm25, []byte("#!/bin/sh\necho no thanks; exit 4\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err = run(ctx, io.Discard, options{root: pm2test.Root(), dir: dir, program: pm25, once: true, cleanup: ctx})
	if err == nil || !strings.Contains(err.Error(), "exit status 4") || !strings.Contains(err.Error(), "no thanks") {
		t.Errorf("error %v", err)
	}
	if left := pm2test.ProcessesWith("PM25_DEMO=" + dir); len(left) > 0 {
		t.Errorf("left running: %v", left)
	}
}
