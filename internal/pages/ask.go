package pages

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

const (
	hour = "1h"
	// loopWindow and loopingFrom are the alert's idea of a crash loop.
	loopWindow  = "10m"
	loopingFrom = 4
)

// selector chooses series: what stands between the braces.
type selector string

func jobSelector(job string) selector { return selector(fmt.Sprintf("job=%q", job)) }

// of narrows a selector to one daemon.
func (s selector) of(src source) selector {
	return s + selector(fmt.Sprintf(",instance=%q,daemon=%q", src.Instance, src.Name))
}

// grown is by how much counters grew in a window. Not increase(), which
// stretches what it sees to the whole window: people count in whole numbers. A
// counter that is younger than the window began at 0, unless its daemon is as
// new to Prometheus, in which case it may have been old already, or it was there
// in the window before: of an app that was deleted and started again. What it
// lost by a reset is not seen.
func (s selector) grown(metric, more, window string) string {
	c := metric + "{" + string(s) + more + "}"
	return fmt.Sprintf("((%[1]s unless max_over_time(%[1]s[%[2]s] offset %[2]s)) and on (job, instance, daemon) (pm2_up{%[3]s} offset %[2]s)) or (%[1]s - min_over_time(%[1]s[%[2]s]))", c, window, s)
}

// asker asks questions about one moment and collects what went wrong.
type asker struct {
	ctx     context.Context
	metrics Metrics
	at      time.Time
	errs    []error
}

// ask returns no vector, and false, if that failed.
func (q *asker) ask(expr string) (promql.Vector, bool) {
	v, err := q.metrics.Query(q.ctx, expr, q.at)
	if err != nil {
		q.errs = append(q.errs, err)
		return nil, false
	}
	vector, ok := v.(promql.Vector)
	if !ok {
		q.errs = append(q.errs, errors.New("an answer is no vector"))
	}
	return vector, ok
}

func sourceOf(l labels.Labels) source {
	return source{Host: hostOf(l), Instance: l.Get("instance"), Name: l.Get("daemon")}
}

func hostOf(l labels.Labels) string {
	if host := l.Get("host"); host != "" {
		return host
	}
	return l.Get("instance")
}

// alive are the daemons that answer.
func (q *asker) alive(of selector) (map[source]bool, bool) {
	found, ok := q.ask("pm2_up{" + string(of) + "} == 1")
	out := map[source]bool{}
	for _, s := range found {
		out[sourceOf(s.Metric)] = true
	}
	return out, ok
}

// silence is what ought to answer and does not.
type silence struct {
	daemons map[source]bool // PM2s, of agents that answer
	agents  map[source]bool // targets, without a daemon's name
	unknown bool            // the question failed
}

func (q *asker) silent(of selector) silence {
	s := silence{daemons: map[source]bool{}, agents: map[source]bool{}}
	daemons, ok := q.ask("pm2_up{" + string(of) + "} == 0")
	for _, d := range daemons {
		s.daemons[sourceOf(d.Metric)] = true
	}
	agents, ok2 := q.ask("up{" + string(of) + "} == 0")
	for _, a := range agents {
		s.agents[sourceOf(a.Metric)] = true
	}
	s.unknown = !ok || !ok2
	return s
}

// lastSeen tells when each daemon of the last day answered last: the moment of
// a scrape, so that all its samples are found there.
func (q *asker) lastSeen(of selector) (map[source]time.Time, bool) {
	up := "pm2_up{" + string(of) + "}"
	found, ok := q.ask("max_over_time((timestamp(" + up + ") and " + up + " == 1)[24h:15s])")
	out := map[source]time.Time{}
	for _, s := range found {
		out[sourceOf(s.Metric)] = seconds(s.F)
	}
	return out, ok
}

func seconds(f float64) time.Time { return time.UnixMilli(int64(math.Round(f * 1000))) }

// processKey names a process; without an id, its app.
type processKey struct {
	daemon             source
	namespace, app, id string
}

func keyOf(l labels.Labels) processKey {
	return processKey{sourceOf(l), l.Get("pm2_namespace"), l.Get("app"), l.Get("pm_id")}
}

