package procfs

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestFacts(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	h, err := NewHost(HostOptions{Paths: func() []string { return []string{dir, link, dir, os.TempDir()} }})
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.Facts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got.CPUs < float64(runtime.NumCPU()) {
		t.Errorf("%g CPUs, we alone may use %d", got.CPUs, runtime.NumCPU())
	}
	if !(got.MemoryAvailableBytes > 0 && got.MemoryTotalBytes > got.MemoryAvailableBytes) {
		t.Errorf("memory: %g of %g bytes", got.MemoryAvailableBytes, got.MemoryTotalBytes)
	}
	if !(got.Load1 >= 0 && got.Load5 >= 0 && got.Load15 >= 0) {
		t.Errorf("load: %g, %g, %g", got.Load1, got.Load5, got.Load15)
	}
	now := float64(time.Now().Unix())
	if !(got.BootTimeSeconds > 1e9 && got.BootTimeSeconds < now) {
		t.Errorf("booted at %g, now is %g", got.BootTimeSeconds, now)
	}
	if len(got.Filesystems) == 0 || len(got.Filesystems) > 2 {
		t.Fatalf("filesystems: %+v", got.Filesystems)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	size := st.Blocks * uint64(st.Bsize)
	if !slices.ContainsFunc(got.Filesystems, func(f Filesystem) bool { return f.SizeBytes == size && f.AvailBytes <= size }) {
		t.Errorf("none of %+v has %d bytes", got.Filesystems, size)
	}
}

func TestFactsThatAreNotThere(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc to take away")
	}
	h, err := NewHost(HostOptions{ProcRoot: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.Facts(context.Background())
	if err == nil {
		t.Error("no error")
	}
	for name, v := range map[string]float64{
		"CPUs": got.CPUs, "boot": got.BootTimeSeconds,
		"memory": got.MemoryTotalBytes, "available": got.MemoryAvailableBytes,
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s is %g", name, v)
		}
	}
}

func TestSettled(t *testing.T) {
	for _, c := range []struct{ was, is, want float64 }{
		{math.NaN(), 100, 100}, {100, 101, 100}, {100, 99, 100}, {100, 160, 160},
	} {
		if got := settled(c.was, c.is); got != c.want {
			t.Errorf("settled(%g, %g) = %g", c.was, c.is, got)
		}
	}
}

func TestMountpoint(t *testing.T) {
	mounts := []string{"/", "/var", "/var/log", "/home/a", "/dev/shm"}
	for path, want := range map[string]string{
		"/":              "/",
		"/x":             "/",
		"/var":           "/var",
		"/variable":      "/",
		"/var/log/pm2":   "/var/log",
		"/var/logs":      "/var",
		"/home/a/.pm2/x": "/home/a",
	} {
		if got := mountpoint(path, mounts); got != want {
			t.Errorf("%s is on %s, not %s", path, want, got)
		}
	}
}

func TestSilentFilesystems(t *testing.T) {
	f := newFilesystems(50*time.Millisecond, 2)
	release := make(chan struct{})
	calls := make(chan string, 100)
	f.mounts = func(context.Context) ([]string, error) { return []string{"/", "/a", "/b", "/nfs", "/cifs"}, nil }
	f.resolve = func(path string) (string, error) { return path, nil }
	f.usage = func(path string) (uint64, uint64, error) {
		calls <- path
		switch path[:2] {
		case "/n", "/c":
			<-release
		case "/x":
			return 0, 0, os.ErrPermission
		}
		return 100, uint64(len(path)), nil
	}
	read := func(paths ...string) []Filesystem {
		t.Helper()
		start := time.Now()
		got, err := f.read(context.Background(), paths)
		if d := time.Since(start); d > 5*time.Second {
			t.Fatalf("waited for %s", d)
		}
		if silent := slices.ContainsFunc(paths, func(p string) bool { return p[1] == 'n' || p[1] == 'c' }); silent != errors.Is(err, ErrFilesystemSilent) {
			t.Errorf("%v: %v", paths, err)
		}
		return got
	}
	diff := func(got []Filesystem, want ...Filesystem) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	a, b := Filesystem{"/a", 100, 4}, Filesystem{"/b", 100, 4}

	diff(read("/b/x", "/a/x", "/b/y"), a, b)
	if _, err := f.read(context.Background(), []string{"/x"}); !errors.Is(err, os.ErrPermission) {
		t.Error(err)
	}
	// One that hangs takes a place; the others go on in what is left.
	diff(read("/a/x", "/b/x", "/nfs/x"), a, b)
	for len(calls) > 0 {
		<-calls
	}
	diff(read("/a/x", "/b/x", "/nfs/x"), a, b)
	for len(calls) > 0 {
		if path := <-calls; path == "/nfs/x" {
			t.Error("the one that hangs was asked again")
		}
	}
	// Two fill all places, and then nobody is asked any more.
	read("/cifs/x")
	if _, err := f.read(context.Background(), []string{"/a/x"}); !errors.Is(err, ErrFilesystemSilent) {
		t.Error(err)
	}
	if len(f.waiting) != 2 {
		t.Errorf("%d are waited for", len(f.waiting))
	}
	close(release)
	eventually(t, func() error {
		_, err := f.read(context.Background(), []string{"/nfs/x", "/cifs/x", "/a/x"})
		return err
	})
}

func BenchmarkFacts(b *testing.B) {
	h, err := NewHost(HostOptions{Paths: func() []string { return []string{"/tmp", "/var/log"} }})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Facts(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
