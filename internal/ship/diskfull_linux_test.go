package ship

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pm25/pm25/internal/record"
)

// With a full disk Put fails, what was offered waits, what was kept is sent; when
// there is room again all goes on, and nothing that was confirmed is lost.
func TestDiskFull(t *testing.T) {
	if os.Getenv("PM25_TEST_DISK") == "" {
		withOwnMounts(t)
		return
	}
	disk := t.TempDir()
	ok(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	ok(t, unix.Mount("tmpfs", disk, "tmpfs", 0, "size=2m"))
	t.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) })
	r := newRig(t, func(o *Options) { o.Dir, o.MaxBytes, o.Now, o.linger = disk, 4<<20, time.Now, time.Nanosecond })
	ok(t, os.WriteFile(filepath.Join(disk, "ballast"), make([]byte, 512<<10), 0o600))

	confirmed := r.putUntilFull(t, 0)
	if confirmed < 300 {
		t.Errorf("only %d records fit", confirmed)
	}
	offered := 0
	for n := range maxQueueRecords + 100 {
		if r.Offer(big(100_000 + n)) {
			offered++
		}
	}
	if dropped := r.Stats().Dropped[Drop{record.Start, QueueFull}]; offered == 0 || offered+int(dropped) != maxQueueRecords+100 {
		t.Errorf("%d offered, %d dropped", offered, dropped)
	}
	ok(t, os.Remove(filepath.Join(disk, "ballast"))) // there is room again, without the server
	until(t, "offers are on disk", func() bool { return r.Stats().Spool.Spooled[record.Start] > uint64(confirmed) })
	confirmed += r.putUntilFull(t, confirmed)

	until(t, "all is sent", func() bool { // which makes room for what was offered
		_, _ = r.turn(t.Context())
		return r.Stats().Spool.Spooled[record.Start] == uint64(confirmed+offered) && r.pending() == 0
	})
	if n := r.server.stored(); n != confirmed+offered {
		t.Errorf("%d stored, %d confirmed and %d offered; %d wait, %+v", n, confirmed, offered, r.queue.waiting(), r.Stats())
	}
	if st := r.Stats(); st.Spool.Failures < 2 || st.Spool.CorruptBytes+st.Spool.TornBytes != 0 || len(st.Dropped) > 1 {
		t.Errorf("%+v", st)
	}
}

// big is a record of about 2 KB.
func big(n int) *record.Record {
	r := numbered(n)
	r.Message = strings.Repeat("x", 1700)
	return r
}

func (r *rig) putUntilFull(t *testing.T, from int) (put int) {
	t.Helper()
	for {
		err := r.Put(t.Context(), big(from+put))
		if errors.Is(err, unix.ENOSPC) {
			return put
		}
		ok(t, err)
		put++
	}
}

// withOwnMounts runs this test again in a process that may mount.
func withOwnMounts(t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "PM25_TEST_DISK=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER, Pdeathsig: syscall.SIGKILL,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) || strings.Contains(string(out), "operation not permitted") {
		t.Skipf("skipped: it needs a mount namespace of its own: %v", err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