// processes lists those of the daemons that a selector chooses.
func (q *asker) processes(of selector) []process {
	in := "{" + string(of) + "}"
	apps := q.apps(of)
	found := map[processKey]*process{}
	states, _ := q.ask("pm2_process_state" + in + " == 1")
	for _, s := range states {
		k := keyOf(s.Metric)
		p := &process{Daemon: k.daemon, Namespace: k.namespace, App: k.app, ID: k.id, State: s.Metric.Get("state")}
		k.id = ""
		if p.Of = apps[k]; p.Of == nil {
			p.Of = &appHere{Exits: map[string]float64{}}
			apps[k] = p.Of
		}
		found[keyOf(s.Metric)] = p
	}
	each := func(expr string, take func(p *process, l labels.Labels, v float64)) {
		samples, _ := q.ask(expr)
		for _, s := range samples {
			if p := found[keyOf(s.Metric)]; p != nil && !math.IsNaN(s.F) && !math.IsInf(s.F, 0) {
				take(p, s.Metric, s.F)
			}
		}
	}
	each("pm2_process_info"+in, func(p *process, l labels.Labels, _ float64) {
		p.Mode, p.Version = l.Get("exec_mode"), l.Get("version")
	})
	each("pm2_process_start_time_seconds"+in, func(p *process, _ labels.Labels, v float64) { p.Started = seconds(v) })
	each("sum without (mode) (rate(pm2_process_cpu_seconds_total"+in+"[1m]))", func(p *process, _ labels.Labels, v float64) { p.CPU = v })
	each("rate(pm2_process_children_cpu_seconds_total"+in+"[1m])", func(p *process, _ labels.Labels, v float64) { p.ChildCPU = v })
	each("pm2_process_resident_memory_bytes"+in, func(p *process, _ labels.Labels, v float64) { p.Memory = v })
	each("pm2_process_children_resident_memory_bytes"+in, func(p *process, _ labels.Labels, v float64) { p.Children = v })
	each(of.grown("pm2_process_restarts_total", "", hour), func(p *process, _ labels.Labels, v float64) { p.Restarts = v })
	each(of.grown("pm2_process_restarts_total", "", loopWindow), func(p *process, _ labels.Labels, v float64) { p.Recent = v })
	out := make([]process, 0, len(found))
	for _, p := range found {
		out = append(out, *p)
	}
	return out
}

// apps tells how processes of apps ended.
func (q *asker) apps(of selector) map[processKey]*appHere {
	apps := map[processKey]*appHere{}
	ends, _ := q.ask("(" + of.grown("pm2_app_exits_total", "", hour) + ") > 0")
	for _, s := range ends {
		k := keyOf(s.Metric)
		if apps[k] == nil {
			apps[k] = &appHere{Exits: map[string]float64{}}
		}
		apps[k].Exits[s.Metric.Get("reason")] += s.F
	}
	crashes, _ := q.ask("(" + of.grown("pm2_app_exits_total", `,reason=~"crash|signal|oom_kill"`, loopWindow) + ") > 0")
	for _, s := range crashes {
		if a := apps[keyOf(s.Metric)]; a != nil {
			a.Crashes += s.F
		}
	}
	return apps
}

// firing lists the alerts that Prometheus' rules have raised.
func (q *asker) firing() []firing {
	since := map[uint64]time.Time{}
	hash := func(l labels.Labels) uint64 {
		h, _ := l.HashWithoutLabels(nil, "alertstate") // nor the name
		return h
	}
	active, _ := q.ask("ALERTS_FOR_STATE")
	for _, s := range active {
		since[hash(s.Metric)] = time.Unix(int64(s.F), 0)
	}
	var out []firing
	alerts, _ := q.ask(`ALERTS{alertstate="firing"}`)
	for _, s := range alerts {
		l := s.Metric.Map()
		delete(l, model.MetricNameLabel)
		delete(l, "alertstate")
		out = append(out, firing{Labels: l, Since: since[hash(s.Metric)]})
	}
	return out
}

// hosts lists all machines that are known.
func (q *asker) hosts(of selector, alive map[source]bool, gone map[source]*departed) []host {
	hosts := map[string]*host{}
	get := func(name string) *host {
		if hosts[name] == nil {
			hosts[name] = &host{Name: name}
		}
		return hosts[name]
	}
	for src := range alive {
		get(src.Host).Daemons++
	}
	for src, g := range gone {
		h := get(src.Host)
		h.Down = append(h.Down, downDaemon{src.Name, g.Seen})
		if g.Seen.After(h.Seen) {
			h.Seen = g.Seen
		}
	}
	in := "{" + string(of) + "}"
	each := func(expr string, take func(h *host, v float64)) {
		samples, _ := q.ask(expr)
		for _, s := range samples {
			take(get(hostOf(s.Metric)), s.F)
		}
	}
	each("up"+in, func(h *host, v float64) { h.Up = h.Up || v == 1 }) // the agent answers, whatever PM2 does
	each("pm2_host_load1"+in, func(h *host, v float64) { h.Load = v })
	each("pm2_host_cpus"+in, func(h *host, v float64) { h.CPUs = v })
	each("1 - pm2_host_memory_available_bytes"+in+" / pm2_host_memory_total_bytes"+in, func(h *host, v float64) { h.MemoryUsed = v })
	each("1 - pm2_host_filesystem_avail_bytes"+in+" / pm2_host_filesystem_size_bytes"+in, func(h *host, v float64) { h.DiskUsed = max(h.DiskUsed, v) })
	out := make([]host, 0, len(hosts))
	for _, name := range slices.SortedFunc(maps.Keys(hosts), natural) {
		h := hosts[name]
		slices.SortFunc(h.Down, func(a, b downDaemon) int { return natural(a.Name, b.Name) })
		out = append(out, *h)
	}
	return out
}
