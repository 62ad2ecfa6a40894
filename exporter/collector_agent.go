package exporter

import (
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/common/version"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/ledger"
)

// agentFacts exposes the agent's own work. It is not a Collector: it speaks of
// them, and can not be switched off.
type agentFacts struct {
	mu       sync.Mutex
	started  time.Time
	build    Labels
	timeouts map[string]uint64
	labels   *labelCache[string, *agentLabels]
	names    *labelCache[string, Labels] // by collector
	rejected []Labels
	info     AgentInfo
	shipping *shippingFacts // nil where nothing is shipped
}

// AgentInfo is what the agent's other parts say of themselves.
type AgentInfo interface {
	// RejectedSockets counts sockets that discovery left alone, by reason.
	RejectedSockets() map[string]uint64
	// StateErrors counts failures with the state file.
	StateErrors() uint64
	// StateRestored is true when this run continues the counters of another.
	StateRestored() bool
}

// agentLabels are the label sets of one daemon.
type agentLabels struct {
	base       Labels
	kind, what []Labels
}

func newAgentFacts(info AgentInfo, shipping func() Shipping, now time.Time) *agentFacts {
	return &agentFacts{
		started: now, info: info, shipping: newShippingFacts(shipping, now), timeouts: map[string]uint64{},
		build:    labels("version", version.Version, "revision", version.GetRevision(), "goversion", runtime.Version()),
		names:    newLabelCache(func(collector string) Labels { return labels("collector", collector) }),
		rejected: Labels(nil).each("reason", catalog.RejectReasons()),
		labels: newLabelCache(func(daemon string) *agentLabels {
			base := labels("daemon", daemon)
			return &agentLabels{base: base, kind: base.each("kind", catalog.BusKinds()), what: base.each("what", catalog.DropReasons())}
		}),
	}
}

// collect adds the agent's facts and how the collectors fared.
func (a *agentFacts) collect(in *Input, ran []outcome, custom *customCollector, now time.Time, out *Sink) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out.Gauge(catalog.AgentBuildInfo, 1, a.build)
	out.Gauge(catalog.AgentTime, float64(now.UnixMilli())/1000, nil)
	for _, r := range ran {
		if r.timedOut {
			a.timeouts[r.name]++
		}
		l := a.names.get(r.name)
		out.Gauge(catalog.AgentCollectorDuration, r.took.Seconds(), l)
		out.Gauge(catalog.AgentCollectorSuccess, oneIf(r.err == nil), l)
		out.Counter(catalog.AgentCollectorTimeouts, float64(a.timeouts[r.name]), a.started, l)
	}
	for i := range in.Daemons {
		a.daemon(&in.Daemons[i], custom, out)
	}
	rejected := a.info.RejectedSockets()
	for i, reason := range catalog.RejectReasons() {
		out.Counter(catalog.AgentRejectedSockets, float64(rejected[reason]), a.started, a.rejected[i])
	}
	out.Counter(catalog.AgentStateErrors, float64(a.info.StateErrors()), a.started, nil)
	out.Gauge(catalog.AgentStateRestored, oneIf(a.info.StateRestored()), nil)
	a.shipping.collect(out)
	a.labels.sweep()
}

func (a *agentFacts) daemon(d *DaemonView, custom *customCollector, out *Sink) {
	l := a.labels.get(d.Label)
	for kind, n := range d.Stats.Messages {
		out.Counter(catalog.AgentBusMessages, float64(n), a.started, l.kind[kind])
	}
	out.Counter(catalog.AgentDecodeErrors, float64(d.Stats.DecodeErrors), a.started, l.base)
	out.Counter(catalog.AgentRequests, float64(d.Stats.Requests), a.started, l.base)
	out.Counter(catalog.AgentRequestFailures, float64(d.Stats.RequestFailures), a.started, l.base)
	out.Counter(catalog.AgentConnects, float64(d.Stats.Connects), a.started, l.base)
	out.Counter(catalog.AgentConnectFailures, float64(d.Stats.ConnectFailures), a.started, l.base)
	var apps, values, series uint64
	d.ledger(func(l *ledger.Ledger) { apps, series = l.Dropped(), l.FoldedSeries() })
	if custom != nil {
		values = custom.Dropped(d.Label)
	}
	for i, n := range append([]uint64{apps, values, d.Stats.LogGaps, series, d.Stats.Strangers}, d.Stats.Unrecorded[:]...) {
		out.Counter(catalog.AgentDropped, float64(n), a.started, l.what[i])
	}
}
