package exporter

import (
	"context"
	"sync"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/procfs"
)

// hostCollector exposes the few facts about the host that belong beside its
// processes; the rest is node_exporter's.
type hostCollector struct {
	mu    sync.Mutex
	host  procfs.Host
	paths []string
}

// NewHostCollector exposes what host tells. open receives the function that
// lists the paths whose filesystems matter.
func NewHostCollector(open func(paths func() []string) (procfs.Host, error)) (Collector, error) {
	c := &hostCollector{}
	host, err := open(func() []string { return c.paths })
	c.host = host
	return c, err
}

func (*hostCollector) Name() string { return "host" }

func (c *hostCollector) Collect(ctx context.Context, in *Input, out *Sink) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paths = c.paths[:0]
	for i := range in.Daemons {
		c.paths = append(c.paths, in.Daemons[i].Folders...)
	}
	f, err := c.host.Facts(ctx)
	for name, value := range map[string]float64{
		catalog.HostCPUs: f.CPUs, catalog.HostLoad1: f.Load1, catalog.HostLoad5: f.Load5, catalog.HostLoad15: f.Load15,
		catalog.HostMemoryTotal: f.MemoryTotalBytes, catalog.HostMemoryAvailable: f.MemoryAvailableBytes, catalog.HostBootTime: f.BootTimeSeconds,
	} {
		out.Gauge(name, value, nil)
	}
	for _, fs := range f.Filesystems {
		l := labels("mountpoint", fs.Mountpoint)
		out.Gauge(catalog.HostFilesystemSize, float64(fs.SizeBytes), l)
		out.Gauge(catalog.HostFilesystemAvail, float64(fs.AvailBytes), l)
	}
	return err
}
