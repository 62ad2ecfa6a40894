//go:build linux

package procfs

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

func openLinux(t testing.TB, o Options) *linux {
	t.Helper()
	s, err := newLinux(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// The suite once more, without a kept descriptor.
func TestSuiteWithoutDescriptors(t *testing.T) {
	RunSourceSuite(t, func() Source {
		return openLinux(t, Options{ScanInterval: time.Nanosecond, MaxDescriptors: 1})
	})
}

func TestCPUIsWhatTheKernelBills(t *testing.T) {
	s := openLinux(t, Options{})
	// In user mode, and with an open and a close in each turn in the kernel.
	c := start(t, "i=0; while [ $i -lt 150000 ]; do i=$((i+1)); : </dev/null; done; echo burnt; read x")
	c.hear(t)
	time.Sleep(20 * time.Millisecond)
	got := mustRead(t, s, c.pid)
	own := mustRead(t, s, os.Getpid())
	c.end(t)
	bill := c.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	user, system := time.Duration(bill.Utime.Nano()).Seconds(), time.Duration(bill.Stime.Nano()).Seconds()
	if math.Abs(got.UserSeconds-user) > 0.0201 || math.Abs(got.SystemSeconds-system) > 0.0201 {
		t.Errorf("measured %g s user, %g s system; the kernel bills %g and %g",
			got.UserSeconds, got.SystemSeconds, user, system)
	}
	if user < 0.05 || system < 0.05 {
		t.Errorf("the child burnt only %g and %g s", user, system)
	}
	// And our own sample had it as a child's time, which it still is when
	// it was waited for.
	after := mustRead(t, s, os.Getpid())
	if d := after.ChildrenSeconds - own.ChildrenSeconds; d < 0 || d > 0.0201 {
		t.Errorf("waiting for the child added %g s", d)
	}
	var waited syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &waited); err != nil {
		t.Fatal(err)
	}
	all := time.Duration(waited.Utime.Nano() + waited.Stime.Nano()).Seconds()
	if math.Abs(after.ChildrenSeconds-all) > 0.0201 {
		t.Errorf("children used %g s, RUSAGE_CHILDREN says %g", after.ChildrenSeconds, all)
	}
}

func TestStartTimeIsExact(t *testing.T) {
	s := openLinux(t, Options{})
	before := time.Now()
	c := start(t, "read x")
	after := time.Now()
	got := mustRead(t, s, c.pid)
	// A tick is cut off.
	if got.StartTime.Before(before.Add(-20*time.Millisecond)) || got.StartTime.After(after.Add(10*time.Millisecond)) {
		t.Errorf("started at %s, and was started between %s and %s", got.StartTime, before, after)
	}
}

func TestChildrenSecondsOfManyShortLives(t *testing.T) {
	s := openLinux(t, Options{})
	c := start(t, `for i in 1 2 3 4 5 6; do sh -c "sh -c '$BURN'; $BURN" & sh -c "$BURN"; wait; done; echo done; read x`)
	done := make(chan struct{})
	go func() { defer close(done); c.hear(t) }()
	last, reads := 0.0, 0
	for finished := false; !finished; reads++ {
		select {
		case <-done:
			finished = true
		default:
		}
		got := mustRead(t, s, c.pid)
		if got.ChildrenSeconds < last {
			t.Fatalf("read %d: fell from %g to %g", reads, last, got.ChildrenSeconds)
		}
		last = got.ChildrenSeconds
	}
	// All are waited for now, so the kernel has the exact sum.
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.pid))
	if err != nil {
		t.Fatal(err)
	}
	var st stat
	if err := parseStat(b, &st); err != nil {
		t.Fatal(err)
	}
	if want := seconds(st.waited); math.Abs(last-want) > 0.001 || want < 0.1 {
		t.Errorf("children used %g s after %d reads, the kernel's sum is %g", last, reads, want)
	}
}

