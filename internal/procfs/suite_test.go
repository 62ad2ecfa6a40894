package procfs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"
)

// sources are what must pass the suite on this system.
var sources = map[string]func(Options) (Source, error){
	"new":      New,
	"gopsutil": NewGopsutil,
}

func TestSourceSuite(t *testing.T) {
	for name, open := range sources {
		t.Run(name, func(t *testing.T) {
			RunSourceSuite(t, func() Source {
				// Children of threads, and all of them with gopsutil, are
				// found by scans: have one in each read.
				s, err := open(Options{ScanInterval: time.Nanosecond})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(s.Close)
				return s
			})
		})
	}
}

// RunSourceSuite holds a Source to what the interface promises.
func RunSourceSuite(t *testing.T, open func() Source) {
	t.Run("itself", func(t *testing.T) {
		s, before := open(), time.Now()
		got := mustRead(t, s, os.Getpid())
		switch {
		case got.PID != os.Getpid(), got.StartTicks == 0, got.Threads < 1,
			got.ResidentBytes < 1<<20 || got.ResidentBytes > 1<<32:
			t.Errorf("implausible: %+v", got)
		case got.OpenFDs < 3 && runtime.GOOS == "linux":
			t.Errorf("%d open descriptors", got.OpenFDs)
		case got.StartTime.After(before) || before.Sub(got.StartTime) > time.Hour:
			t.Errorf("started at %s, now is %s", got.StartTime, before)
		}
		again := mustRead(t, s, os.Getpid())
		if again.StartTicks != got.StartTicks || !again.StartTime.Equal(got.StartTime) {
			t.Errorf("the start moved from %d, %s to %d, %s",
				got.StartTicks, got.StartTime, again.StartTicks, again.StartTime)
		}
	})

	t.Run("start time", func(t *testing.T) {
		s, before := open(), time.Now()
		child := start(t, "read x")
		got := mustRead(t, s, child.pid)
		// gopsutil rounds the boot and what passed since down to seconds.
		if d := got.StartTime.Sub(before); d < -2100*time.Millisecond || d > 100*time.Millisecond {
			t.Errorf("started %s after it was started", d)
		}
	})

	t.Run("window", func(t *testing.T) {
		s := open()
		child := start(t, "read x")
		at := mustRead(t, s, child.pid).StartTime
		for name, w := range map[string]struct {
			from, to time.Time
			ok       bool
		}{
			"around":       {at.Add(-time.Second), at.Add(time.Second), true},
			"exactly":      {at, at, true},
			"from":         {at.Add(-time.Second), time.Time{}, true},
			"to":           {time.Time{}, at.Add(time.Second), true},
			"later":        {at.Add(time.Millisecond), time.Time{}, false},
			"earlier":      {time.Time{}, at.Add(-time.Millisecond), false},
			"another time": {at.Add(-time.Hour), at.Add(-time.Minute), false},
		} {
			_, err := s.Read(child.pid, w.from, w.to)
			if w.ok && err != nil || !w.ok && !errors.Is(err, ErrGone) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})

	t.Run("nobody", func(t *testing.T) {
		s := open()
		for _, pid := range []int{-1, 0, 1<<30 - 1} {
			if _, err := s.Read(pid, time.Time{}, time.Time{}); !errors.Is(err, ErrGone) {
				t.Errorf("pid %d: %v", pid, err)
			}
		}
	})

	t.Run("exit between reads", func(t *testing.T) {
		s := open()
		child := start(t, "read x")
		mustRead(t, s, child.pid)
		child.end(t)
		if _, err := s.Read(child.pid, time.Time{}, time.Time{}); !errors.Is(err, ErrGone) {
			t.Errorf("after its exit: %v", err)
		}
	})

	t.Run("zombie", func(t *testing.T) {
		s := open()
		child := start(t, "read x")
		mustRead(t, s, child.pid)
		if err := child.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error {
			_, err := s.Read(child.pid, time.Time{}, time.Time{})
			if !errors.Is(err, ErrGone) {
				return fmt.Errorf("a process that is not reaped yet: %w", err)
			}
			return nil
		})
	})

	t.Run("cpu", func(t *testing.T) {
		s := open()
		child := start(t, "read x; "+burn+"; echo burnt; read x")
		idle := mustRead(t, s, child.pid)
		child.say(t)
		child.hear(t)
		busy := mustRead(t, s, child.pid)
		if d := busy.UserSeconds + busy.SystemSeconds - idle.UserSeconds - idle.SystemSeconds; d < 0.02 || d > 30 {
			t.Errorf("burnt %g s", d)
		}
	})

	t.Run("descendants", func(t *testing.T) {
		s := open()
		child := start(t, "sh -c 'sh -c \"echo up; read x; echo down\"; read x; exit 0'; read x; exit 0")
		if got := mustRead(t, s, child.pid); got.Children > 2 {
			t.Errorf("%d children", got.Children)
		}
		child.hear(t)
		got := mustRead(t, s, child.pid)
		if got.Children != 2 {
			t.Errorf("%d children, want the two levels", got.Children)
		}
		if got.ChildrenResidentBytes < 100<<10 || got.ChildrenResidentBytes > 1<<30 {
			t.Errorf("children of %d bytes", got.ChildrenResidentBytes)
		}
		child.say(t)
		child.hear(t)
		eventually(t, func() error {
			if got = mustRead(t, s, child.pid); got.Children != 1 {
				return fmt.Errorf("%d children after the exit of one", got.Children)
			}
			return nil
		})
	})

	t.Run("children's time never falls", func(t *testing.T) {
		s := open()
		child := start(t, `for i in 1 2 3 4; do sh -c "sh -c '$BURN'; $BURN" & sh -c "$BURN"; wait; done; echo done; read x`)
		done := make(chan struct{})
		go func() { defer close(done); child.hear(t) }()
		last, reads := 0.0, 0
		for finished := false; !finished; reads++ {
			select {
			case <-done:
				finished = true
			case <-time.After(2 * time.Millisecond):
			}
			got := mustRead(t, s, child.pid)
			if got.ChildrenSeconds < last {
				t.Fatalf("read %d: fell from %g to %g", reads, last, got.ChildrenSeconds)
			}
			last = got.ChildrenSeconds
		}
		if last < 0.1 {
			t.Errorf("%g s in all, after %d reads", last, reads)
		}
	})

	t.Run("retain", func(t *testing.T) {
		s := open()
		mustRead(t, s, os.Getpid())
		child := start(t, "read x")
		mustRead(t, s, child.pid)
		s.Retain([]int{child.pid, 1 << 29})
		mustRead(t, s, child.pid)
		s.Retain(nil)
		if n := s.(interface{ Stats() Stats }).Stats(); n.Processes != 0 || n.Descriptors != 0 {
			t.Errorf("after letting all go: %+v", n)
		}
		mustRead(t, s, child.pid)
	})

	t.Run("from several goroutines", func(t *testing.T) {
		s := open()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5 {
					if _, err := s.Read(os.Getpid(), time.Time{}, time.Time{}); err != nil {
						t.Error(err)
					}
					s.Retain([]int{os.Getpid()})
				}
			})
		}
		wg.Wait()
	})
}

