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

	reserve *reserve
	done    chan struct{}

	mu     sync.Mutex
	asked  time.Time
	free   uint64
	low    bool
	closed bool

	switching sync.Mutex // one at a time tells the storage
	switches  sync.WaitGroup
}

func newGuard(o Options, db *tsdb.DB) *guard {
	g := &guard{dir: o.Dir, minFree: o.MinFree, log: o.Logger, now: o.Now, db: db, reserve: newReserve(o.Dir, o.MinFree), done: make(chan struct{})}
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
	g.state()
	g.switches.Go(g.watch)
	return g
}

// watch looks at the disk though nothing is stored just now: the storage may
// write at any moment.
func (g *guard) watch() {
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for {
		select {
		case <-g.done:
			return
		case <-tick.C:
			g.state()
		}
	}
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
		g.reserve.release()
		g.log.Error("The disk is nearly full: no samples are stored until there is room", "dir", g.dir, "free_bytes", g.free, "resumes_at_bytes", resume)
		g.switches.Go(g.followCompactions)
	case g.low && g.free >= resume:
		g.low = false
		g.log.Warn("The disk has room again: samples are stored", "dir", g.dir, "free_bytes", g.free)
		g.switches.Go(g.followCompactions)
	}
	if !g.low && !g.reserve.held && !g.reserve.off && g.free >= resume+uint64(g.reserve.size) {
		if err := g.reserve.take(); g.reserve.off {
			g.log.Warn("No room can be held back for a full disk, which would then end this process", "file", g.reserve.path, "err", err)
		}
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
		g.flush()
		g.db.DisableCompactions()
	} else {
		g.db.EnableCompactions()
	}
}

// flush has the storage write what it would write within a minute, while there
// is the room that was held back; from then on nothing is added.
func (g *guard) flush() {
	var st unix.Statfs_t
	if err := unix.Statfs(g.dir, &st); err == nil && st.Bavail*uint64(st.Bsize) > uint64(g.reserve.size)/2 {
		g.db.ForceHeadMMap()
	}
}

// close keeps what is known and asks no more. The storage has to be closed.
func (g *guard) close() {
	g.mu.Lock()
	if !g.closed {
		close(g.done)
	}
	g.closed = true
	g.mu.Unlock()
	g.switches.Wait()
}
