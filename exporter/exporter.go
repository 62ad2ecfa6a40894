// Package exporter exposes PM2 daemons, their apps and the host as Prometheus
// metrics.
//
// It guarantees:
//   - what it emits is what internal/catalog lists, with bounded labels;
//   - a collector that fails, panics or is too slow costs its own samples and
//     no others;
//   - a value that can not be read is absent;
//   - a scrape ends within the deadline that Prometheus set for it, also when
//     a daemon is stuck.
//
// It does not talk to PM2: package watch does, and hands over views.
package exporter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	dto "github.com/prometheus/client_model/go"

	"github.com/pm25/pm25/internal/watch"
)

// Options of an Exporter. All but Shipping are required.
type Options struct {
	Collectors []Collector
	// Daemons returns the daemons under watch, sorted by label.
	Daemons func() []Daemon
	Agent   AgentInfo
	// Shipping tells of the records that go to a server; nil where none do.
	Shipping func() Shipping
	Logger   log.Logger
	Now      func() time.Time
}

// Exporter gathers metrics.
type Exporter struct {
	opts   Options
	sinks  *sinks
	agent  *agentFacts
	custom *customCollector // nil when switched off

	mu    sync.Mutex
	asked map[Daemon]int // views under way
}

// New checks the options and returns an Exporter.
func New(o Options) (*Exporter, error) {
	if o.Daemons == nil || o.Agent == nil || o.Logger == nil || o.Now == nil {
		return nil, errors.New("exporter: an option is missing")
	}
	e := &Exporter{opts: o, asked: map[Daemon]int{}, sinks: &sinks{vocabulary: newVocabulary(), free: map[string][]*Sink{}}, agent: newAgentFacts(o.Agent, o.Shipping, o.Now())}
	for _, c := range o.Collectors {
		if custom, ok := c.(*customCollector); ok {
			e.custom = custom
		}
	}
	return e, nil
}

// Names lists the collectors.
func (e *Exporter) Names() []string {
	var names []string
	for _, c := range e.opts.Collectors {
		names = append(names, c.Name())
	}
	return names
}

// outcome is how a collector fared in one scrape.
type outcome struct {
	name     string
	took     time.Duration
	err      error
	timedOut bool
	sink     *Sink
}

// Gather runs the collectors whose names are in only, or all when it is
// empty, and returns the families sorted by name.
func (e *Exporter) Gather(ctx context.Context, only []string) []*dto.MetricFamily {
	families, release := e.gather(ctx, only)
	defer release()
	out := make([]*dto.MetricFamily, len(families))
	for i, f := range families {
		out[i] = f.dto()
	}
	return out
}

// gather is Gather in the exporter's own terms. The families are the caller's
// until it calls release.
func (e *Exporter) gather(ctx context.Context, only []string) (families []*family, release func()) {
	in := e.lookInTime(ctx, only)
	done := make(chan outcome, len(e.opts.Collectors))
	waiting := map[string]bool{}
	began := e.opts.Now()
	for _, c := range e.opts.Collectors {
		if len(only) == 0 || slices.Contains(only, c.Name()) {
			waiting[c.Name()] = true
			go func() { done <- e.run(ctx, c, in) }()
		}
	}
	var ran []outcome
	for len(waiting) > 0 {
		select {
		case r := <-done:
			delete(waiting, r.name)
			ran = append(ran, r)
		case <-ctx.Done():
			for name := range waiting {
				ran = append(ran, outcome{name: name, took: e.opts.Now().Sub(began), err: ctx.Err(), timedOut: true})
			}
			clear(waiting)
		}
	}
	return e.assemble(in, ran)
}

// lookInTime leaves the collectors a third of the time: a daemon that does not
// answer must not cost the others' samples.
func (e *Exporter) lookInTime(ctx context.Context, only []string) *Input {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)*2/3)
		defer cancel()
	}
	return e.look(ctx, only)
}

// look takes the picture that the collectors share, of all daemons at once.
func (e *Exporter) look(ctx context.Context, only []string) *Input {
	want := watch.Want{Custom: e.custom != nil && (len(only) == 0 || slices.Contains(only, e.custom.Name()))}
	daemons := e.opts.Daemons()
	views := make([]chan watch.View, len(daemons))
	for i, d := range daemons {
		views[i] = e.view(ctx, d, want)
	}
	in := &Input{Daemons: make([]DaemonView, len(daemons))}
	for i, d := range daemons {
		select {
		case v := <-views[i]:
			in.Daemons[i] = DaemonView{View: v, Daemon: d}
			continue
		case <-ctx.Done():
		}
		select { // both may have been ready
		case v := <-views[i]:
			in.Daemons[i] = DaemonView{View: v, Daemon: d}
		default:
			in.Daemons[i] = DaemonView{View: watch.View{Label: d.Label(), Err: ctx.Err()}, Daemon: d, Stuck: true}
		}
	}
	return in
}

// view asks a daemon for its view. One that is stuck, as on a file system that
// hangs, is not asked again before it has answered.
func (e *Exporter) view(ctx context.Context, d Daemon, want watch.Want) chan watch.View {
	answer := make(chan watch.View, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.asked[d] >= maxRequests {
		return answer
	}
	e.asked[d]++
	go func() {
		answer <- d.View(ctx, want)
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.asked[d]--; e.asked[d] == 0 {
			delete(e.asked, d)
		}
	}()
	return answer
}

func (e *Exporter) run(ctx context.Context, c Collector, in *Input) (r outcome) {
	began := e.opts.Now()
	sink := e.sinks.get(c.Name())
	r = outcome{name: c.Name(), sink: sink}
	defer func() {
		if p := recover(); p != nil {
			r.err, r.sink = fmt.Errorf("panic: %v", p), nil
		}
		r.took = e.opts.Now().Sub(began)
	}()
	r.err = c.Collect(ctx, in, sink)
	return r
}

// assemble joins what the collectors gave. Sinks of those that were too late
// are still theirs and not used again.
func (e *Exporter) assemble(in *Input, ran []outcome) (families []*family, release func()) {
	slices.SortFunc(ran, func(a, b outcome) int { return strings.Compare(a.name, b.name) })
	self := outcome{name: selfName, sink: e.sinks.get(selfName)}
	e.agent.collect(in, ran, e.custom, e.opts.Now(), self.sink)
	ran = append(ran, self)
	for _, r := range ran {
		if r.err != nil {
			level.Error(e.opts.Logger).Log("msg", "Collector failed", "collector", r.name, "duration", r.took, "err", r.err)
		}
		if r.sink == nil {
			continue
		}
		for _, f := range r.sink.families {
			if len(f.samples) > 0 {
				families = append(families, f)
			}
		}
	}
	slices.SortFunc(families, byName)
	return families, func() {
		for _, r := range ran {
			if r.sink != nil {
				e.sinks.put(r.name, r.sink)
			}
		}
	}
}

// selfName is the name under which the sink of the agent's own facts is kept.
const selfName = "agent"
