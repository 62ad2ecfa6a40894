// Package procfs measures processes: CPU, memory, threads, descriptors and
// descendants, cheaply enough to do it for every process at every scrape, and
// reads the few facts about the host that belong beside them.
//
// It guarantees that a Sample belongs to one process and not to a later one
// with the same number, that a value which could not be read is absent and
// never 0, that Sample.ChildrenSeconds of one process never falls, and that
// after Retain no descriptor of a forgotten process stays open.
//
// It does not guarantee an atomic picture: a Sample is a few reads in a row.
// Memory is what the kernel's cheap counters say (they may lag by some pages
// for each CPU), and pages shared between children count once for each of
// them. A process hidden by the mount option hidepid is gone to this package.
package procfs

import (
	"errors"
	"fmt"
	"time"
)

// ErrGone says that the process does not exist any more, that it has exited
// and waits to be reaped, or that its number now belongs to another process.
var ErrGone = errors.New("process is gone")

// Sample is what the kernel says of one process now.
type Sample struct {
	PID int
	// StartTicks tells two processes with the same PID apart: on Linux ticks
	// since boot, elsewhere milliseconds since 1970.
	StartTicks uint64
	// StartTime is StartTicks as wall time. It stays the same from one
	// sample to the next unless the clock of the host is set.
	StartTime time.Time

	UserSeconds, SystemSeconds float64

	ResidentBytes uint64
	Threads       int
	// OpenFDs is -1 when it may not be read.
	OpenFDs int

	// Children counts living descendants of all levels, zombies not.
	Children              int
	ChildrenResidentBytes uint64
	// ChildrenSeconds is the CPU time of descendants, living and already
	// waited for. It never falls. Lost are the last moments of a child that
	// nobody waits for (SIGCHLD ignored, or orphaned by its parent).
	ChildrenSeconds float64
}

// Source reads samples. One process at a time: implementations lock.
type Source interface {
	// Read samples a process. If notBefore or notAfter are not zero and the
	// process started outside of them, it is another process: ErrGone.
	Read(pid int, notBefore, notAfter time.Time) (Sample, error)
	// Retain forgets all processes but these and frees what was kept for
	// them, also the history behind ChildrenSeconds.
	Retain(pids []int)
	// Close frees everything. The Source is not used afterwards.
	Close()
}

// Stats is what a Source says of its own work.
type Stats struct {
	// Truncations counts samples whose descendants were more or deeper than
	// the bounds, so that some of them are not in it.
	Truncations uint64
	// Scans counts walks over all processes of the host.
	Scans uint64
	// Processes is how many are kept, descendants included.
	Processes int
	// Descriptors is how many are kept open.
	Descriptors int
}

// Bounds of Options that are not set.
const (
	DefaultProcRoot       = "/proc"
	DefaultScanInterval   = time.Minute
	DefaultMaxDescendants = 1024
	DefaultMaxDepth       = 16
	DefaultMaxDescriptors = 8192
)

// Options of New. Zero values are the defaults.
type Options struct {
	// ProcRoot is where procfs is mounted. Linux only.
	ProcRoot string
	// Alone leaves the descendants out: Children and what belongs to it stay
	// 0. For a daemon whose descendants are measured by themselves.
	Alone bool
	// ScanInterval is how often all processes of the host are looked at to
	// find children that the direct way does not show: on Linux those that
	// a thread other than the main one has started.
	ScanInterval time.Duration
	// MaxDescendants and MaxDepth bound the work for one process.
	MaxDescendants, MaxDepth int
	// MaxDescriptors bounds the descriptors that are kept open, at most half
	// of what the process may have. Processes beyond it are read with an
	// open and a close each time, at about four times the cost.
	MaxDescriptors int
}

func (o Options) withDefaults() (Options, error) {
	if o.ProcRoot == "" {
		o.ProcRoot = DefaultProcRoot
	}
	if o.ScanInterval == 0 {
		o.ScanInterval = DefaultScanInterval
	}
	if o.MaxDescendants == 0 {
		o.MaxDescendants = DefaultMaxDescendants
	}
	if o.MaxDepth == 0 {
		o.MaxDepth = DefaultMaxDepth
	}
	if o.MaxDescriptors == 0 {
		o.MaxDescriptors = DefaultMaxDescriptors
	}
	for _, c := range []struct {
		name string
		bad  bool
	}{
		{"ScanInterval", o.ScanInterval < 0},
		{"MaxDescendants", o.MaxDescendants < 0},
		{"MaxDepth", o.MaxDepth < 0},
		{"MaxDescriptors", o.MaxDescriptors < 0},
	} {
		if c.bad {
			return o, fmt.Errorf("procfs: %s is negative", c.name)
		}
	}
	return o, nil
}

// inWindow tells whether start lies in [notBefore, notAfter]; a zero bound is
// none.
func inWindow(start, notBefore, notAfter time.Time) bool {
	return (notBefore.IsZero() || !start.Before(notBefore)) &&
		(notAfter.IsZero() || !start.After(notAfter))
}

func gone(pid int) error { return fmt.Errorf("process %d: %w", pid, ErrGone) }

func outsideWindow(pid int, start time.Time) error {
	return fmt.Errorf("process %d started at %s, another than the one meant: %w",
		pid, start.Format(time.RFC3339Nano), ErrGone)
}
