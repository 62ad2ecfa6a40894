package proctest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process may take to end in order.
const patience = 30 * time.Second

// Process is a running program and what it has written.
type Process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}

	mu  sync.Mutex
	out bytes.Buffer
}

// Start runs a program in a small environment: PATH, a HOME of its own, and
// env. It is killed when the test ends, and when the test process does.
func Start(t testing.TB, env []string, path string, args ...string) *Process {
	t.Helper()
	p := &Process{name: path[strings.LastIndexByte(path, '/')+1:], done: make(chan struct{})}
	p.cmd = exec.Command(path, args...)
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.SysProcAttr = ownGroup()
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", p.name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is read from cmd.ProcessState
		close(p.done)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			log := p.Log()
			t.Logf("end of what %s (pid %d) wrote:\n%s", p.name, p.PID(), log[max(0, len(log)-6000):])
		}
	})
	return p
}

// Write takes what the program writes.
func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

// Log is what the program has written, to both of its outputs.
func (p *Process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// LastLine is the last line of Log: a program that fails says there why.
func (p *Process) LastLine() string {
	log := strings.TrimSpace(p.Log())
	return log[strings.LastIndexByte(log, '\n')+1:]
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended tells whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Signal sends a signal; the process may have ended.
func (p *Process) Signal(sig os.Signal) { _ = p.cmd.Process.Signal(sig) }

// Stop sends a signal that ends the process, and returns the exit code.
func (p *Process) Stop(t testing.TB, sig os.Signal) int {
	t.Helper()
	p.Signal(sig)
	return p.Wait(t, patience)
}

// Wait waits for the process to end by itself and returns the exit code: -1
// after a signal.
func (p *Process) Wait(t testing.TB, within time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		p.Kill()
		t.Errorf("%s did not end within %v", p.name, within)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Kill ends the process as a crash would. Calling it again does nothing.
func (p *Process) Kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// Resident is the resident memory in bytes.
func (p *Process) Resident() (int64, error) {
	fields, err := p.proc("statm")
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// CPU is the CPU time spent so far.
func (p *Process) CPU() (time.Duration, error) {
	fields, err := p.proc("stat")
	if err != nil {
		return 0, err
	}
	var ticks int64
	for _, f := range fields[11:13] { // user and system, in hundredths
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// proc returns the fields of a file of the process below /proc, without what
// comes before a name in parentheses.
func (p *Process) proc(file string) ([]string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.PID(), file))
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 2 || file == "stat" && len(fields) < 13 {
		return nil, fmt.Errorf("%s of %s has %d fields", file, p.name, len(fields))
	}
	return fields, nil
}
