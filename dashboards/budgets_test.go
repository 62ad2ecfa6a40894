package dashboards

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	promodel "github.com/prometheus/common/model"

	"github.com/pm25/pm25/rules"
)

// TestBudgets: each service is held against the first SLO of the configuration that
// matches it, of classic histograms and of native ones.
func TestBudgets(t *testing.T) {
	for _, native := range []bool{false, true} {
		w := newWorld(t, size{hosts: 2, processes: 20, last: 20 * time.Minute, labeled: true, rules: func(c *rules.Config) {
			c.Native = native
			c.SLOs = slices.Concat([]rules.SLO{
				{Name: "strict", App: "shop-*", Objective: 0.9999, Latency: promodel.Duration(100 * time.Millisecond)},
				{Name: "lax", App: "payments", Objective: 0.95, Latency: promodel.Duration(10 * time.Second)},
			}, c.SLOs)
		}})
		ask := func(ref string) map[string]float64 {
			return w.ask(t, find(t, alertsUID, "Budgets", ref), of(alertsUID, w)).last
		}
		left, objective, within, burn := ask("D"), ask("E"), ask("F"), ask("A")
		for part, want := range map[string]struct{ objective, within float64 }{
			`app="shop-web", bucket="bucket-0", pm2_namespace="default", slo="strict"`:       {0.9999, 0.1},
			`app="payments", bucket="bucket-0", pm2_namespace="default", slo="lax"`:          {0.95, 10},
			`app="order-service", bucket="bucket-0", pm2_namespace="default", slo="default"`: {0.99, 0.5},
		} {
			row := "{" + part + "}"
			if math.Abs(objective[row]-want.objective) > 1e-9 || math.Abs(within[row]-want.within) > 1e-9 {
				t.Errorf("native %t: %s has to keep %v within %v s, want %v", native, row, objective[row], within[row], want)
			}
		}
		for row, v := range left {
			switch {
			case v < 0 || v > 1:
				t.Errorf("native %t: %v is left of the budget of %s", native, v, row)
			case strings.Contains(row, "strict") && (v != 0 || burn[row] < 1):
				t.Errorf("native %t: %s: %v left, burns %v times: of what nobody can keep nothing is left", native, row, v, burn[row])
			case strings.Contains(row, "lax") && (v < 0.9 || burn[row] > 0.1):
				t.Errorf("native %t: %s: %v left, burns %v times: what is easy to keep is kept", native, row, v, burn[row])
			}
		}
		if len(left) != len(objective) || len(left) == 0 {
			t.Errorf("native %t: %d rows say what is left, %d what was to keep", native, len(left), len(objective))
		}
	}
}
