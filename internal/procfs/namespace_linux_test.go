package procfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// statusFixture makes a /proc of processes with these parents and NSpid lines.
func statusFixture(t *testing.T, processes map[int][2]string) string {
	t.Helper()
	root := t.TempDir()
	for pid, p := range processes {
		dir := filepath.Join(root, strconv.Itoa(pid))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		nspid := ""
		if p[1] != "" {
			nspid = "NSpid:\t" + p[1] + "\n"
		}
		for name, content := range map[string]string{
			"stat":   fmt.Sprintf("%d (a b) S %s 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 5 0 0 0", pid, p[0]),
			"status": "Name:\ta b\nPid:\t1\n" + nspid + "NSpgid:\t7\t8\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

func TestHostPIDs(t *testing.T) {
	root := statusFixture(t, map[int][2]string{
		1:   {"0", "1"},
		100: {"1", "100\t1"},       // init of a container
		101: {"100", "101\t17"},    // its PM2
		102: {"101", "102\t20"},    // an app
		103: {"102", "103\t21"},    // and its child
		104: {"101", "104\t22\t1"}, // a container within
		200: {"1", "200\t1"},       // another container
		201: {"200", "201\t20"},    // with a process of the same number
		300: {"1", "300"},          // PM2 on the host
		301: {"300", ""},           // an old kernel
	})
	for name, c := range map[string]struct {
		daemon int
		pids   []int
		shared bool
		want   map[int]int
	}{
		"nested":     {101, []int{17, 20, 21, 22, 99, 1}, false, map[int]int{17: 101, 20: 102, 21: 103, 22: 104}},
		"within":     {104, []int{1}, false, map[int]int{1: 104}},
		"none":       {101, nil, false, map[int]int{}},
		"shared":     {300, []int{5, 300}, true, map[int]int{5: 5, 300: 300}},
		"old kernel": {301, []int{5}, true, map[int]int{5: 5}},
	} {
		got, err := HostPIDs(root, c.daemon, c.pids)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if shared, err := SharesPIDNamespace(root, c.daemon); shared != c.shared || err != nil {
			t.Errorf("%s: shared is %t, %v", name, shared, err)
		}
	}
	if _, err := HostPIDs(root, 999, nil); !errors.Is(err, ErrGone) {
		t.Errorf("of a daemon that is gone: %v", err)
	}
	if _, err := SharesPIDNamespace(root, 999); !errors.Is(err, ErrGone) {
		t.Errorf("of a daemon that is gone: %v", err)
	}
}

func TestHostPIDsOnTheKernel(t *testing.T) {
	if shared, err := SharesPIDNamespace("/proc", os.Getpid()); !shared || err != nil {
		t.Errorf("our own namespace: %t, %v", shared, err)
	}
	c := startCmd(t, ownNamespace(t, helper("nested")))
	var inside []int
	for range 3 {
		line := c.hear(t)
		pid, err := strconv.Atoi(line)
		if err != nil {
			t.Fatal(line)
		}
		inside = append(inside, pid)
	}
	if shared, err := SharesPIDNamespace("/proc", c.pid); shared || err != nil {
		t.Errorf("a nested namespace: %t, %v", shared, err)
	}
	got, err := HostPIDs("/proc", c.pid, append(inside, 1))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 || got[1] != c.pid {
		t.Errorf("translated %v of %v, and 1 of %d", got, inside, c.pid)
	}
	for _, pid := range inside {
		ids, err := namespacePIDs("/proc", got[pid], nil)
		if err != nil || !slices.Equal(ids[len(ids)-2:], []int{got[pid], pid}) {
			t.Errorf("%d became %d, which the kernel knows as %v, %v", pid, got[pid], ids, err)
		}
	}
	// And they can be measured by their numbers here.
	s := openLinux(t, Options{})
	if sample := mustRead(t, s, c.pid); sample.Children != 3 {
		t.Errorf("%d children, want the three", sample.Children)
	}
}
