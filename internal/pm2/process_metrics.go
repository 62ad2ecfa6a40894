package pm2

import (
	"slices"
	"strings"

	"github.com/pm25/pm25/internal/pm2/jsonscan"
)

// decodeMetrics takes what the app itself publishes. PM2's built-in probes
// are left out: several of them do not mean what they say (see
// docs/decisions).
func decodeMetrics(s *jsonscan.Scanner, p *Process) error {
	p.Metrics, p.MetricsDropped = nil, 0
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
		case !numeric || strings.HasPrefix(typ, "internal/"):
		case m.Name == "" || len(p.Metrics) == maxMetrics || p.hasMetric(m.Name):
			p.MetricsDropped++
		default:
			p.Metrics = append(p.Metrics, m)
		}
		return err
	})
}

// hasMetric finds names that became one: halves of surrogate pairs, which
// JSON may hold, all decode to U+FFFD.
func (p *Process) hasMetric(name string) bool {
	return strings.ContainsRune(name, '\uFFFD') &&
		slices.ContainsFunc(p.Metrics, func(m CustomMetric) bool { return m.Name == name })
}
