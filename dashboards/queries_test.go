package dashboards

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/catalog/catalogtest"
	"github.com/pm25/pm25/internal/logql"
	"github.com/pm25/pm25/internal/record"
)

// TestQueriesNameOnlyWhatIsInTheCatalog parses each query, and holds its metrics,
// labels and values against the catalog; those of LogQL against the records.
func TestQueriesNameOnlyWhatIsInTheCatalog(t *testing.T) {
	known := map[string][]string{}
	for _, name := range recordedNames() {
		known[name] = nil
	}
	for _, d := range append(read(t, english()), read(t, For(native()))...) {
		for _, q := range queriesOf(t, d) {
			expr := all().in(q.expr)
			if strings.Contains(expr, "$") || token.MatchString(expr) {
				t.Errorf("%s: something is not expanded in %s", q, expr)
			}
			if q.loki {
				for _, problem := range foreignRecords(expr) {
					t.Errorf("%s: %s in\n%s", q, problem, expr)
				}
				continue
			}
			problems, err := catalogtest.Foreign(expr, known)
			if err != nil {
				t.Errorf("%s: %v in\n%s", q, err, expr)
			}
			for _, problem := range problems {
				t.Errorf("%s: %s in\n%s", q, problem, expr)
			}
		}
	}
}

var recordLabels = regexp.MustCompile(`\b([a-z_]+)\s*(=~|!~|=|!=)\s*"([^"]*)"`)

// foreignRecords parses LogQL, and looks for labels that no record has and kinds
// that there are not.
func foreignRecords(expr string) (problems []string) {
	e, err := logql.Parse(expr)
	if err != nil {
		return []string{err.Error()}
	}
	if logs, ok := e.(*logql.LogExpr); ok && logs == nil {
		return []string{"nothing"}
	}
	known := []string{"fingerprint", "occurrences", "pm_id", "route", "method", "seconds", "version", "revision", "state", "reason", "code"}
	var r record.Record
	for _, l := range r.StreamLabels("") {
		known = append(known, l.Name)
	}
	for _, m := range recordLabels.FindAllStringSubmatch(expr, -1) {
		if !slices.Contains(known, m[1]) {
			problems = append(problems, "no label "+m[1])
		}
		if m[1] == "kind" {
			for kind := range strings.SplitSeq(m[3], "|") {
				if !slices.Contains(record.Kinds(), record.Kind(kind)) {
					problems = append(problems, "no kind "+kind)
				}
			}
		}
	}
	return problems
}

func TestForeignRecords(t *testing.T) {
	for expr, want := range map[string]string{
		`{kind="exeption"}`:              "no kind exeption",
		`{kind="exit", application="a"}`: "no label application",
		`{kind="exit"`:                   "",
	} {
		if got := foreignRecords(expr); len(got) == 0 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %q", expr, got)
		}
	}
	if got := foreignRecords(`{kind=~"exit|start", app="a"} | route=~"b"`); len(got) > 0 {
		t.Errorf("found fault with a good one: %q", got)
	}
}

// TestCountersAreRates: a counter's value says nothing, and windows follow the
// panel's width unless a number is meant for a window of its own.
func TestCountersAreRates(t *testing.T) {
	fixed := regexp.MustCompile(`\[(\d+[smhd])\]`)
	for _, d := range read(t, english()) {
		for _, q := range queriesOf(t, d) {
			if q.loki || q.kind == "variable" || q.exemplars {
				continue
			}
			e, err := parser.NewParser(parser.Options{}).ParseExpr(all().in(q.expr))
			if err != nil {
				continue // another test tells
			}
			parser.Inspect(e, func(n parser.Node, path []parser.Node) error {
				v, ok := n.(*parser.VectorSelector)
				if ok && isCounter(v.Name) && !slices.Contains(recordedNames(), v.Name) && !inRange(path) && !onlyRanks(q.expr, v.Name) {
					t.Errorf("%s: %s without rate or increase", q, v.Name)
				}
				return nil
			})
			// Graphs over time use the interval that suits their width; what is compared
			// with a threshold, ranked or shown as one number says its window.
			if q.kind == graph && !strings.Contains(q.expr, "@ end()") && !strings.Contains(q.expr, "$__rate_interval") && !strings.Contains(q.expr, "$__interval") && fixed.MatchString(q.expr) && !strings.Contains(q.panel, "over") {
				t.Errorf("%s: a graph with a fixed window: %s", q, q.expr)
			}
		}
	}
}

func isCounter(name string) bool {
	m, ok := catalog.Lookup(name)
	return ok && m.Type == catalog.Counter || strings.HasSuffix(name, "_bucket") || strings.HasSuffix(name, "_count") || strings.HasSuffix(name, "_sum")
}

func inRange(path []parser.Node) bool {
	return slices.ContainsFunc(path, func(n parser.Node) bool { _, ok := n.(*parser.MatrixSelector); return ok })
}

// onlyRanks is true of restarts, whose number since the agent knows the process is
// what people know from `pm2 list`.
func onlyRanks(_, name string) bool { return name == "pm2_process_restarts_total" }
