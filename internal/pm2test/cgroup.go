package pm2test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// LimitedCgroup makes a cgroup with that many bytes of memory, which goes when
// what is in it has ended; it skips the test where that is not allowed.
func LimitedCgroup(t testing.TB, memory int64) (dir string) {
	t.Helper()
	var err error
	for _, v := range []struct{ root, limit string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
		{"/sys/fs/cgroup", "memory.max"},
	} {
		dir := filepath.Join(v.root, fmt.Sprintf("pm25-test-%d-%d", os.Getpid(), time.Now().UnixNano()))
		if err = os.Mkdir(dir, 0o755); err != nil {
			continue
		}
		t.Cleanup(func() {
			Eventually(t, 10*time.Second, func() error {
				if err := syscall.Rmdir(dir); err != nil && !os.IsNotExist(err) {
					return err
				}
				return nil
			})
		})
		if err = os.WriteFile(filepath.Join(dir, v.limit), []byte(strconv.FormatInt(memory, 10)), 0); err == nil {
			return dir
		}
	}
	t.Skipf("no cgroup with a memory limit can be made here: %v", err)
	return ""
}

// MoveToCgroup puts a process into a cgroup; the test is skipped where that is
// not allowed.
func MoveToCgroup(t testing.TB, dir string, pid int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
		t.Skipf("a process may not be moved into a cgroup: %v", err)
	}
}
