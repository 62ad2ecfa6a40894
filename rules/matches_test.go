package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// TestMatchesHoldForAllTargets: arithmetic and comparisons of series fail for the
// whole rule, and so for every host, where one of them has two partners. An address
// may be that of two targets, as where an agent was given another name or bucket, so
// series are told apart by all labels of their targets.
func TestMatchesHoldForAllTargets(t *testing.T) {
	several := configured(t, `
slos:
  - {name: fast, app: api, latency: 200ms}
  - {name: default, objective: 0.99, latency: 500ms}
overrides: [{match: {app: batch}, thresholds: {crash_loop_ends: 9, memory_host_ratio: 0.7, deploy_window_seconds: 600}}]
`)
	matches := 0
	for _, c := range []Config{Default(), native(), several} {
		for _, g := range Groups(c) {
			for _, r := range g.Records {
				for _, problem := range ambiguous(t, c.expand(r.Expr), &matches) {
					t.Errorf("%s: %s", r.Name, problem)
				}
			}
			for _, a := range g.Alerts {
				for _, problem := range ambiguous(t, c.expand(a.Expr), &matches) {
					t.Errorf("%s: %s", a.Name, problem)
				}
			}
		}
	}
	if matches < 30 {
		t.Errorf("only %d matches were looked at", matches)
	}
	for expr, want := range map[string]bool{
		`up - on (job, instance) group_right () pm2_up`:                         true,
		`pm2_up * on (job, instance) group_left () up`:                          true,
		`pm2_up > on (job, instance, daemon) pm2_up offset 1h`:                  true,
		`up - ignoring (daemon, host) group_right () pm2_up`:                    true,
		`up - ignoring (daemon) group_right () pm2_up`:                          false,
		`pm2_up * on (job, instance) group_left () max by (job, instance) (up)`: false,
		`pm2_up * on (job) group_left () max by (job, instance) (up)`:           true,
		`sum by (app) (pm2_app_exits_total) + on (app) (sum by (app) (pm2_up))`: false,
		`pm2_up and on (job, instance) up`:                                      false,
	} {
		if got := len(ambiguous(t, expr, new(int))) > 0; got != want {
			t.Errorf("%s: taken as ambiguous: %t", expr, got)
		}
	}
}

// ambiguous lists the matches of an expression whose sides may have several series
// for one.
func ambiguous(t *testing.T, expr string, matches *int) (problems []string) {
	t.Helper()
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatalf("%v in\n%s", err, expr)
	}
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		b, ok := n.(*parser.BinaryExpr)
		if !ok || b.VectorMatching == nil || b.Op.IsSetOperator() {
			return nil // set operators take any number
		}
		*matches++
		m := b.VectorMatching
		for side, of := range map[parser.Expr]parser.VectorMatchCardinality{b.LHS: parser.CardManyToOne, b.RHS: parser.CardOneToMany} {
			if m.Card != of && !single(side, m) {
				problems = append(problems, "several series may be one in: "+strings.Join(strings.Fields(side.String()), " "))
			}
		}
		return nil
	})
	return problems
}

// single is true where no two series of a side are the same to a match.
func single(side parser.Expr, m *parser.VectorMatching) bool {
	if !m.On {
		return !slices.ContainsFunc([]string{"job", "instance", "host", "bucket"}, func(label string) bool { return slices.Contains(m.MatchingLabels, label) })
	}
	for {
		p, ok := side.(*parser.ParenExpr)
		if !ok {
			break
		}
		side = p.Expr
	}
	sum, ok := side.(*parser.AggregateExpr)
	return ok && !sum.Without && !slices.ContainsFunc(sum.Grouping, func(label string) bool { return !slices.Contains(m.MatchingLabels, label) })
}
