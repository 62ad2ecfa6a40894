package alertmanager

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those that Alertmanager's program has beside its packages'.
type metrics struct {
	requests        *prometheus.HistogramVec
	journalFailures prometheus.Counter
	loadedOK        prometheus.Gauge
	loadedAt        prometheus.Gauge
	receivers       prometheus.Gauge
	integrations    prometheus.Gauge
	inhibitions     prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (metrics, error) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := metrics{
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "alertmanager_http_request_duration_seconds", Help: "Histogram of latencies for HTTP requests.", Buckets: prometheus.DefBuckets,
		}, []string{"handler", "method", "code"}),
		journalFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "pm25_alertmanager_journal_failures_total", Help: "Silences, deliveries and sets of alerts that could not be written down at once.",
		}),
		loadedOK:     gauge("alertmanager_config_last_reload_successful", "Whether the last configuration reload attempt was successful."),
		loadedAt:     gauge("alertmanager_config_last_reload_success_timestamp_seconds", "Timestamp of the last successful configuration reload."),
		receivers:    gauge("alertmanager_receivers", "Number of configured receivers."),
		integrations: gauge("alertmanager_integrations", "Number of configured integrations."),
		inhibitions:  gauge("alertmanager_inhibition_rules", "Number of configured inhibition rules."),
	}
	for _, c := range []prometheus.Collector{m.requests, m.journalFailures, m.loadedOK, m.loadedAt, m.receivers, m.integrations, m.inhibitions} {
		if err := reg.Register(c); err != nil {
			return m, err
		}
	}
	return m, nil
}

// loaded returns the number of integrations.
func (m metrics) loaded(p prepared, inhibitions int, now time.Time) (integrations int) {
	for _, r := range p.receivers {
		integrations += len(r)
	}
	m.receivers.Set(float64(len(p.receivers)))
	m.integrations.Set(float64(integrations))
	m.inhibitions.Set(float64(inhibitions))
	m.loadedOK.Set(1)
	m.loadedAt.Set(float64(now.Unix()))
	return integrations
}
