package notify

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/notify/robot"
)

type metrics struct {
	messages, failures, requests *prometheus.CounterVec
	waiting, paused              *prometheus.GaugeVec
}

func newMetrics() *metrics {
	counter := func(name string) *prometheus.CounterVec {
		m, _ := catalog.Lookup(name)
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: m.Help}, m.LabelNames())
	}
	gauge := func(name string) *prometheus.GaugeVec {
		m, _ := catalog.Lookup(name)
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: m.Help}, m.LabelNames())
	}
	return &metrics{
		messages: counter(catalog.NotifyMessages), failures: counter(catalog.NotifyFailed), requests: counter(catalog.NotifyRequests),
		waiting: gauge(catalog.NotifyWaiting), paused: gauge(catalog.NotifyPaused),
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{m.messages, m.failures, m.requests, m.waiting, m.paused} {
		if err := r.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// begin shows all series of a robot.
func (m *metrics) begin(kind robot.Kind, name string) {
	for _, result := range catalog.NotifyResults() {
		m.messages.WithLabelValues(string(kind), name, result)
	}
	for _, reason := range catalog.NotifyFailures() {
		m.failures.WithLabelValues(string(kind), name, reason)
	}
	m.requests.WithLabelValues(string(kind), name)
	m.waiting.WithLabelValues(string(kind), name).Set(0)
	m.paused.WithLabelValues(string(kind), name).Set(0)
}

// forget takes them away, for good.
func (m *metrics) forget(c *courier) {
	c.counting.Lock()
	defer c.counting.Unlock()
	c.gone = true
	labels := prometheus.Labels{"robot_kind": string(c.kind), "robot": c.name}
	m.messages.DeletePartialMatch(labels)
	m.failures.DeletePartialMatch(labels)
	m.requests.DeletePartialMatch(labels)
	m.waiting.DeletePartialMatch(labels)
	m.paused.DeletePartialMatch(labels)
}

// count lets a robot's series be changed, unless they were taken away: they would
// be there again.
func (m *metrics) count(c *courier, change func()) {
	c.counting.RLock()
	defer c.counting.RUnlock()
	if !c.gone {
		change()
	}
}

func (m *metrics) result(c *courier, result string, n int) {
	m.count(c, func() { m.messages.WithLabelValues(string(c.kind), c.name, result).Add(float64(n)) })
}

func (m *metrics) failed(c *courier, reason string) {
	m.count(c, func() { m.failures.WithLabelValues(string(c.kind), c.name, reason).Inc() })
}

func (m *metrics) sent(c *courier) {
	m.count(c, func() { m.requests.WithLabelValues(string(c.kind), c.name).Inc() })
}

func (m *metrics) setWaiting(c *courier, n int) {
	m.count(c, func() { m.waiting.WithLabelValues(string(c.kind), c.name).Set(float64(n)) })
}

func (m *metrics) setPaused(c *courier, paused bool) {
	v := 0.0
	if paused {
		v = 1
	}
	m.count(c, func() { m.paused.WithLabelValues(string(c.kind), c.name).Set(v) })
}
