package procfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadFixture(t *testing.T) {
	root := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const line = "%d (PM2 v7) x) S %d 1 1 0 -1 0 1 2 3 4 %d %d %d %d 20 0 %d 0 %d 1 %d 99 1\n"
	write("stat", "cpu  1 2 3\nbtime 1000000000\nprocesses 5\n")
	write("42/stat", fmt.Sprintf(line, 42, 1, 150, 25, 3, 4, 11, 12345, 10))
	write("42/task/42/children", "43 44 ")
	for i := range 7 {
		write(fmt.Sprintf("42/fd/%d", i), "")
	}
	write("43/stat", fmt.Sprintf(line, 43, 42, 100, 0, 0, 0, 1, 12400, 2))
	write("43/task/43/children", "")
	// 44 has gone, and 45 is the child of a thread of 43.
	write("45/stat", fmt.Sprintf(line, 45, 43, 10, 1, 1, 1, 1, 12401, 1))
	write("46/stat", "nonsense")
	write("47/stat", "")
	write("1x/stat", "")

	s := openLinux(t, Options{ProcRoot: root})
	for range 2 {
		got, err := s.Read(42, time.Unix(1000000123, 0), time.Unix(1000000124, 0))
		if err != nil {
			t.Fatal(err)
		}
		page := uint64(os.Getpagesize())
		want := Sample{
			PID:                   42,
			StartTicks:            12345,
			StartTime:             time.Unix(1000000123, 450000000),
			UserSeconds:           1.5,
			SystemSeconds:         0.25,
			ResidentBytes:         10 * page,
			Threads:               11,
			OpenFDs:               7,
			Children:              2,
			ChildrenResidentBytes: 3 * page,
			ChildrenSeconds:       1.2,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	for _, pid := range []int{46, 47} {
		if _, err := s.Read(pid, time.Time{}, time.Time{}); err == nil || errors.Is(err, ErrGone) {
			t.Errorf("process %d: %v, want an error of its own", pid, err)
		}
	}
	// The clock is set while we run.
	write("stat", "btime 1000001000\n")
	s.boot.checked = s.boot.checked.Add(-time.Hour)
	if got := mustRead(t, s, 42); !got.StartTime.Equal(time.Unix(1000001123, 450000000)) {
		t.Errorf("after the clock was set: %s", got.StartTime)
	}
	if n := s.Stats(); n.Processes != 3 || n.Scans != 1 {
		t.Errorf("%+v", n)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"no procfs":       {ProcRoot: filepath.Join(t.TempDir(), "none")},
		"no time of boot": {ProcRoot: t.TempDir()},
		"interval":        {ScanInterval: -1},
		"descendants":     {MaxDescendants: -1},
		"depth":           {MaxDepth: -1},
		"descriptors":     {MaxDescriptors: -1},
	} {
		if s, err := New(o); err == nil {
			s.Close()
			t.Errorf("%s: no error", name)
		}
	}
}
