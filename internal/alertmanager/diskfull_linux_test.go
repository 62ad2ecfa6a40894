package alertmanager

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
)

// With a full disk alerts are told and silences hold, also after a start; when
// there is room again, all is written down.
func TestDiskFull(t *testing.T) {
	if os.Getenv("PM25_TEST_DISK") == "" {
		withOwnMounts(t)
		return
	}
	dir := t.TempDir()
	ok(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	ok(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=128k"))
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })

	h := newHook(t)
	first := start(t, dir, quick(t, h.URL, "group_by: [n]"))
	first.post(t, alertOf("a", time.Hour))
	h.expect(t, "firing a")
	fill(t, dir)
	mute := func(r *running, name string) {
		t.Helper()
		_, err := r.AddSilence(t.Context(), Silence{Matchers: []Matcher{{Name: "n", Value: name}}, EndsAt: time.Now().Add(time.Hour), CreatedBy: "me", Comment: strings.Repeat("x", 8<<10)})
		ok(t, err)
	}
	mute(first, "b")
	mute(first, "c")
	first.post(t, alertOf("b", time.Hour), alertOf("d", time.Hour))
	h.expect(t, "firing a", "firing d")
	if n := first.metric(t, "pm25_alertmanager_journal_failures_total"); n < 2 {
		t.Errorf("%v failures", n)
	}
	if logged := strings.Count(first.logs.String(), "of=silences"); logged != 1 {
		t.Errorf("logged %d times: %s", logged, first.logs)
	}
	ok(t, first.Close(t.Context()))

	again := newHook(t)
	second := start(t, dir, quick(t, again.URL, "group_by: [n]"))
	mute(second, "e")
	second.post(t, alertOf("a", time.Hour), alertOf("e", time.Hour), alertOf("f", time.Hour))
	again.expect(t, "firing f")
	ok(t, os.Remove(filepath.Join(dir, "full")))
	for _, j := range second.journals {
		j.wake <- struct{}{}
		until(t, "all on disk", func() bool { return !j.due() })
	}
	last := start(t, second.killed(t), quick(t, newHook(t).URL))
	silences, err := last.Silences(t.Context())
	if err != nil || len(silences) != 1 || silences[0].Matchers[0].Value != "e" {
		t.Errorf("silences %+v, %v", silences, err)
	}
}

// fill writes until nothing more goes.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "full"))
	ok(t, err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
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
