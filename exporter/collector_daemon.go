package exporter

import (
	"context"
	"sync"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/procfs"
)

// daemonCollector measures the PM2 daemons themselves.
type daemonCollector struct {
	mu     sync.Mutex
	source procfs.Source // without descendants: those are the apps
	labels *labelCache[string, Labels]
}

// NewDaemonCollector measures daemons with source, which leaves descendants
// out.
func NewDaemonCollector(source procfs.Source) Collector {
	return &daemonCollector{source: source, labels: newLabelCache(func(daemon string) Labels { return labels("daemon", daemon) })}
}

func (*daemonCollector) Name() string { return "daemon" }

func (c *daemonCollector) Collect(_ context.Context, in *Input, out *Sink) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var pids []int
	for i := range in.Daemons {
		d := &in.Daemons[i]
		l := c.labels.get(d.Label)
		if !d.Up {
			out.Gauge(catalog.PM2Up, 0, l)
			continue
		}
		out.Gauge(catalog.PM2Up, 1, l)
		out.Gauge(catalog.DaemonInfo, 1, l.with("version", d.Version, "node_version", d.nodeVersion()))
		if d.Peer.PID <= 0 {
			continue // in a container whose processes we do not see
		}
		pids = append(pids, d.Peer.PID)
		s, err := c.source.Read(d.Peer.PID, time.Time{}, time.Time{})
		if err != nil || s.StartTicks != d.Peer.StartTicks {
			continue
		}
		out.Gauge(catalog.DaemonStartTime, seconds(s.StartTime), l)
		out.Counter(catalog.DaemonCPU, s.UserSeconds+s.SystemSeconds, s.StartTime, l)
		out.Gauge(catalog.DaemonResidentMemory, float64(s.ResidentBytes), l)
		if s.OpenFDs >= 0 {
			out.Gauge(catalog.DaemonOpenFDs, float64(s.OpenFDs), l)
		}
	}
	c.source.Retain(pids)
	c.labels.sweep()
	return nil
}

// nodeVersion is that of the workers in cluster mode, which run on the
// daemon's own Node.js; without any it is not known.
func (d *DaemonView) nodeVersion() string {
	for _, p := range d.Processes {
		if p.ExecMode == "cluster" && p.NodeVersion != "" {
			return p.NodeVersion
		}
	}
	return ""
}

// seconds is a time as Prometheus has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