// burn keeps a shell busy for some hundredths of a second. Scripts have it
// as $BURN too.
const burn = "i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done"

func mustRead(t *testing.T, s Source, pid int) Sample {
	t.Helper()
	got, err := s.Read(pid, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func eventually(t *testing.T, check func() error) {
	t.Helper()
	var err error
	for range 500 {
		if err = check(); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal(err)
}

// child is a process of a test, which ends with it.
type child struct {
	cmd *exec.Cmd
	pid int
	in  io.WriteCloser
	out *bufio.Scanner
}

// start runs a shell script.
func start(t testing.TB, script string) *child {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(os.Environ(), "BURN="+burn)
	return startCmd(t, cmd)
}

func startCmd(t testing.TB, cmd *exec.Cmd) *child {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &child{cmd, cmd.Process.Pid, in, bufio.NewScanner(out)}
}

// say lets a script that reads a line go on.
func (c *child) say(t testing.TB) {
	t.Helper()
	if _, err := fmt.Fprintln(c.in); err != nil {
		t.Fatal(err)
	}
}

// hear waits for a line of the script.
func (c *child) hear(t testing.TB) string {
	t.Helper()
	if !c.out.Scan() {
		t.Errorf("the child said nothing: %v", c.out.Err())
	}
	return c.out.Text()
}

// end lets the child read the end of its input, and waits for its exit.
func (c *child) end(t testing.TB) {
	t.Helper()
	c.in.Close()
	_ = c.cmd.Wait()
}
