package procfs

import (
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v3/process"
)

// gopsutilScanInterval is how old the picture of who is whose child may get.
// It is all that finds children here.
const gopsutilScanInterval = 10 * time.Second

// portable measures through gopsutil, for systems without /proc.
//
// It is slower, some hundred microseconds a process and far more where
// gopsutil has to run ps (macOS without cgo), and knows less: what a child
// used between the last sample and its exit is lost, because there is no sum
// of what was waited for; and no process is pinned, so that a number in use
// again is told by the start time alone. On Linux, where New is better, those
// times swing by a second unless gopsutil's boot time cache is enabled.
type portable struct {
	opts Options

	mu        sync.Mutex
	entries   map[int]*entry
	kids      map[int][]int
	scanned   time.Time
	scans     uint64
	retained  uint64
	truncated uint64
	st        stat
}

// NewGopsutil returns a Source over gopsutil, which New is where there is no
// better one. Of the options it has no use for ProcRoot and MaxDescriptors.
func NewGopsutil(o Options) (Source, error) {
	if o.ScanInterval == 0 {
		o.ScanInterval = gopsutilScanInterval
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &portable{opts: o, entries: make(map[int]*entry)}, nil
}

func (g *portable) Read(pid int, notBefore, notAfter time.Time) (Sample, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if pid <= 0 || pid > math.MaxInt32 {
		return Sample{}, gone(pid)
	}
	e := g.entries[pid]
	if e != nil && g.stat(&e.tree.root.handle, &g.st) != nil {
		delete(g.entries, pid)
		e = nil
	}
	if e == nil {
		h, err := g.open(pid)
		if err == nil {
			err = g.stat(&h, &g.st)
		}
		if errors.Is(err, ErrGone) {
			return Sample{}, gone(pid)
		}
		if err != nil {
			return Sample{}, fmt.Errorf("measure process %d: %w", pid, err)
		}
		e = &entry{retained: g.retained}
		e.tree.root.handle = h
		g.entries[pid] = e
	}
	started := time.UnixMilli(int64(g.st.start))
	if !inWindow(started, notBefore, notAfter) {
		delete(g.entries, pid)
		return Sample{}, outsideWindow(pid, started)
	}
	if g.st.dead() {
		delete(g.entries, pid)
		return Sample{}, gone(pid)
	}
	s := Sample{
		PID:           pid,
		StartTicks:    g.st.start,
		StartTime:     started,
		UserSeconds:   float64(g.st.user) / 1e6,
		SystemSeconds: float64(g.st.system) / 1e6,
		ResidentBytes: g.st.residentMemory,
		Threads:       g.st.threads,
		OpenFDs:       -1,
	}
	p := process.Process{Pid: int32(pid)}
	if n, err := p.NumFDs(); err == nil {
		s.OpenFDs = int(n)
	}
	if g.opts.Alone {
		return s, nil
	}
	if now := time.Now(); g.kids == nil || now.Sub(g.scanned) >= g.opts.ScanInterval {
		g.scan()
		g.scanned = now
	}
	e.tree.update(g, &g.st, g.opts.MaxDescendants, g.opts.MaxDepth)
	if e.tree.truncated {
		g.truncated++
	}
	s.Children = e.tree.living
	s.ChildrenResidentBytes = e.tree.resident
	s.ChildrenSeconds = float64(e.tree.total) / 1e6
	return s, nil
}

// scan looks at all processes for who is whose child.
func (g *portable) scan() {
	g.scans++
	g.kids = make(map[int][]int)
	pids, err := process.Pids()
	if err != nil {
		return
	}
	for _, pid := range pids {
		p := process.Process{Pid: pid}
		if ppid, err := p.Ppid(); err == nil && ppid > 0 {
			g.kids[int(ppid)] = append(g.kids[int(ppid)], int(pid))
		}
	}
}

func (g *portable) Retain(pids []int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.retained++
	for _, pid := range pids {
		if e := g.entries[pid]; e != nil {
			e.retained = g.retained
		}
	}
	for pid, e := range g.entries {
		if e.retained != g.retained {
			delete(g.entries, pid)
		}
	}
}

func (g *portable) Close() { g.Retain(nil) }

// Stats makes portable a source of Stats.
func (g *portable) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Stats{Truncations: g.truncated, Scans: g.scans}
	for _, e := range g.entries {
		s.Processes += 1 + len(e.tree.nodes)
	}
	return s
}

func (g *portable) open(pid int) (handle, error) {
	h := handle{pid: pid, stat: -1, list: -1, fds: -1}
	p := process.Process{Pid: int32(pid)}
	start, err := p.CreateTime()
	if err != nil {
		return h, goneOr(&p, err)
	}
	h.start = uint64(start)
	return h, nil
}

func (g *portable) close(*handle) {}

// stat reads what a tree needs; each call asks the system anew.
func (g *portable) stat(h *handle, s *stat) error {
	p := process.Process{Pid: int32(h.pid)}
	*s = stat{}
	start, err := p.CreateTime()
	if err != nil {
		return goneOr(&p, err)
	}
	if s.start = uint64(start); s.start != h.start {
		return ErrGone
	}
	ppid, err := p.Ppid()
	if err != nil {
		return goneOr(&p, err)
	}
	s.ppid = int(ppid)
	times, err := p.Times()
	if err != nil {
		return goneOr(&p, err)
	}
	s.user, s.system = micros(times.User), micros(times.System)
	// A system that cannot tell the state has no zombies.
	if state, err := p.Status(); err == nil && len(state) > 0 && state[0] == process.Zombie {
		s.state = 'Z'
		return nil
	}
	mem, err := p.MemoryInfo()
	if err != nil {
		return goneOr(&p, err)
	}
	s.residentMemory = mem.RSS
	threads, err := p.NumThreads()
	if err != nil {
		return goneOr(&p, err)
	}
	s.threads = int(threads)
	return nil
}

func (g *portable) children(h *handle, dst []int) []int {
	return append(dst, g.kids[h.pid]...)
}

// goneOr tells whether an error means that the process is not there; gopsutil
// has another error for that on each system.
func goneOr(p *process.Process, err error) error {
	if errors.Is(err, process.ErrorProcessNotRunning) || errors.Is(err, os.ErrNotExist) {
		return ErrGone
	}
	if there, existsErr := process.PidExists(p.Pid); existsErr == nil && !there {
		return ErrGone
	}
	return err
}

// micros rounds, as a float of whole ticks is seldom exact.
func micros(seconds float64) uint64 {
	if !(seconds > 0) {
		return 0
	}
	return uint64(math.Round(seconds * 1e6))
}
