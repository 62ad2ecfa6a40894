package pages

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/alertmanager"
	"github.com/pm25/pm25/rules"
)

const (
	// snapshotEvery bounds the work, whatever the number of viewers.
	snapshotEvery   = 2 * time.Second
	snapshotTimeout = 5 * time.Second
)

// process is one process, as it is or as it was when it was seen last.
type process struct {
	Daemon           source
	Namespace, App   string
	ID               string
	State            string
	Mode, Version    string
	Started          time.Time // zero while it does not run
	CPU, ChildCPU    float64   // cores
	Memory, Children float64   // bytes
	Restarts         float64   // in the last hour
	Recent           float64   // restarts in the window of a crash loop
	Of               *appHere
	Seen             time.Time // zero: now
}

// appHere is one app under one PM2 daemon: how its processes ended.
type appHere struct {
	Exits   map[string]float64 // in the last hour, by reason; none is left out
	Crashes float64            // in the window of a crash loop
}

// host is one machine with its PM2 daemons.
type host struct {
	Name       string
	Up         bool
	Seen       time.Time // when it was there last, if it is not up; zero: nobody knows
	Load, CPUs float64
	MemoryUsed float64 // 0 to 1
	DiskUsed   float64 // of its fullest file system
	Daemons    int     // that answer
	Down       []downDaemon
}

type downDaemon struct {
	Name string
	Seen time.Time
}

// firing is an alert that fires. Told is what Alertmanager knows of it.
type firing struct {
	Labels map[string]string
	Since  time.Time
	Told   *alertmanager.Alert
}

// snapshot is all that the live page shows, in one moment.
type snapshot struct {
	At        time.Time
	Hosts     []host
	Processes []process
	Alerts    []firing
	Errors    []string
}

// snapshot returns what is true now, or was at most snapshotEvery ago. Viewers
// that come meanwhile wait for the same answer.
func (p *Pages) snapshot(ctx context.Context) snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.opts.Now()
	if !p.taken.IsZero() && !now.Before(p.taken) && now.Sub(p.taken) < snapshotEvery {
		return p.last
	}
	// Not the caller's cancellation: others wait for the same answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), snapshotTimeout)
	defer cancel()
	q := &asker{ctx: ctx, metrics: p.opts.Metrics, at: now}
	p.last = p.take(q)
	p.taken = p.opts.Now()
	return p.last
}

// refresh makes the next snapshot a new one: somebody has changed something and
// wants to see it.
func (p *Pages) refresh() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = time.Time{}
}

func (p *Pages) take(q *asker) snapshot {
	all := jobSelector(p.opts.Job)
	alive, ok := q.alive(all)
	if !ok {
		// Who does not know what is there must not call it gone.
		last := p.last
		last.Errors = q.errors()
		if last.At.IsZero() {
			last.At = q.at
		}
		return last
	}
	p.memory.update(q, all, alive)
	snap := snapshot{At: q.at}
	for _, pr := range q.processes(all) {
		if alive[pr.Daemon] {
			snap.Processes = append(snap.Processes, pr)
		}
	}
	gone := p.memory.expected(q.silent(all), alive)
	for _, g := range gone {
		snap.Processes = append(snap.Processes, g.Processes...)
	}
	snap.Hosts = q.hosts(all, alive, gone)
	told, err := p.opts.Alerts.Alerts(q.ctx)
	if err != nil {
		q.errs = append(q.errs, err)
	}
	snap.Alerts = slices.DeleteFunc(joinAlerts(q.firing(), told), func(f firing) bool { return forMachines(f.Labels) })
	snap.Errors = q.errors()
	return snap
}

// forMachines is true for alerts that tell people nothing: the watchdog, which
// always fires.
func forMachines(labels map[string]string) bool { return labels["severity"] == string(rules.None) }

// joinAlerts puts together what Prometheus says is firing and what Alertmanager
// was told: by Prometheus, by the last run of this program, or by others.
// Alertmanager may know an alert under more labels than Prometheus' own.
func joinAlerts(seen []firing, told []alertmanager.Alert) []firing {
	taken := make([]bool, len(told))
	alike := map[string][]int{} // by what nearly tells alerts from each other
	key := func(l map[string]string) string {
		return strings.Join([]string{l["alertname"], l["instance"], l["daemon"], l["pm2_namespace"], l["app"], l["pm_id"]}, "\x00")
	}
	for j := range told {
		alike[key(told[j].Labels)] = append(alike[key(told[j].Labels)], j)
	}
	for i := range seen {
		for _, j := range alike[key(seen[i].Labels)] {
			if !taken[j] && holds(told[j].Labels, seen[i].Labels) {
				seen[i].Told, taken[j] = &told[j], true
				break
			}
		}
	}
	for j := range told {
		if !taken[j] {
			seen = append(seen, firing{Labels: told[j].Labels, Told: &told[j]})
		}
	}
	for i, f := range seen {
		// Alertmanager knows it over restarts of Prometheus, and the reverse.
		if f.Told != nil && (f.Since.IsZero() || f.Told.StartsAt.Before(f.Since)) {
			seen[i].Since = f.Told.StartsAt
		}
	}
	return seen
}

// holds tells whether all of part is in whole.
func holds(whole, part map[string]string) bool {
	for name, value := range maps.All(part) {
		if got, ok := whole[name]; !ok || got != value {
			return false
		}
	}
	return true
}

// errors are what went wrong, each once.
func (q *asker) errors() []string {
	var out []string
	for _, err := range q.errs {
		if text := err.Error(); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}