func TestChildrenNobodyWaitsFor(t *testing.T) {
	s := openLinux(t, Options{})
	c := startCmd(t, helper("ignore"))
	var got Sample
	for round := 1; round <= 2; round++ {
		c.hear(t)
		before := got.ChildrenSeconds
		eventually(t, func() error {
			now := mustRead(t, s, c.pid)
			if now.ChildrenSeconds < got.ChildrenSeconds {
				t.Fatalf("fell from %g to %g", got.ChildrenSeconds, now.ChildrenSeconds)
			}
			idle := now.ChildrenSeconds == got.ChildrenSeconds
			if got = now; !idle || got.ChildrenSeconds < before+0.02 {
				return fmt.Errorf("round %d: from %g to %g", round, before, got.ChildrenSeconds)
			}
			return nil
		})
		c.say(t)
		c.hear(t)
		for range 4 {
			if now := mustRead(t, s, c.pid); now.ChildrenSeconds < got.ChildrenSeconds {
				t.Fatalf("fell from %g to %g", got.ChildrenSeconds, now.ChildrenSeconds)
			}
		}
	}
}

func TestZombieChild(t *testing.T) {
	s := openLinux(t, Options{ScanInterval: time.Nanosecond})
	c := startCmd(t, helper("zombie"))
	c.hear(t)
	dead := mustRead(t, s, c.pid)
	if dead.Children != 0 || dead.ChildrenResidentBytes != 0 {
		t.Errorf("a zombie counts as %d children of %d bytes", dead.Children, dead.ChildrenResidentBytes)
	}
	if dead.ChildrenSeconds < 0.02 {
		t.Errorf("a zombie's time is %g s", dead.ChildrenSeconds)
	}
	c.say(t)
	c.hear(t)
	// The kernel cuts off what is no whole hundredth of a second: once of the zombie, once of the sum, and each for user
	// and system.
	const cutOff = 0.0201
	if got := mustRead(t, s, c.pid).ChildrenSeconds - dead.ChildrenSeconds; got < 0 || got > cutOff {
		t.Errorf("reaping it changed its time of %g by %g", dead.ChildrenSeconds, got)
	}
}

func TestChildOfAnotherThread(t *testing.T) {
	s := openLinux(t, Options{ScanInterval: 300 * time.Millisecond})
	mustRead(t, s, os.Getpid()) // scans
	c := startCmd(t, helper("thread"))
	c.hear(t)
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", c.pid)); err != nil || len(b) > 0 {
		t.Skipf("the direct way shows them: %q, %v", b, err)
	}
	eventually(t, func() error {
		if got := mustRead(t, s, c.pid); got.Children != 2 {
			return fmt.Errorf("%d children, want the thread's and its own", got.Children)
		}
		return nil
	})
	scans := s.Stats().Scans
	s.opts.ScanInterval = time.Hour
	for range 3 {
		if got := mustRead(t, s, c.pid); got.Children != 2 {
			t.Errorf("%d children without another scan", got.Children)
		}
	}
	if n := s.Stats().Scans; n != scans {
		t.Errorf("%d more scans", n-scans)
	}
	c.say(t) // the grandchild goes
	eventually(t, func() error {
		if got := mustRead(t, s, c.pid); got.Children != 1 {
			return fmt.Errorf("%d children", got.Children)
		}
		return nil
	})
}

func TestReusedNumber(t *testing.T) {
	c := startCmd(t, ownNamespace(t, helper("reuse")))
	if got := c.hear(t); got != "ok" {
		t.Error(got)
	}
}

func TestNoDescriptorLeaks(t *testing.T) {
	count := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	before := count()
	children := []*child{
		start(t, "sh -c 'read x'; read x"),
		start(t, "read x"),
		start(t, "sh -c 'sh -c \"read x\"; read x'; read x"),
	}
	pipes := count()
	s, err := newLinux(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		for _, c := range children {
			mustRead(t, s, c.pid)
		}
		if got, want := count()-pipes, s.Stats().Descriptors+1; got != want {
			t.Errorf("round %d: %d descriptors are open, %d are known", round, got, want)
		}
		if round == 1 {
			s.Retain([]int{children[0].pid})
		}
	}
	with := count()
	children[2].end(t)
	pipes -= with - count() // its own, ours are still open
	if _, err := s.Read(children[2].pid, time.Time{}, time.Time{}); !isGone(err) {
		t.Error(err)
	}
	s.Retain(nil)
	if got := count() - pipes; got != 1 {
		t.Errorf("%d descriptors are open after Retain(nil), want that of /proc", got)
	}
	s.Close()
	s.Close()
	for _, c := range children {
		c.end(t)
	}
	if got := count(); got > before {
		t.Errorf("%d descriptors are open, %d were", got, before)
	}
}

