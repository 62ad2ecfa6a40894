package exporter

import (
	"context"
	"sync"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/ledger"
)

// httpCollector exposes the requests of apps with pm25-ext, and what older
// extensions say of theirs.
type httpCollector struct {
	now       func() time.Time
	mu        sync.Mutex
	apps      *labelCache[appLabelKey, Labels]
	series    *labelCache[seriesLabelKey, Labels]
	slow      *labelCache[slowLabelKey, Labels]
	processes *labelCache[procLabelKey, Labels]
}

type seriesLabelKey struct {
	appLabelKey
	ledger.SeriesKey
}

type slowLabelKey struct {
	appLabelKey
	ledger.SlowKey
}

// NewHTTPCollector exposes what the ledger holds of requests.
func NewHTTPCollector(now func() time.Time) Collector {
	c := &httpCollector{now: now, processes: newLabelCache(processLabels)}
	c.apps = newLabelCache(func(k appLabelKey) Labels {
		return labels("daemon", k.daemon, "pm2_namespace", k.Namespace, "app", k.App)
	})
	c.series = newLabelCache(func(k seriesLabelKey) Labels {
		return c.apps.get(k.appLabelKey).with("method", k.Method, "route", k.Route, "code", k.Code)
	})
	c.slow = newLabelCache(func(k slowLabelKey) Labels {
		return c.apps.get(k.appLabelKey).with("method", k.Method, "code", k.Code)
	})
	return c
}

func (*httpCollector) Name() string { return "http" }

func (c *httpCollector) Collect(_ context.Context, in *Input, out *Sink) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for i := range in.Daemons {
		d := &in.Daemons[i]
		d.ledger(func(l *ledger.Ledger) {
			for _, key := range l.Listed() {
				c.app(appLabelKey{d.Label, key}, l.App(key), out)
			}
			for j := range d.Processes {
				p := &d.Processes[j]
				if !p.Running() {
					continue
				}
				if present, ok := l.Present(p.Key, p.PID, p.StartedAt, now); ok && present.Fresh {
					out.Gauge(catalog.HTTPInFlight, present.InFlight, c.processes.get(procLabelKey{d.Label, p.Key}))
				}
			}
		})
	}
	c.apps.sweep()
	c.series.sweep()
	c.slow.sweep()
	c.processes.sweep()
	return nil
}

func (c *httpCollector) app(key appLabelKey, app *ledger.App, out *Sink) {
	if app.Reported {
		out.Counter(catalog.HTTPRoutesCollapsed, float64(app.Collapsed), app.Created, c.apps.get(key))
	}
	for _, s := range app.Series() {
		out.Histogram(catalog.HTTPRequestDuration, Histogram{
			Count: s.Count, Sum: s.Sum, Classic: s.Classic[:], Zero: s.Zero, Offset: s.Offset, Native: s.Native, Exemplars: s.Exemplars,
		}, s.Created, c.series.get(seriesLabelKey{key, s.SeriesKey}))
	}
	for _, s := range app.Slow() {
		out.Counter(catalog.HTTPSlowRequests, float64(s.Count), s.Created, c.slow.get(slowLabelKey{key, s.SlowKey}))
	}
}
