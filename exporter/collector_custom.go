package exporter

import (
	"context"
	"slices"
	"sync"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/watch"
)

// customCollector exposes what apps publish through @pm2/io.
type customCollector struct {
	mu      sync.Mutex
	max     int
	labels  *labelCache[customKey, Labels]
	dropped map[string]uint64
	before  map[procLabelKey]int // dropped of each process at the last scrape
}

type customKey struct {
	procLabelKey
	name, unit string
}

// NewCustomCollector exposes at most perProcess values of each process.
func NewCustomCollector(perProcess int) Collector {
	return &customCollector{
		max: perProcess, dropped: map[string]uint64{}, before: map[procLabelKey]int{},
		labels: newLabelCache(func(k customKey) Labels {
			return processLabels(k.procLabelKey).with("name", k.name, "unit", k.unit)
		}),
	}
}

func (*customCollector) Name() string { return "custom" }

func (c *customCollector) Collect(_ context.Context, in *Input, out *Sink) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := make(map[procLabelKey]int, len(c.before))
	for i := range in.Daemons {
		d := &in.Daemons[i]
		if !d.Up {
			for key, n := range c.before {
				if key.daemon == d.Label {
					now[key] = n
				}
			}
		}
		for j := range d.Processes {
			p := &d.Processes[j]
			key := procLabelKey{d.Label, p.Key}
			kept := p.Metrics[:min(len(p.Metrics), c.max)]
			for _, m := range kept {
				out.Gauge(catalog.CustomMetric, m.Value, c.labels.get(customKey{key, m.Name, m.Unit}))
			}
			if len(p.Latencies) > 0 && c.unmeasured(d, p) {
				for _, m := range p.Latencies {
					if !slices.ContainsFunc(kept, func(own pm2.CustomMetric) bool { return own.Name == m.Name }) {
						out.Gauge(catalog.CustomMetric, m.Value, c.labels.get(customKey{key, m.Name, m.Unit}))
					}
				}
			}
			now[key] = p.MetricsDropped + len(p.Metrics) - len(kept)
			if more := now[key] - c.before[key]; more > 0 {
				c.dropped[d.Label] += uint64(more)
			}
		}
	}
	c.before = now
	c.labels.sweep()
	return nil
}

// unmeasured is true for an app of which nothing better is known than PM2's own
// figures of its requests.
func (c *customCollector) unmeasured(d *DaemonView, p *watch.ProcessView) (is bool) {
	d.ledger(func(l *ledger.Ledger) {
		app := l.App(p.Key.AppKey)
		is = app == nil || !app.Reported && len(app.Slow()) == 0
	})
	return is
}

// Dropped tells how many values of a daemon's processes were left out.
func (c *customCollector) Dropped(daemon string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped[daemon]
}