func TestBounds(t *testing.T) {
	wide := start(t, "for i in 1 2 3 4 5 6 7 8; do sleep 60 & p=\"$p $!\"; done; echo up; read x; kill $p; wait")
	wide.hear(t)
	s := openLinux(t, Options{MaxDescendants: 5})
	for range 2 {
		if got := mustRead(t, s, wide.pid); got.Children != 5 {
			t.Errorf("%d children, want as many as there may be", got.Children)
		}
	}
	if n := s.Stats().Truncations; n != 2 {
		t.Errorf("%d truncations counted", n)
	}
	wide.say(t)

	deep := start(t, "sh -c 'sh -c \"echo up; read x; exit 0\"; exit 0'; exit 0")
	deep.hear(t)
	s = openLinux(t, Options{MaxDepth: 1})
	if got := mustRead(t, s, deep.pid); got.Children != 1 || s.Stats().Truncations != 1 {
		t.Errorf("%d children, %d truncations", got.Children, s.Stats().Truncations)
	}
	s = openLinux(t, Options{Alone: true})
	if got := mustRead(t, s, deep.pid); got.Children != 0 || got.OpenFDs < 3 || s.Stats().Scans != 0 {
		t.Errorf("alone: %+v, %+v", got, s.Stats())
	}
}

func TestCountingDescriptorsTheOldWay(t *testing.T) {
	s := openLinux(t, Options{})
	c := start(t, "exec 7</dev/null 8</dev/null; echo up; read x")
	c.hear(t)
	want := mustRead(t, s, c.pid).OpenFDs
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.pid))
	if err != nil || len(names) != want {
		t.Errorf("%d descriptors, the folder has %d, %v", want, len(names), err)
	}
	s.fdSize = fdCounter{counts: true}
	for range 2 {
		if got := mustRead(t, s, c.pid).OpenFDs; got != want {
			t.Errorf("counted %d, the kernel says %d", got, want)
		}
	}
}

func TestForbiddenDescriptors(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to become somebody else")
	}
	// A mode of 0 keeps out all but root, so be another user for it.
	c := start(t, "read x")
	cmd := exec.Command(os.Args[0], "-test.run=^TestForbiddenDescriptorsChild$", "-test.v")
	dir := t.TempDir()
	bin := filepath.Join(dir, "test")
	b, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bin, b, 0o755); err != nil {
		t.Fatal(err)
	}
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Path, cmd.Dir = bin, "/"
	cmd.Env = append(os.Environ(), "PROCFS_TEST_PID="+strconv.Itoa(c.pid))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestForbiddenDescriptorsChild(t *testing.T) {
	pid, err := strconv.Atoi(os.Getenv("PROCFS_TEST_PID"))
	if err != nil {
		t.Skip("runs as another user, from TestForbiddenDescriptors")
	}
	s := openLinux(t, Options{})
	for range 2 {
		if got := mustRead(t, s, pid); got.OpenFDs != -1 || got.ResidentBytes == 0 {
			t.Errorf("a stranger sees %+v", got)
		}
	}
}

func TestClockTicks(t *testing.T) {
	b, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		t.Fatal(err)
	}
	const atClkTck = 17
	words := slices.Collect(auxv(b))
	for i := 0; i+1 < len(words); i += 2 {
		if words[i] == atClkTck {
			if words[i+1] != ticksPerSecond {
				t.Errorf("the kernel has %d ticks a second", words[i+1])
			}
			return
		}
	}
	t.Error("the auxiliary vector has no AT_CLKTCK")
}

func auxv(b []byte) func(func(uint64) bool) {
	return func(yield func(uint64) bool) {
		for size := strconv.IntSize / 8; len(b) >= size; b = b[size:] {
			var v uint64
			for i := range size {
				v |= uint64(b[i]) << (8 * i)
			}
			if !yield(v) {
				return
			}
		}
	}
}
