package procfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	hybridCgroup = "9:name=systemd:/\n4:cpu,memory:/docker/a:b\n0::/docker/a:b\n"
	v2Cgroup     = "0::/system.slice/pm2-root.service\n"
	eventsFile   = "low 0\nhigh 3\nmax 12\noom 5\noom_kill 4\noom_group_kill 0\n"
	localFile    = "low 0\nhigh 0\nmax 0\noom 0\noom_kill 2\n"
	controlFile  = "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n"
	vmstatFile   = "nr_free_pages 1\noom_killer_x 9\noom_kill 11\nswap_ra 0\n"
)

func TestParseCgroup(t *testing.T) {
	for name, c := range map[string]struct{ in, v1, v2 string }{
		"v2":       {v2Cgroup, "", "/system.slice/pm2-root.service"},
		"hybrid":   {hybridCgroup, "/docker/a:b", "/docker/a:b"},
		"v1":       {"4:memory:/x\n3:cpu:/y\n", "/x", ""},
		"similar":  {"4:memory2:/x\n", "", ""},
		"deleted":  {"0::/a/b (deleted)\n", "", "/a/b"},
		"nonsense": {"\nx\n1:2\n", "", ""},
	} {
		v1, v2 := parseCgroup([]byte(c.in))
		if v1 != c.v1 || v2 != c.v2 {
			t.Errorf("%s: got %q, %q, want %q, %q", name, v1, v2, c.v1, c.v2)
		}
	}
}

func TestCgroupDir(t *testing.T) {
	const mounts = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n" +
		"32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu\n" +
		"35 31 0:32 /docker/abc /sys/fs/cgroup/memory\\040x rw shared:1 master:2 - cgroup cgroup rw,memory\n" +
		"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	for name, c := range map[string]struct{ fs, option, cgroup, want string }{
		"v2":             {"cgroup2", "", "/a/b", "/sys/fs/cgroup/unified/a/b"},
		"v2 root":        {"cgroup2", "", "/", "/sys/fs/cgroup/unified"},
		"v1":             {"cgroup", "memory", "/docker/abc/d", "/sys/fs/cgroup/memory x/d"},
		"v1 mount":       {"cgroup", "memory", "/docker/abc", "/sys/fs/cgroup/memory x"},
		"beside it":      {"cgroup", "memory", "/docker/abcd", ""},
		"outside":        {"cgroup", "memory", "/docker/abc/../x", ""},
		"of namespace":   {"cgroup2", "", "/../../x", ""},
		"not mounted":    {"cgroup", "pids", "/docker/abc", ""},
		"not in cgroups": {"cgroup2", "", "", ""},
	} {
		if got := cgroupDir([]byte(mounts), c.fs, c.option, c.cgroup); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// proc makes a procfs and a cgroup mount with these files.
func oomFixture(t *testing.T, cgroup string, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	write := func(name, content string) {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("42/cgroup", cgroup)
	write("self/mountinfo", fmt.Sprintf("1 1 0:1 / %s/v1 rw - cgroup cgroup rw,memory,cpu\n2 1 0:2 / %[1]s/v2 rw - cgroup2 none rw\n", root))
	for name, content := range files {
		write(name, content)
	}
	return root
}

func TestOOMCounter(t *testing.T) {
	const v2dir, v1dir = "v2/system.slice/pm2-root.service/", "v1/docker/a:b/"
	type answer struct {
		Value  uint64
		Source string
		Err    error
	}
	for name, c := range map[string]struct {
		cgroup string
		files  map[string]string
		want   answer
	}{
		"v2":                   {v2Cgroup, map[string]string{v2dir + "memory.events": eventsFile, v2dir + "memory.events.local": localFile, "vmstat": vmstatFile}, answer{4, OOMSourceEvents, nil}},
		"v2 local":             {v2Cgroup, map[string]string{v2dir + "memory.events.local": localFile, "vmstat": vmstatFile}, answer{2, OOMSourceEventsLocal, nil}},
		"v2 root":              {"0::/\n", map[string]string{v2dir + "memory.events": eventsFile, "vmstat": vmstatFile}, answer{11, OOMSourceVMStat, nil}},
		"v1":                   {hybridCgroup, map[string]string{v1dir + "memory.oom_control": controlFile, "vmstat": vmstatFile}, answer{7, OOMSourceControl, nil}},
		"v1 of old kernels":    {hybridCgroup, map[string]string{v1dir + "memory.oom_control": "under_oom 0\n", "vmstat": vmstatFile}, answer{11, OOMSourceVMStat, nil}},
		"hybrid, memory v2":    {"0::/x\n3:cpu:/x\n", map[string]string{"v2/x/memory.events": eventsFile, "vmstat": vmstatFile}, answer{4, OOMSourceEvents, nil}},
		"nothing":              {v2Cgroup, nil, answer{Err: ErrNoOOMCount}},
		"not a number":         {v2Cgroup, map[string]string{v2dir + "memory.events": "oom_kill x\n"}, answer{Err: ErrNoOOMCount}},
		"vmstat of a manyfold": {v2Cgroup, map[string]string{"vmstat": strings.Repeat("nr_something 123456\n", 1500) + vmstatFile}, answer{11, OOMSourceVMStat, nil}},
	} {
		t.Run(name, func(t *testing.T) {
			counter, err := NewOOMCounter(OOMOptions{PID: 42, ProcRoot: oomFixture(t, c.cgroup, c.files)})
			if err != nil {
				t.Fatal(err)
			}
			defer counter.Close()
			for range 2 {
				v, source, err := counter.Read()
				if !errors.Is(err, c.want.Err) {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, answer{v, source, c.want.Err}, cmp.Comparer(errors.Is)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	if _, err := NewOOMCounter(OOMOptions{}); err == nil {
		t.Error("a counter for no process")
	}
	counter, err := NewOOMCounter(OOMOptions{PID: 43, ProcRoot: oomFixture(t, v2Cgroup, nil)})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := counter.Read(); !errors.Is(err, ErrGone) {
		t.Errorf("for a process that is gone: %v", err)
	}
}

func BenchmarkOOMCounter(b *testing.B) {
	c, err := NewOOMCounter(OOMOptions{PID: os.Getpid()})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	if _, source, err := c.Read(); err != nil {
		b.Skip(err)
	} else {
		b.Log(source)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.Read(); err != nil {
			b.Fatal(err)
		}
	}
}
