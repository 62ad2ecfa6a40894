//go:build linux

package main

import (
	"slices"
	"time"
)

// quantile of values, between the two nearest.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[i] + time.Duration((at-float64(i))*float64(v[i+1]-v[i]))
}

func median(values []time.Duration) time.Duration { return quantile(values, 0.5) }

func mean(values []time.Duration) time.Duration {
	var sum time.Duration
	for _, v := range values {
		sum += v
	}
	if len(values) == 0 {
		return 0
	}
	return sum / time.Duration(len(values))
}

func sums(a, b []time.Duration) []time.Duration {
	out := make([]time.Duration, len(a))
	for i := range a {
		out[i] = a[i] + b[i]
	}
	return out
}

// perScrape is what one scrape costs: the exporter's own time is a mean, as
// the work of its garbage collector comes in lumps; the daemon's is a median,
// as its other work falls into some slots.
func (c cost) perScrape() (own, daemon time.Duration) {
	return max(mean(c.own), 0), max(median(c.daemon), 0)
}

func (c cost) total() time.Duration {
	own, daemon := c.perScrape()
	return own + daemon
}

// resyncs is how many of the agent's scrapes, 15 s apart, ask PM2 for its list
// although nothing changed: it does so every two minutes.
const resyncs = float64(interval) / float64(2*time.Minute)

// everything is what a party costs in an interval of 15 s: its scrape, and
// whatever it does in between.
func (r *result) everything(who int) time.Duration {
	idle := time.Duration(r.idleBoth.rate(who) * float64(interval))
	if who == peer {
		return r.pm2metrics.total() + idle
	}
	own, daemon := r.agent.perScrape()
	listOwn, listDaemon := r.changed.perScrape()
	more := max(listDaemon-daemon, 0)
	if r.schedule.cycle < interval { // else they are among the scrapes
		more += max(listOwn-own, 0)
	}
	return own + daemon + idle + time.Duration(resyncs*float64(more))
}
