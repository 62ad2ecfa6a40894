package dashboards

import (
	"testing"
	"time"

	"github.com/pm25/pm25/rules"
)

// Budgets of series that one query may return. More than that no person reads, and
// no browser draws.
func budget(k kind) int {
	switch k {
	case stat:
		return 1
	case table:
		return 500
	case "annotation":
		return 100
	case "variable":
		return 100_000
	}
	return 50
}

// TestPanelsShowSomething asks all queries of all boards in a world that has all
// that they are for, with the labels of service discovery and without, and with
// nothing but native histograms.
func TestPanelsShowSomething(t *testing.T) {
	for name, s := range map[string]size{
		"with labels of discovery": {labeled: true},
		"without":                  {},
		"native histograms":        {labeled: true, rules: func(c *rules.Config) { c.Native = true }},
	} {
		t.Run(name, func(t *testing.T) {
			s.hosts, s.processes, s.last = 3, 25, 40*time.Minute
			w := newWorld(t, s)
			histograms := 0
			for _, d := range read(t, For(w.rules)) {
				for _, q := range queriesOf(t, d) {
					a := w.ask(t, q, of(q.board, w))
					t.Log(q, a.series, a.values, a.took, a.names)
					histograms += a.histograms
					switch {
					case a.values == 0:
						t.Errorf("%s: shows nothing\n%s", q, of(q.board, w).in(q.expr))
					case a.series > budget(q.kind):
						t.Errorf("%s: %d series, such as %s", q, a.series, a.names)
					}
				}
			}
			if (histograms > 0) != w.rules.Native {
				t.Errorf("%d values are native histograms", histograms)
			}
		})
	}
}
