package procfs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/load"
	"github.com/shirou/gopsutil/v3/mem"
)

// HostFacts is what a host says of itself. What could not be read is NaN, and
// a filesystem that could not be read is not in the list.
type HostFacts struct {
	CPUs                 float64
	Load1, Load5, Load15 float64
	MemoryTotalBytes     float64
	MemoryAvailableBytes float64
	BootTimeSeconds      float64 // since 1970
	Filesystems          []Filesystem
}

// Host tells the facts about the host.
type Host interface {
	// Facts returns what could be read, and an error that joins what could
	// not: both are of use.
	Facts(ctx context.Context) (HostFacts, error)
}

// HostOptions of NewHost. Zero values are the defaults.
type HostOptions struct {
	// ProcRoot is where procfs is mounted, on Linux.
	ProcRoot string
	// Paths lists the files and folders whose filesystems are wanted. It is
	// called for each Facts, as the list changes while programs come and go.
	Paths func() []string
	// FilesystemTimeout is how long Facts waits for filesystems, 500 ms.
	FilesystemTimeout time.Duration
	// MaxWaiting is how many filesystems are waited for at a time, 4.
	MaxWaiting int
}

// slowFactsEvery is for what hardly ever changes and is not quite cheap.
const slowFactsEvery = time.Minute

// gopsutilHost reads the facts through gopsutil.
type gopsutilHost struct {
	env   common.EnvMap
	paths func() []string

	mu          sync.Mutex
	filesystems *filesystems
	slowAt      time.Time
	slowErr     error
	cpus, boot  float64
}

// NewHost returns the Host that this program runs on.
func NewHost(o HostOptions) (Host, error) {
	if o.FilesystemTimeout < 0 || o.MaxWaiting < 0 {
		return nil, errors.New("procfs: negative FilesystemTimeout or MaxWaiting")
	}
	if o.FilesystemTimeout == 0 {
		o.FilesystemTimeout = 500 * time.Millisecond
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 4
	}
	if o.Paths == nil {
		o.Paths = func() []string { return nil }
	}
	h := &gopsutilHost{
		paths: o.Paths,
		cpus:  math.NaN(),
		boot:  math.NaN(),
		env:   common.EnvMap{},
	}
	if o.ProcRoot != "" {
		h.env[common.HostProcEnvKey] = o.ProcRoot
	}
	if runtime.GOOS == "linux" {
		// Paths are looked up in our mounts, not in those of process 1.
		h.env["HOST_PROC_MOUNTINFO"] = "/proc/self/mountinfo"
	}
	h.filesystems = newFilesystems(o.FilesystemTimeout, o.MaxWaiting)
	return h, nil
}

func (h *gopsutilHost) Facts(ctx context.Context) (HostFacts, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ctx = context.WithValue(ctx, common.EnvKey, h.env)
	nan := math.NaN()
	f := HostFacts{
		Load1: nan, Load5: nan, Load15: nan,
		MemoryTotalBytes: nan, MemoryAvailableBytes: nan,
	}
	h.refreshSlow(ctx)
	errs := []error{h.slowErr}
	f.CPUs, f.BootTimeSeconds = h.cpus, h.boot
	if avg, err := load.AvgWithContext(ctx); err != nil {
		errs = append(errs, fmt.Errorf("read the load: %w", err))
	} else {
		f.Load1, f.Load5, f.Load15 = avg.Load1, avg.Load5, avg.Load15
	}
	if m, err := mem.VirtualMemoryWithContext(ctx); err != nil {
		errs = append(errs, fmt.Errorf("read the memory: %w", err))
	} else if m.Total > 0 {
		f.MemoryTotalBytes, f.MemoryAvailableBytes = float64(m.Total), float64(m.Available)
	}
	var err error
	f.Filesystems, err = h.filesystems.read(ctx, h.paths())
	return f, errors.Join(append(errs, err)...)
}

// refreshSlow counts CPUs and finds the time of boot, both of which gopsutil
// reads from large files.
func (h *gopsutilHost) refreshSlow(ctx context.Context) {
	now := time.Now()
	if !h.slowAt.IsZero() && now.Sub(h.slowAt) < slowFactsEvery && h.slowErr == nil {
		return
	}
	h.slowAt, h.slowErr = now, nil
	if n, err := cpu.CountsWithContext(ctx, true); err != nil || n <= 0 {
		h.cpus = math.NaN()
		h.slowErr = fmt.Errorf("count CPUs: %d, %w", n, orUnknown(err))
	} else {
		h.cpus = float64(n)
	}
	boot, err := host.BootTimeWithContext(ctx)
	if err != nil || boot == 0 {
		h.boot = math.NaN()
		h.slowErr = errors.Join(h.slowErr, fmt.Errorf("read the time of boot: %w", orUnknown(err)))
		return
	}
	h.boot = settled(h.boot, float64(boot))
}

// settled keeps a time of boot that has hardly moved: gopsutil takes the
// difference of two clocks in whole seconds, which swings by one.
func settled(was, is float64) float64 {
	if math.Abs(was-is) < 2 {
		return was
	}
	return is
}

func orUnknown(err error) error {
	if err != nil {
		return err
	}
	return errors.New("the system does not say")
}
