package dashboards

import (
	"testing"
	"time"
)

// The budgets hold with many hosts too. `make bench-boards` asks the same of 500
// hosts with 20 processes, and tells how long it takes.
func TestBudgetsWithManyHosts(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 60 hosts")
	}
	w := newWorld(t, size{hosts: 4, copies: 15, processes: 20, last: 6 * time.Minute, labeled: true})
	for _, d := range read(t, english()) {
		for _, q := range queriesOf(t, d) {
			if a := w.ask(t, q, all()); a.series > budget(q.kind) {
				t.Errorf("%s: %d series, such as %s", q, a.series, a.names)
			}
		}
	}
}
