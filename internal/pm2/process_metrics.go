package pm2

import (
	"slices"
	"strings"

	"github.com/pm25/pm25/internal/pm2/jsonscan"
)

// decodeMetrics takes what the app itself publishes. PM2's built-in probes
// are left out, because several of them do not mean what they say (see
// docs/decisions), but for two that are told apart under names of ours.
func decodeMetrics(s *jsonscan.Scanner, p *Process) error {
	p.Metrics, p.MetricsDropped, p.Latencies = nil, 0, nil
	return s.Object(func(key []byte) error {
		m := CustomMetric{Name: SafeName(key)}
		var typ string
		var numeric bool
		err := s.Object(func(key []byte) (err error) {
			switch string(key) {
			case "value":
				m.Value, numeric, err = s.Float()
				return err
			case "unit":
				return takeText(s, &m.Unit, 32)
			case "type":
				return takeText(s, &typ, 64)
			}
			return nil
		})
		switch {
		case numeric && len(p.Latencies) < 2 && latencyName(typ) != "":
			p.Latencies = append(p.Latencies, CustomMetric{latencyName(typ), "ms", m.Value})
		case !numeric || strings.HasPrefix(typ, "internal/"):
		case m.Name == "" || len(p.Metrics) == maxMetrics || p.hasMetric(m.Name):
			p.MetricsDropped++
		default:
			p.Metrics = append(p.Metrics, m)
		}
		return err
	})
}

// latencyName says what two of PM2's probes are: quantiles of an
// exponentially decaying sample in whole milliseconds, which keep their value
// when no requests come.
func latencyName(typ string) string {
	switch typ {
	case "internal/http/builtin/latency/p50":
		return "PM2's recent HTTP latency, median"
	case "internal/http/builtin/latency/p95":
		return "PM2's recent HTTP latency, 95th percentile"
	}
	return ""
}

// hasMetric finds names that became one: halves of surrogate pairs, which
// JSON may hold, all decode to U+FFFD.
func (p *Process) hasMetric(name string) bool {
	return strings.ContainsRune(name, '\uFFFD') &&
		slices.ContainsFunc(p.Metrics, func(m CustomMetric) bool { return m.Name == name })
}
