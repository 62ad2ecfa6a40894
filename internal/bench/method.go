//go:build linux

package main

import "fmt"

// pace says how often which size was scraped.
func (r *report) pace() string {
	if r.opts.quick {
		s := r.opts.schedule(1)
		return fmt.Sprintf("This was a quick run: scrapes are %v apart, %d of each party.", s.cycle, s.cycles)
	}
	paced, other := r.opts.schedule(50), r.opts.schedule(1)
	return fmt.Sprintf("With 50 processes scrapes are %v apart, %d of each party; with other sizes %v, %d of each.", paced.cycle, paced.cycles, other.cycle, other.cycles)
}

const method = `## Method

- One real PM2 daemon with idle Node.js apps in fork mode, PM2's default probes on; beyond 100 processes the others are ` + "`sleep`" + `, which PM2 treats alike. Agent and pm2-metrics watch it at the same time, each in its default settings (pm2-metrics on loopback).
- CPU time is what ` + "`/proc/<pid>/task/*/schedstat`" + ` counts, in nanoseconds, of all threads of the exporter and of the daemon.
- The parties take turns within each cycle: agent, pm2-metrics, floor, each in a slot of one second, with an idle time of the same length or more behind it. A slot is as long as one round of the reports that PM2's probes send. What a scrape costs is what was used in its slot beyond the idle rate: for the daemon that of the same cycle and the median over all cycles; for the exporter that of the whole run and the mean, because garbage collection comes in lumps.
- %s That is more than the 5 s after which the agent asks PM2 for a sign of life with every scrape, and far from a tight loop, which would only show caches. What happens by the clock and not by the scrape (looking for daemons every 15 s, lists asked for every two minutes) is counted per second or added in its proportion.
- "With a fresh list": a process is killed 5 s before the scrape, so that the agent asks PM2 for its list and decodes it. Each scrape costs that where apps publish values through @pm2/io.
- The floor is a plain blocking socket and descriptors that stay open, measured on a thread of its own.
- Not measured: other versions of PM2, cluster mode (the same to both exporters), and more than one daemon.
`
