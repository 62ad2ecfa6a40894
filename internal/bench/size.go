//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// result of one size. Costs are CPU time.
type result struct {
	n        int
	schedule schedule

	// The daemon's rate with nobody attached, with one, and with both.
	idleNone, idleOurs, idlePeer, idleBoth span

	agent, pm2metrics, bare cost
	changed                 cost // of the agent's scrapes after a change
	floorRPC, floorProc     []time.Duration
	replyBytes              int

	memory  [3]memory
	answers [3]answer
	latency [3][]time.Duration
}

// cost holds, for each scrape, what it used beyond the idle rate.
type cost struct{ own, daemon []time.Duration }

func (b *bench) size(ctx context.Context, n int) (*result, error) {
	r := &result{n: n, schedule: b.opts.schedule(n)}
	step := func(takes time.Duration, format string, args ...any) {
		b.progress.step(fmt.Sprintf("%3d processes: ", n)+fmt.Sprintf(format, args...), takes)
	}
	step(startTime(b.running, n), "starting %d more", n-b.running)
	pids, err := b.grow(ctx, n)
	if err != nil {
		return nil, err
	}
	b.meters = [3]*cpuMeter{theDaemon: newCPUMeter(b.daemon.PID())}
	step(settle+r.schedule.idle, "PM2 alone")
	if err := sleep(ctx, settle); err != nil {
		return nil, err
	}
	if r.idleNone, err = b.during(ctx, r.schedule.idle, nil); err != nil {
		return nil, err
	}

	step(exporters+r.schedule.idle, "agent attached, not scraped")
	a, err := b.startAgent(ctx)
	if err != nil {
		return nil, err
	}
	defer a.stop()
	b.meters[ours] = newCPUMeter(a.cmd.Process.Pid)
	if err := sleep(ctx, exporters-time.Second); err != nil {
		return nil, err
	}
	if r.idleOurs, err = b.during(ctx, r.schedule.idle, nil); err != nil {
		return nil, err
	}

	step(exporters, "starting pm2-metrics")
	p, err := b.startPeer(ctx)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	b.meters[peer] = newCPUMeter(p.cmd.Process.Pid)
	if err := sleep(ctx, exporters-time.Second); err != nil {
		return nil, err
	}
	if err := warm(ctx, a, p); err != nil {
		return nil, err
	}
	f, err := openFloor(b.daemon.RPCSocket(), pids)
	if err != nil {
		return nil, err
	}
	err = b.cycles(ctx, r, a, p, f, step)
	f.close()
	if err != nil {
		return nil, err
	}
	if err := b.changes(ctx, r, a, step); err != nil {
		return nil, err
	}
	step(forBursts, "latency")
	if err := b.burst(ctx, r, a, p); err != nil {
		return nil, err
	}
	for i, x := range []*party{ours: a, peer: p} {
		if x == nil {
			continue
		}
		if r.memory[i], err = readMemory(x.cmd.Process.Pid); err != nil {
			return nil, err
		}
	}
	step(r.schedule.idle, "pm2-metrics attached, not scraped")
	b.meters[ours] = nil
	a.stop()
	if err := sleep(ctx, 2*time.Second); err != nil {
		return nil, err
	}
	r.idlePeer, err = b.during(ctx, r.schedule.idle, nil)
	return r, err
}

// warm scrapes a few times: the first scrapes of a program are not like those
// that follow for months.
func warm(ctx context.Context, parties ...*party) error {
	for range 5 {
		for _, p := range parties {
			if _, err := p.scrape(ctx); err != nil {
				return err
			}
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return sleep(ctx, 2*time.Second)
}

// cycles gives the agent, pm2-metrics and the floor a slot each in turn, with
// an idle time of the same length or more behind each.
func (b *bench) cycles(ctx context.Context, r *result, a, p *party, f *floor, step func(time.Duration, string, ...any)) error {
	type turn struct {
		who  int
		into *cost
		do   func() error
	}
	turns := []turn{
		{ours, &r.agent, func() (err error) { r.answers[ours], err = a.scrape(ctx); return err }},
		{peer, &r.pm2metrics, func() (err error) { r.answers[peer], err = p.scrape(ctx); return err }},
		{theDaemon, &r.bare, func() error {
			rpc, proc, err := f.run()
			r.floorRPC, r.floorProc = append(r.floorRPC, rpc), append(r.floorProc, proc)
			r.replyBytes = f.bytes
			return err
		}},
	}
	var all []span
	for c := range r.schedule.cycles {
		if c%5 == 0 {
			step(time.Duration(min(5, r.schedule.cycles-c))*r.schedule.cycle, "scraping each %v, %d of %d", r.schedule.cycle, c, r.schedule.cycles)
		}
		var idle span
		var spans []span
		for _, t := range turns {
			s, err := b.during(ctx, slot, t.do)
			if err != nil {
				return err
			}
			rest, err := b.during(ctx, r.schedule.cycle/3-slot, nil)
			if err != nil {
				return err
			}
			idle.add(rest)
			spans = append(spans, s)
		}
		// The daemon's idle work changes with time: compare within a cycle.
		for i, t := range turns {
			t.into.daemon = append(t.into.daemon, spans[i].over(theDaemon, idle.rate(theDaemon)))
		}
		all = append(all, spans...)
		r.idleBoth.add(idle)
	}
	for i, t := range turns {
		if t.who == theDaemon {
			t.into.own = sums(r.floorRPC, r.floorProc)
			continue
		}
		for j := i; j < len(all); j += len(turns) {
			t.into.own = append(t.into.own, all[j].over(t.who, r.idleBoth.rate(t.who)))
		}
	}
	return nil
}

// changes scrapes the agent after something changed, so that it asks PM2 for
// its list. The process that dies for it has a pid that the list knows.
func (b *bench) changes(ctx context.Context, r *result, a *party, step func(time.Duration, string, ...any)) error {
	step(time.Duration(r.schedule.changes)*changedCycle, "scraping after changes")
	for range r.schedule.changes {
		procs, err := b.daemon.List(ctx)
		if err != nil {
			return err
		}
		if len(procs) == 0 || procs[len(procs)-1].PID == 0 {
			return errors.New("PM2 lost a process")
		}
		if err := b.change(ctx, procs[len(procs)-1].PID); err != nil {
			return err
		}
		idle, err := b.during(ctx, slot, nil)
		if err != nil {
			return err
		}
		s, err := b.during(ctx, slot, func() error { _, err := a.scrape(ctx); return err })
		if err != nil {
			return err
		}
		r.changed.own = append(r.changed.own, s.over(ours, r.idleBoth.rate(ours)))
		r.changed.daemon = append(r.changed.daemon, s.over(theDaemon, idle.rate(theDaemon)))
	}
	return nil
}

// burst scrapes both in turn for latency alone: at this pace CPU time would
// only show caches.
func (b *bench) burst(ctx context.Context, r *result, a, p *party) error {
	deadline := time.Now().Add(2 * forBursts)
	for i := range bursts {
		for who, x := range []*party{ours: a, peer: p} {
			if x == nil {
				continue
			}
			got, err := x.scrape(ctx)
			if err != nil {
				return err
			}
			r.latency[who] = append(r.latency[who], got.took)
			if err := sleep(ctx, 20*time.Millisecond); err != nil {
				return err
			}
		}
		if i >= 20 && time.Now().After(deadline) {
			break
		}
	}
	return nil
}
