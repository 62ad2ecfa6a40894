package procfs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v3/disk"
)

// Filesystem is a mounted filesystem and its room.
type Filesystem struct {
	Mountpoint string
	SizeBytes  uint64
	AvailBytes uint64 // for users other than root
}

// ErrFilesystemSilent says that a filesystem has not answered in time, as a
// network mount does not while its server is away.
var ErrFilesystemSilent = errors.New("the filesystem does not answer")

// filesystems asks for the room of filesystems. A call that hangs in the
// kernel cannot be called back: its goroutine is left to wait, its path is
// left alone until the call returns, and no more than limit of them are ever
// under way.
type filesystems struct {
	timeout time.Duration
	limit   int
	// What blocks, replaced by tests.
	resolve func(path string) (string, error)
	usage   func(path string) (size, avail uint64, err error)
	mounts  func(ctx context.Context) ([]string, error)

	mu      sync.Mutex
	waiting map[string]bool
}

func newFilesystems(timeout time.Duration, limit int) *filesystems {
	return &filesystems{
		timeout: timeout,
		limit:   limit,
		resolve: filepath.EvalSymlinks,
		usage: func(path string) (uint64, uint64, error) {
			u, err := disk.Usage(path)
			if err != nil {
				return 0, 0, err
			}
			return u.Total, u.Free, nil
		},
		mounts:  (&mountTable{read: listMounts, changes: newMountChanges()}).list,
		waiting: make(map[string]bool),
	}
}

type filesystemAnswer struct {
	path string
	fs   Filesystem
	err  error
}

// read returns the filesystems that the paths are on, each once, sorted by
// mountpoint, and what went wrong with others. Calls must not overlap.
func (f *filesystems) read(ctx context.Context, paths []string) ([]Filesystem, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	mounts, err := f.mounts(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	todo := slices.Clone(paths)
	slices.Sort(todo)
	todo = slices.Compact(todo)
	// Room for all, so that one who answers too late does not wait for us.
	answers := make(chan filesystemAnswer, len(todo))
	found := make(map[string]Filesystem)
	var errs []error
	fail := func(path string, err error) {
		errs = append(errs, fmt.Errorf("measure the filesystem of %s: %w", path, err))
	}
	asked := make(map[string]bool)
	for {
		for len(todo) > 0 && f.ask(todo[0], mounts, answers) {
			asked[todo[0]] = true
			todo = todo[1:]
		}
		if len(todo) > 0 && f.isWaiting(todo[0]) {
			fail(todo[0], ErrFilesystemSilent)
			todo = todo[1:]
			continue
		}
		if len(asked) == 0 {
			break
		}
		select {
		case a := <-answers:
			delete(asked, a.path)
			if a.err != nil {
				fail(a.path, a.err)
			} else {
				found[a.fs.Mountpoint] = a.fs
			}
			continue
		case <-ctx.Done():
		}
		break
	}
	for path := range asked {
		fail(path, ErrFilesystemSilent)
	}
	for _, path := range todo {
		// Not asked, as too many others are silent.
		fail(path, ErrFilesystemSilent)
	}
	list := slices.Collect(maps.Values(found))
	slices.SortFunc(list, func(a, b Filesystem) int { return strings.Compare(a.Mountpoint, b.Mountpoint) })
	return list, errors.Join(errs...)
}

func (f *filesystems) isWaiting(path string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waiting[path]
}

// ask measures in the background, if there is room and the path is not being
// waited for already.
func (f *filesystems) ask(path string, mounts []string, answers chan<- filesystemAnswer) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting[path] || len(f.waiting) >= f.limit {
		return false
	}
	f.waiting[path] = true
	go func() {
		fs, err := f.measure(path, mounts)
		f.mu.Lock()
		delete(f.waiting, path)
		f.mu.Unlock()
		answers <- filesystemAnswer{path, fs, err}
	}()
	return true
}

// measure may block for good.
func (f *filesystems) measure(path string, mounts []string) (Filesystem, error) {
	target, err := f.resolve(path)
	if err != nil {
		return Filesystem{}, err
	}
	size, avail, err := f.usage(target)
	if err != nil {
		return Filesystem{}, err
	}
	return Filesystem{Mountpoint: mountpoint(target, mounts), SizeBytes: size, AvailBytes: avail}, nil
}

// mountpoint returns where the filesystem of a path is mounted, given all
// mountpoints: the longest that leads to it.
func mountpoint(path string, mounts []string) string {
	best := "/"
	for _, m := range mounts {
		below, ok := strings.CutPrefix(path, m)
		if ok && len(m) > len(best) && (below == "" || below[0] == '/') {
			best = m
		}
	}
	return best
}
