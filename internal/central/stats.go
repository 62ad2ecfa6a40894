package central

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/lokiapi"
)

// statsCollector tells what the store and Loki's API count by themselves.
type statsCollector struct {
	loki    func() lokiapi.Stats
	deleted func() uint64
}

// Describe is part of prometheus.Collector.
func (c *statsCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect is part of prometheus.Collector.
func (c *statsCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.loki()
	gauge := func(name string, n int64) { ch <- constant(name, prometheus.GaugeValue, float64(n)) }
	counter := func(name string, n uint64) { ch <- constant(name, prometheus.CounterValue, float64(n)) }
	counter(catalog.ServerStoreDeleted, c.deleted())
	gauge(catalog.ServerQueriesRunning, s.Running)
	gauge(catalog.ServerQueriesWaiting, s.Waiting)
	counter(catalog.ServerQueriesRefused, s.Refused)
	gauge(catalog.ServerTails, s.Tails)
	counter(catalog.ServerTailDropped, s.TailDropped)
	counter(catalog.ServerTailsCutOff, s.TailsCutOff)
}

func constant(name string, kind prometheus.ValueType, v float64) prometheus.Metric {
	m, _ := catalog.Lookup(name) // a test holds that all are there
	return prometheus.MustNewConstMetric(prometheus.NewDesc(name, m.Help, nil, nil), kind, v)
}
