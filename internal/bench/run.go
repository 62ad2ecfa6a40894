//go:build linux

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

const (
	maxNode = 100 // of the processes are Node.js, the others sleep
	// A slot is about one round of the reports that PM2's probes send each
	// 990 ms, so that the daemon's own work is the same in all of them.
	slot = time.Second
	// within a slot the scrape comes after a little
	lead         = 100 * time.Millisecond
	settle       = 6 * time.Second
	changedWait  = 4 * time.Second
	changedCycle = changedWait + 2*slot
	bursts       = 100
)

// schedule says how long is measured with one size.
type schedule struct {
	cycles  int           // scrapes of each party
	cycle   time.Duration // from one to the next
	changes int           // scrapes after something changed
	idle    time.Duration
}

// schedule of a size. Only one is measured at the pace of a real Prometheus;
// the others at the fastest at which the agent still asks PM2 for a sign of
// life each time (every 5 s), so that no answer comes from a cache.
func (o options) schedule(n int) schedule {
	switch {
	case o.quick:
		return schedule{cycles: 4, cycle: 6 * time.Second, changes: 2, idle: 5 * time.Second}
	case n == 50:
		return schedule{cycles: 20, cycle: interval, changes: 4, idle: 10 * time.Second}
	}
	return schedule{cycles: 9, cycle: 6 * time.Second, changes: 3, idle: 6 * time.Second}
}

// interval is the scrape interval that costs are given for.
const interval = 15 * time.Second

type bench struct {
	opts     options
	dir      string
	daemon   *pm2test.Daemon
	progress *progress
	running  int // processes

	meters [3]*cpuMeter // daemon, ours, peer; nil: not there
}

const (
	theDaemon = iota
	ours
	peer
)

// reading is the CPU time of all at one moment.
type reading struct {
	at  time.Time
	cpu [3]time.Duration
}

func (b *bench) read() (r reading, err error) {
	r.at = time.Now()
	for i, m := range b.meters {
		if m == nil {
			continue
		}
		if r.cpu[i], err = m.read(); err != nil {
			return r, fmt.Errorf("%s is gone: %w", []string{"PM2", "the agent", "the peer"}[i], err)
		}
	}
	return r, nil
}

// span is what was used between two readings.
type span struct {
	took time.Duration
	cpu  [3]time.Duration
}

func (s *span) add(o span) {
	s.took += o.took
	for i := range s.cpu {
		s.cpu[i] += o.cpu[i]
	}
}

// rate is CPU time per second.
func (s span) rate(who int) float64 {
	if s.took == 0 {
		return 0
	}
	return float64(s.cpu[who]) / float64(s.took)
}

// over is what one used beyond a rate.
func (s span) over(who int, rate float64) time.Duration {
	return s.cpu[who] - time.Duration(rate*float64(s.took))
}

// during measures until the time is over; do runs after a little, if any.
func (b *bench) during(ctx context.Context, d time.Duration, do func() error) (span, error) {
	from, err := b.read()
	if err != nil {
		return span{}, err
	}
	if do != nil {
		if err := sleep(ctx, lead); err != nil {
			return span{}, err
		}
		if err := do(); err != nil {
			return span{}, err
		}
	}
	if err := sleep(ctx, time.Until(from.at.Add(d))); err != nil {
		return span{}, err
	}
	to, err := b.read()
	s := span{took: to.at.Sub(from.at)}
	for i := range s.cpu {
		s.cpu[i] = to.cpu[i] - from.cpu[i]
	}
	return s, err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// grow starts more apps, up to n processes, and returns their ids.
func (b *bench) grow(ctx context.Context, n int) ([]int, error) {
	var apps []pm2test.AppSpec
	for i := b.running; i < n; i++ {
		a := pm2test.AppSpec{Name: fmt.Sprintf("app-%03d", i), Script: filepath.Join(pm2test.Root(), "internal", "bench", "app.js")}
		if i >= maxNode {
			a.Script, a.Args, a.Extra = "/bin/sleep", []string{"100000"}, map[string]any{"interpreter": "none"}
		}
		apps = append(apps, a)
	}
	for len(apps) > 0 {
		some := apps[:min(len(apps), 100)]
		apps = apps[len(some):]
		if err := b.daemon.StartApps(ctx, some...); err != nil {
			return nil, err
		}
		b.running += len(some)
	}
	procs, err := b.daemon.List(ctx)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, p := range procs {
		if p.Status != "online" {
			return nil, fmt.Errorf("%s is %s", p.Name, p.Status)
		}
		pids = append(pids, p.PID)
	}
	if len(pids) != n {
		return nil, fmt.Errorf("PM2 has %d processes", len(pids))
	}
	return pids, nil
}

// change kills a process; PM2 starts it again.
func (b *bench) change(ctx context.Context, pid int) error {
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing a process of the bench: %w", err)
	}
	return sleep(ctx, changedWait)
}
