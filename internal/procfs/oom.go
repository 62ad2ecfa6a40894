package procfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// Where an OOM-kill count comes from. The first two are of the process'
// cgroup and those below it, the third of that cgroup alone, and the last of
// the whole host. A value of one source is not to be compared with that of
// another.
const (
	OOMSourceEvents      = "memory.events"
	OOMSourceEventsLocal = "memory.events.local"
	OOMSourceControl     = "memory.oom_control"
	OOMSourceVMStat      = "vmstat"
)

// ErrNoOOMCount says that no source has a count: a kernel before 4.13, or
// another system.
var ErrNoOOMCount = errors.New("the kernel tells no count of OOM kills")

// maxOOMFile bounds what is read of a file here; vmstat has some 5 KiB.
const maxOOMFile = 64 << 10

// OOMOptions of NewOOMCounter.
type OOMOptions struct {
	// PID is the process whose cgroup counts.
	PID int
	// ProcRoot is where procfs is mounted, DefaultProcRoot if empty.
	ProcRoot string
}

// OOMCounter reads how many processes the kernel has killed for want of
// memory, as closely around one process as it tells. It keeps the file open,
// so reading costs one system call. The cgroup is that of the process when it
// was last looked up: at first, and whenever the file can no longer be read.
//
// Cgroups are looked for below the mounts of this process. One that lies
// outside of them (of a container, seen from within another) has no count of
// its own, and that of the host serves.
type OOMCounter struct {
	opts OOMOptions

	mu     sync.Mutex
	file   *os.File
	source string
	buf    []byte
}

// NewOOMCounter returns the counter for a process. It reads nothing yet.
func NewOOMCounter(o OOMOptions) (*OOMCounter, error) {
	if o.PID <= 0 {
		return nil, fmt.Errorf("procfs: %d is no process", o.PID)
	}
	if o.ProcRoot == "" {
		o.ProcRoot = DefaultProcRoot
	}
	return &OOMCounter{opts: o}, nil
}

// Read returns the count and its source.
func (c *OOMCounter) Read() (value uint64, source string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file != nil {
		if value, err := c.read(c.file); err == nil {
			return value, c.source, nil
		}
		// The cgroup was removed, as systemd does when a unit stops.
		c.closeFile()
	}
	candidates, err := c.candidates()
	if err != nil {
		return 0, "", err
	}
	for _, name := range candidates {
		f, openErr := os.Open(name)
		if openErr != nil {
			continue
		}
		if value, err = c.read(f); err != nil {
			f.Close()
			continue
		}
		c.file, c.source = f, filepath.Base(name)
		return value, c.source, nil
	}
	return 0, "", ErrNoOOMCount
}

// Close lets go of the file.
func (c *OOMCounter) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeFile()
}

func (c *OOMCounter) closeFile() {
	if c.file != nil {
		c.file.Close()
		c.file = nil
	}
}

func (c *OOMCounter) read(f *os.File) (uint64, error) {
	if c.buf == nil {
		c.buf = make([]byte, 16<<10)
	}
	// Files of cgroups fit; vmstat is read on until it ends.
	n, err := f.ReadAt(c.buf, 0)
	for err == nil && len(c.buf) < maxOOMFile {
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
		n, err = f.ReadAt(c.buf, 0)
	}
	if err != nil && err != io.EOF {
		return 0, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	value, ok := parseOOMKill(c.buf[:n])
	if !ok {
		return 0, ErrNoOOMCount
	}
	return value, nil
}

// candidates are the files that may have the count, best first.
func (c *OOMCounter) candidates() ([]string, error) {
	b, err := readBounded(filepath.Join(c.opts.ProcRoot, strconv.Itoa(c.opts.PID), "cgroup"), maxOOMFile)
	if err != nil {
		if isNotExist(err) {
			return nil, gone(c.opts.PID)
		}
		return nil, fmt.Errorf("read the cgroups of process %d: %w", c.opts.PID, err)
	}
	v1, v2 := parseCgroup(b)
	mounts, err := readBounded(filepath.Join(c.opts.ProcRoot, "self", "mountinfo"), 4<<20)
	if err != nil {
		mounts = nil // then there is still the host
	}
	var files []string
	if dir := cgroupDir(mounts, "cgroup", "memory", v1); dir != "" {
		files = append(files, filepath.Join(dir, OOMSourceControl))
	}
	if dir := cgroupDir(mounts, "cgroup2", "", v2); dir != "" {
		files = append(files, filepath.Join(dir, OOMSourceEvents), filepath.Join(dir, OOMSourceEventsLocal))
	}
	return append(files, filepath.Join(c.opts.ProcRoot, OOMSourceVMStat)), nil
}

// parseOOMKill finds the oom_kill line, the same in all four files.
func parseOOMKill(b []byte) (uint64, bool) {
	for line := range bytes.Lines(b) {
		rest, ok := bytes.CutPrefix(line, []byte("oom_kill "))
		if !ok {
			continue
		}
		v, err := strconv.ParseUint(string(bytes.TrimSpace(rest)), 10, 64)
		return v, err == nil
	}
	return 0, false
}

// parseCgroup finds a process' paths in /proc/<pid>/cgroup: that of the memory
// controller of version 1, and that of version 2.
func parseCgroup(b []byte) (v1Memory, v2 string) {
	for line := range strings.Lines(string(b)) {
		// Paths may hold colons.
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) < 3 {
			continue
		}
		// The kernel says so of a cgroup that is removed, and still ours.
		dir := strings.TrimSuffix(fields[2], " (deleted)")
		if fields[0] == "0" && fields[1] == "" {
			v2 = dir
			continue
		}
		for controller := range strings.SplitSeq(fields[1], ",") {
			if controller == "memory" {
				v1Memory = dir
			}
		}
	}
	return v1Memory, v2
}

// cgroupDir finds in a mountinfo where the cgroup of that path is, "" if no
// mount shows it.
func cgroupDir(mountinfo []byte, fsType, option, cgroup string) string {
	if cgroup == "" {
		return ""
	}
	for line := range strings.Lines(string(mountinfo)) {
		mount, super, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		m, s := strings.Fields(mount), strings.Fields(super)
		if !ok || len(m) < 5 || len(s) < 3 || s[0] != fsType {
			continue
		}
		if option != "" && !containsOption(s[2], option) {
			continue
		}
		root, dir := unescapeMount(m[3]), unescapeMount(m[4])
		below, ok := strings.CutPrefix(cgroup, root)
		// A path that leads up lies outside of our cgroup namespace.
		if !ok || root != "/" && below != "" && below[0] != '/' || strings.Contains(cgroup+"/", "/../") {
			continue
		}
		return filepath.Join(dir, below)
	}
	return ""
}

func containsOption(options, option string) bool {
	for o := range strings.SplitSeq(options, ",") {
		if o == option {
			return true
		}
	}
	return false
}

// unescapeMount undoes the octal escapes of white space and backslashes.
func unescapeMount(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(v))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
