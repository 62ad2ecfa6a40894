//go:build linux

package procfs

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is USER_HZ, the unit of the times in stat. The kernel fixes
// it at 100 on every architecture that Go runs on (AT_CLKTCK of the auxiliary
// vector says the same), whatever its internal CONFIG_HZ.
const ticksPerSecond = 100

// linux reads /proc. For each process it keeps open what it reads, and reads
// from the start each time: a third of the cost of opening anew, and safe
// from reuse of numbers, because an open file of /proc belongs to the process
// and not to its number. Once that is gone it answers ESRCH for ever.
//
// Children come from /proc/<pid>/task/<pid>/children, which lists only those
// of the main thread. Children of other threads (worker_threads of Node) are
// found by a walk over all processes, every ScanInterval, so they are missing
// up to that long; once found they are followed like the others. Kernels
// without that file (CONFIG_PROC_CHILDREN) have only the walk.
type linux struct {
	opts     Options
	root     int // of procfs
	pageSize uint64
	boot     bootClock
	fdSize   fdCounter
	scan     scanner

	mu        sync.Mutex
	entries   map[int]*entry
	kept      int // descriptors
	maxKept   int
	retained  uint64 // generation of Retain
	truncated uint64
	st        stat
	buf       []byte
}

// New returns the Source of this system: on Linux a reader of /proc,
// elsewhere gopsutil.
func New(o Options) (Source, error) { return newLinux(o) }

func newLinux(o Options) (*linux, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	l := &linux{
		opts:     o,
		pageSize: uint64(os.Getpagesize()),
		entries:  make(map[int]*entry),
		// One read of a list gives at most a page; a stat is smaller.
		buf:     make([]byte, max(os.Getpagesize(), 4096)),
		maxKept: o.MaxDescriptors,
	}
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err == nil && lim.Cur/2 < uint64(l.maxKept) {
		l.maxKept = int(lim.Cur / 2)
	}
	if l.root, err = unix.Open(o.ProcRoot, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("open %s: %w", o.ProcRoot, err)
	}
	if l.boot, err = newBootClock(o.ProcRoot); err != nil {
		unix.Close(l.root)
		return nil, err
	}
	l.fdSize = newFDCounter(l.root)
	return l, nil
}

func (l *linux) Read(pid int, notBefore, notAfter time.Time) (Sample, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if pid <= 0 {
		return Sample{}, gone(pid)
	}
	now := time.Now()
	l.boot.refresh(now)
	e, err := l.entry(pid)
	if err != nil {
		return Sample{}, err
	}
	started := l.boot.at(e.tree.root.handle.start)
	if !inWindow(started, notBefore, notAfter) {
		l.drop(e)
		return Sample{}, outsideWindow(pid, started)
	}
	if l.st.dead() {
		l.drop(e)
		return Sample{}, gone(pid)
	}
	s := Sample{
		PID:           pid,
		StartTicks:    l.st.start,
		StartTime:     started,
		UserSeconds:   seconds(l.st.user),
		SystemSeconds: seconds(l.st.system),
		ResidentBytes: l.st.residentMemory * l.pageSize,
		Threads:       l.st.threads,
		OpenFDs:       l.openFDs(&e.tree.root.handle),
	}
	if l.opts.Alone {
		return s, nil
	}
	l.scan.refresh(now, l.opts.ScanInterval, l.opts.ProcRoot, l.root, l.buf)
	t := &e.tree
	fresh := e.scanned != l.scan.generation
	e.scanned = l.scan.generation
	l.scan.inUse = fresh
	t.update(l, &l.st, l.opts.MaxDescendants, l.opts.MaxDepth)
	if t.truncated {
		l.truncated++
	}
	s.Children = t.living
	s.ChildrenResidentBytes = t.resident * l.pageSize
	s.ChildrenSeconds = seconds(t.total)
	return s, nil
}

// entry returns what is kept of pid, with its stat just read into l.st.
func (l *linux) entry(pid int) (*entry, error) {
	if e := l.entries[pid]; e != nil {
		err := l.stat(&e.tree.root.handle, &l.st)
		if err == nil {
			return e, nil
		}
		l.drop(e)
		if !isGone(err) {
			return nil, fmt.Errorf("read stat of process %d: %w", pid, err)
		}
		// The number may be in use again.
	}
	h, err := l.open(pid)
	if err != nil {
		if isGone(err) {
			return nil, gone(pid)
		}
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	if err := l.stat(&h, &l.st); err != nil {
		l.close(&h)
		if isGone(err) {
			return nil, gone(pid)
		}
		return nil, fmt.Errorf("read stat of process %d: %w", pid, err)
	}
	e := &entry{retained: l.retained}
	e.tree.root.handle = h
	l.entries[pid] = e
	return e, nil
}

func (l *linux) drop(e *entry) {
	delete(l.entries, e.tree.root.handle.pid)
	e.tree.close(l)
	l.close(&e.tree.root.handle)
}

func (l *linux) Retain(pids []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.retained++
	for _, pid := range pids {
		if e := l.entries[pid]; e != nil {
			e.retained = l.retained
		}
	}
	for _, e := range l.entries {
		if e.retained != l.retained {
			l.drop(e)
		}
	}
}

func (l *linux) Close() {
	l.Retain(nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.root >= 0 {
		unix.Close(l.root)
		l.root = -1
	}
}

// Stats makes linux a source of Stats.
func (l *linux) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{
		Truncations: l.truncated,
		Scans:       l.scan.generation,
		Descriptors: l.kept,
	}
	for _, e := range l.entries {
		s.Processes += 1 + len(e.tree.nodes)
	}
	return s
}

func seconds(ticks uint64) float64 { return float64(ticks) / ticksPerSecond }

// isGone tells the errors with which /proc says that there is no such process.
func isGone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) || errors.Is(err, ErrGone)
}

// path of a file of a process, below the root of procfs.
func path(pid int, file string) string { return strconv.Itoa(pid) + "/" + file }
