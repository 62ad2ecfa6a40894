//go:build linux

package main

import (
	"fmt"
	"time"
)

// How long the parts of a run are expected to take.
const (
	startPM2  = 3 * time.Second
	perNode   = 200 * time.Millisecond
	perSleep  = 100 * time.Millisecond
	exporters = 4 * time.Second
	forBursts = 8 * time.Second
)

// progress says what is being done and how long the rest will take.
type progress struct {
	began, stepAt time.Time
	left          time.Duration // from the present step's start
	step1         time.Duration // of the present step
}

func newProgress(o options) *progress {
	p := &progress{began: time.Now(), stepAt: time.Now(), left: startPM2}
	before := 0
	for _, n := range o.sizes {
		s := o.schedule(n)
		p.left += startTime(before, n) + settle + 2*exporters + forBursts + 3*s.idle + time.Duration(s.cycles)*s.cycle + time.Duration(s.changes)*changedCycle
		before = n
	}
	return p
}

func startTime(before, n int) time.Duration {
	nodes := min(n, maxNode) - min(before, maxNode)
	return time.Second + time.Duration(nodes)*perNode + time.Duration(n-before-nodes)*perSleep
}

// step begins a step that should take so long.
func (p *progress) step(what string, takes time.Duration) {
	p.left = max(p.left-p.step1, 0)
	p.step1, p.stepAt = takes, time.Now()
	fmt.Printf("%s  %s (about %s left)\n", clock(time.Since(p.began)), what, clock(p.left))
}

func (p *progress) finish() { fmt.Printf("%s  done\n", clock(time.Since(p.began))) }

func clock(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("%d:%02d", d/time.Minute, d%time.Minute/time.Second)
}
