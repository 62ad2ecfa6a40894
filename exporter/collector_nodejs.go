package exporter

import (
	"context"
	"sync"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/watch"
)

// nodejsCollector exposes what processes with pm25-ext say of themselves.
type nodejsCollector struct {
	now    func() time.Time
	mu     sync.Mutex
	labels *labelCache[procLabelKey, *nodejsLabels]
}

// nodejsLabels are the label sets of one process, in the catalog's order.
type nodejsLabels struct {
	base        Labels
	kind, state []Labels
}

// NewNodejsCollector exposes what the ledger holds of Node.js processes.
func NewNodejsCollector(now func() time.Time) Collector {
	return &nodejsCollector{now: now, labels: newLabelCache(func(k procLabelKey) *nodejsLabels {
		base := processLabels(k)
		return &nodejsLabels{base: base, kind: base.each("kind", catalog.GCKinds()), state: base.each("state", catalog.LoopStates())}
	})}
}

func (*nodejsCollector) Name() string { return "nodejs" }

func (c *nodejsCollector) Collect(_ context.Context, in *Input, out *Sink) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for i := range in.Daemons {
		d := &in.Daemons[i]
		d.ledger(func(l *ledger.Ledger) {
			for j := range d.Processes {
				c.process(d.Label, &d.Processes[j], l, now, out)
			}
		})
	}
	c.labels.sweep()
	return nil
}

func (c *nodejsCollector) process(daemon string, p *watch.ProcessView, l *ledger.Ledger, now time.Time, out *Sink) {
	counted, ok := l.Node(p.Key)
	if ok {
		lab := c.labels.get(procLabelKey{daemon, p.Key})
		for i := range counted.GC {
			gc := &counted.GC[i]
			out.Histogram(catalog.NodeGCDuration, Histogram{Count: gc.Count, Sum: gc.Sum, Classic: gc.Buckets[:]}, counted.Created, lab.kind[i])
		}
		out.Counter(catalog.NodeLoopTime, counted.Active, counted.Created, lab.state[0])
		out.Counter(catalog.NodeLoopTime, counted.Idle, counted.Created, lab.state[1])
	}
	if !p.Running() {
		return
	}
	if present, ok := l.Present(p.Key, p.PID, p.StartedAt, now); ok {
		c.present(&present, c.labels.get(procLabelKey{daemon, p.Key}).base, out)
	}
}

// present adds how the process looks now. What it did not tell is NaN, which
// the sink leaves out.
func (c *nodejsCollector) present(p *ledger.Present, l Labels, out *Sink) {
	out.Gauge(catalog.NodeLastReport, seconds(p.ReportedAt), l)
	if !p.Fresh {
		return
	}
	r := &p.Runtime
	for _, g := range [...]struct {
		name  string
		value float64
	}{
		{catalog.NodeHeapUsed, r.HeapUsed},
		{catalog.NodeHeapTotal, r.HeapTotal},
		{catalog.NodeHeapLimit, r.HeapLimit},
		{catalog.NodeHeapAfterGC, r.HeapAfterGC},
		{catalog.NodeExternalMemory, r.External},
		{catalog.NodeArrayBuffers, r.ArrayBuffers},
		{catalog.NodeLagMin, r.Delay[0]},
		{catalog.NodeLagMean, r.Delay[1]},
		{catalog.NodeLagMax, r.Delay[2]},
		{catalog.NodeLagStddev, r.Delay[3]},
		{catalog.NodeLagP50, r.Delay[4]},
		{catalog.NodeLagP90, r.Delay[5]},
		{catalog.NodeLagP99, r.Delay[6]},
		{catalog.NodeDelayMax, r.DelayMax},
		{catalog.NodeActiveHandles, r.Handles},
		{catalog.NodeActiveRequests, r.Requests},
	} {
		out.Gauge(g.name, g.value, l)
	}
}
