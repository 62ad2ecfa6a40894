package rules

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/pm25/pm25/internal/catalog"
)

var losing = regexp.MustCompile(`dropped|refused|rejected|fail|error|damaged|dead_letters|timeouts|collapsed|cut_off|retries|write_failures`)

// noLoss are counters whose names sound like loss, with the reason why no alert is
// needed.
func noLoss() map[string]string {
	return map[string]string{
		catalog.AgentRequestFailures: "PM2 is asked again, and pm2_up is 0 while it does not answer: PM2DaemonDown",
		catalog.AgentConnectFailures: "the same",
		catalog.AgentRejectedSockets: "sockets that are none of PM2's, left alone on purpose",
		catalog.ShipRetries:          "sent again: PM25AgentNotShipping tells when that lasts",
		catalog.ServerTailDropped:    "what a slow reader of a live tail is not shown is in the store",
		catalog.ServerTailsCutOff:    "the same",
	}
}

// TestEveryLossIsTold: each counter that means that something was lost is in the
// expression of an alert.
func TestEveryLossIsTold(t *testing.T) {
	told := map[string]bool{}
	for _, a := range Alerts(Default()) {
		e, err := parser.NewParser(parser.Options{}).ParseExpr(Default().expand(a.Expr))
		if err != nil {
			t.Fatal(err)
		}
		parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
			if v, ok := n.(*parser.VectorSelector); ok {
				told[v.Name] = true
			}
			return nil
		})
	}
	for _, m := range slices.Concat(catalog.All(), catalog.Server().Metrics, catalog.Notify().Metrics, catalog.External()) {
		if m.Type != catalog.Counter || !losing.MatchString(m.Name) && !strings.Contains(m.Name, "missed") {
			continue
		}
		_, harmless := noLoss()[m.Name]
		if told[m.Name] == harmless {
			t.Errorf("%s: named by an alert: %v, no loss: %v", m.Name, told[m.Name], harmless)
		}
	}
	for name := range noLoss() {
		if _, ok := catalog.Lookup(name); !ok {
			t.Errorf("%s is no metric", name)
		}
	}
}
