package dashboards

import (
	"testing"
	"time"
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
// that they are for, with the labels of service discovery and without.
func TestPanelsShowSomething(t *testing.T) {
	for name, labeled := range map[string]bool{"with labels of discovery": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, size{hosts: 3, processes: 25, last: 40 * time.Minute, labeled: labeled})
			for _, d := range read(t, english()) {
				for _, q := range queriesOf(t, d) {
					a := w.ask(t, q, of(q.board, w))
					t.Log(q, a.series, a.values, a.took, a.names)
					switch {
					case a.values == 0:
						t.Errorf("%s: shows nothing\n%s", q, of(q.board, w).in(q.expr))
					case a.series > budget(q.kind):
						t.Errorf("%s: %d series, such as %s", q, a.series, a.names)
					}
				}
			}
		})
	}
}
