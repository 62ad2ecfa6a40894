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

// forget takes them away.
func (m *metrics) forget(kind robot.Kind, name string) {
	labels := prometheus.Labels{"robot_kind": string(kind), "robot": name}
	m.messages.DeletePartialMatch(labels)
	m.failures.DeletePartialMatch(labels)
	m.requests.DeletePartialMatch(labels)
	m.waiting.DeletePartialMatch(labels)
	m.paused.DeletePartialMatch(labels)
}

func (m *metrics) result(c *courier, result string, n int) {
	if !c.gone.Load() {
		m.messages.WithLabelValues(string(c.kind), c.name, result).Add(float64(n))
	}
}

func (m *metrics) failed(c *courier, reason string) {
	if !c.gone.Load() {
		m.failures.WithLabelValues(string(c.kind), c.name, reason).Inc()
	}
}

func (m *metrics) sent(c *courier) {
	if !c.gone.Load() {
		m.requests.WithLabelValues(string(c.kind), c.name).Inc()
	}
}

func (m *metrics) setWaiting(c *courier, n int) {
	if !c.gone.Load() {
		m.waiting.WithLabelValues(string(c.kind), c.name).Set(float64(n))
	}
}

func (m *metrics) setPaused(c *courier, paused bool) {
	if c.gone.Load() {
		return
	}
	v := 0.0
	if paused {
		v = 1
	}
	m.paused.WithLabelValues(string(c.kind), c.name).Set(v)
}
