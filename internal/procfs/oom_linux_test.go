package procfs

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

func init() {
	// oom takes more memory than its cgroup allows.
	helpers["oom"] = func() error {
		await("up")
		var hoard [][]byte
		for range 64 {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = byte(i)
			}
			hoard = append(hoard, b)
		}
		return fmt.Errorf("still alive with %d MiB", len(hoard))
	}
}

func TestOOMCounterOnTheKernel(t *testing.T) {
	dir := limitedCgroup(t, 24<<20)
	c := startCmd(t, helper("oom"))
	c.hear(t)
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(c.pid)), 0); err != nil {
		t.Skipf("a process may not be moved into a cgroup: %v", err)
	}
	t.Cleanup(func() {
		// All that is in it must be gone before it can be removed.
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
	counter, err := NewOOMCounter(OOMOptions{PID: c.pid})
	if err != nil {
		t.Fatal(err)
	}
	defer counter.Close()
	before, source, err := counter.Read()
	if err != nil {
		t.Fatal(err)
	}
	if source == OOMSourceVMStat {
		t.Errorf("the cgroup %s was not found", dir)
	}
	host, err := NewOOMCounter(OOMOptions{PID: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	outside, _, err := host.Read()
	if err != nil {
		t.Fatal(err)
	}

	c.say(t)
	_ = c.cmd.Wait()
	if got := c.cmd.ProcessState.Sys().(syscall.WaitStatus); got.Signal() != syscall.SIGKILL {
		t.Fatalf("the process ended with %v and was not killed: %s", got, c.hear(t))
	}
	after, sourceAfter, err := counter.Read()
	if err != nil {
		t.Fatal(err)
	}
	if after != before+1 || sourceAfter != source {
		t.Errorf("from %d (%s) to %d (%s)", before, source, after, sourceAfter)
	}
	if v, source, err := host.Read(); err != nil || source == OOMSourceControl && v != outside {
		t.Errorf("beside the cgroup: from %d to %d (%s), %v", outside, v, source, err)
	}

	// Once the cgroup is removed with the process, there is nothing to count.
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if v, source, err := counter.Read(); !isGone(err) {
		t.Errorf("without the cgroup: %d, %q, %v", v, source, err)
	}
}

// limitedCgroup makes a cgroup with that much memory, of either version, and
// removes it after the test.
func limitedCgroup(t *testing.T, limit int) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Skip(err)
	}
	for _, v := range []struct{ fs, option, limit string }{
		{"cgroup", "memory", "memory.limit_in_bytes"},
		{"cgroup2", "", "memory.max"},
	} {
		root := cgroupDir(mounts, v.fs, v.option, "/")
		if root == "" {
			continue
		}
		dir := filepath.Join(root, fmt.Sprintf("pm25-procfs-test-%d", os.Getpid()))
		if err = os.Mkdir(dir, 0o755); err != nil {
			continue
		}
		t.Cleanup(func() {
			for range 100 {
				if err := os.Remove(dir); err == nil || os.IsNotExist(err) {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Errorf("%s is left behind", dir)
		})
		if err = os.WriteFile(filepath.Join(dir, v.limit), []byte(strconv.Itoa(limit)), 0); err == nil {
			return dir
		}
	}
	t.Skipf("no cgroup with a memory limit can be made here: %v", err)
	return ""
}
