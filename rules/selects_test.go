package rules

import (
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// selects says whether a series with these labels is selected by an expression's
// only selector.
func selects(t *testing.T, e parser.Expr, series map[string]string) bool {
	t.Helper()
	all := true
	for _, selectors := range parser.ExtractSelectors(e) {
		for _, m := range selectors {
			if m.Name != "__name__" && !m.Matches(series[m.Name]) {
				all = false
			}
		}
	}
	return all
}
