package prom

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/tsdb"
	"golang.org/x/sys/unix"
)

// errDiskLow is what refused samples get.
var errDiskLow = errors.New("the disk is nearly full, so no samples are stored")

// askAgain is how long an answer of the file system holds.
const askAgain = time.Second

// guard knows when the disk is nearly full. A write-ahead log that meets a full
// disk in the middle of a record is cut off there at the next start, with all
// that came after.
type guard struct {
	dir     string
	minFree uint64
	log     *slog.Logger
	now     func() time.Time
	db      *tsdb.DB
	refused prometheus.Counter

	mu     sync.Mutex
	asked  time.Time
	free   uint64
	low    bool
	closed bool

	switching sync.Mutex // one at a time tells the storage
	switches  sync.WaitGroup
}

func newGuard(o Options, db *tsdb.DB) *guard {
	g := &guard{dir: o.Dir, minFree: o.MinFree, log: o.Logger, now: o.Now, db: db}
	g.refused = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "pm25_storage_refused_appends_total", Help: "Batches of samples that were not stored because the disk is nearly full.",
	})
	o.Registry.MustRegister(g.refused,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "pm25_storage_low_disk", Help: "Whether samples are refused because the disk is nearly full.",
		}, func() float64 {
			if _, low := g.state(); low {
				return 1
			}
			return 0
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "pm25_storage_free_bytes", Help: "Free bytes of the file system that holds the time series.",
		}, func() float64 {
			free, _ := g.state()
			return float64(free)
		}))
	return g
}

// state asks the file system at most once a second. Samples are taken again
// when half as much more is free than is needed to go on.
func (g *guard) state() (free uint64, low bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := g.now(); !g.closed && (now.Sub(g.asked) >= askAgain || now.Before(g.asked)) {
		g.asked = now
		g.look()
	}
	return g.free, g.low
}

func (g *guard) look() {
	var st unix.Statfs_t
	if err := unix.Statfs(g.dir, &st); err != nil {
		return // what was known stays
	}
	g.free = st.Bavail * uint64(st.Bsize)
	resume := g.minFree + g.minFree/2
	switch {
	case !g.low && g.free < g.minFree:
		g.low = true
		g.log.Error("The disk is nearly full: no samples are stored until there is room", "dir", g.dir, "free_bytes", g.free, "resumes_at_bytes", resume)
		g.switches.Go(g.followCompactions)
	case g.low && g.free >= resume:
		g.low = false
		g.log.Warn("The disk has room again: samples are stored", "dir", g.dir, "free_bytes", g.free)
		g.switches.Go(g.followCompactions)
	}
}

// followCompactions pauses compaction, which needs room before it gives any, or
// lets it go on. It waits for a compaction that runs, so nobody waits for it.
func (g *guard) followCompactions() {
	g.switching.Lock()
	defer g.switching.Unlock()
	g.mu.Lock()
	low := g.low
	g.mu.Unlock()
	if low {
		g.db.DisableCompactions()
	} else {
		g.db.EnableCompactions()
	}
}

// close keeps what is known and asks no more. The storage has to be closed.
func (g *guard) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.switches.Wait()
}
