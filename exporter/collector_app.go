package exporter

import (
	"context"
	"sync"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/ledger"
)

// appCollector exposes the counters of each app.
type appCollector struct {
	mu     sync.Mutex
	labels *labelCache[appLabelKey, *appLabels]
}

// appLabels are the label sets of one app, in the catalog's order.
type appLabels struct {
	base                           Labels
	reason, handled, event, stream []Labels
}

// NewAppCollector exposes what the ledger holds of apps.
func NewAppCollector() Collector {
	return &appCollector{labels: newLabelCache(func(k appLabelKey) *appLabels {
		base := labels("daemon", k.daemon, "pm2_namespace", k.Namespace, "app", k.App)
		return &appLabels{
			base: base, reason: base.each("reason", catalog.Reasons()), handled: base.each("handled", catalog.Handled()),
			event: base.each("event", catalog.Events()), stream: base.each("stream", catalog.Streams()),
		}
	})}
}

func (*appCollector) Name() string { return "app" }

func (c *appCollector) Collect(_ context.Context, in *Input, out *Sink) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range in.Daemons {
		d := &in.Daemons[i]
		d.ledger(func(l *ledger.Ledger) {
			for _, key := range l.Listed() {
				c.app(c.labels.get(appLabelKey{d.Label, key}), l.App(key), out)
			}
		})
		if !d.Up {
			continue
		}
		for _, files := range d.Files {
			lab := c.labels.get(appLabelKey{d.Label, files.Key})
			for stream, bytes := range files.LogBytes {
				if bytes >= 0 {
					out.Gauge(catalog.AppLogFileBytes, float64(bytes), lab.stream[stream])
				}
			}
			if files.Expected >= 0 {
				out.Gauge(catalog.AppExpectedInstances, float64(files.Expected), lab.base)
			}
		}
	}
	c.labels.sweep()
	return nil
}

func (c *appCollector) app(lab *appLabels, app *ledger.App, out *Sink) {
	for i, n := range app.Exits {
		out.Counter(catalog.AppExits, float64(n), app.Created, lab.reason[i])
	}
	for i, n := range app.Exceptions {
		out.Counter(catalog.AppExceptions, float64(n), app.Created, lab.handled[i])
	}
	for i, n := range app.Events {
		out.Counter(catalog.AppEvents, float64(n), app.Created, lab.event[i])
	}
	for i, n := range app.LogLines {
		out.Counter(catalog.AppLogLines, float64(n), app.Created, lab.stream[i])
	}
	if !app.DeployedAt.IsZero() {
		out.Gauge(catalog.AppDeployTime, seconds(app.DeployedAt), lab.base)
	}
}
