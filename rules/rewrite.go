package rules

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/pm25/pm25/internal/catalog"
)

// rewriter puts settings into rules: it writes each expression as often as there
// are different thresholds for it, and limits what each of these selects.
type rewriter struct {
	Config
	parser   parser.Parser
	selector []*labels.Matcher
	made     map[string][]string // labels by recording rule
}

func newRewriter(c Config, groups []Group) (*rewriter, error) {
	r := &rewriter{Config: c, parser: parser.NewParser(parser.Options{}), made: map[string][]string{}}
	if c.Selector != "" {
		var err error
		if r.selector, err = r.parser.ParseMetricSelector("{" + c.Selector + "}"); err != nil {
			return nil, fmt.Errorf("selector %s: it has to be matchers such as bucket=\"prod\": %w", c.Selector, err)
		}
		if slices.ContainsFunc(r.selector, func(m *labels.Matcher) bool { return m.Name == model.MetricNameLabel }) {
			return nil, fmt.Errorf("selector %s: each metric has a name already: remove __name__", c.Selector)
		}
	}
	for _, g := range groups { // a rule uses those of the groups before it, or of its own
		for _, rec := range g.Records {
			e, err := r.parser.ParseExpr(c.expand(rec.Expr))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", rec.Name, err)
			}
			r.made[rec.Name] = append(r.made[rec.Name], slices.Concat(r.labels(e), slices.Collect(maps.Keys(rec.Labels)))...)
		}
	}
	return r, nil
}

func (r *rewriter) records(rec Record) (all []Record, err error) {
	rec.Expr, err = r.rewrite(rec.Name, rec.Expr, nil)
	return []Record{rec}, err
}

func (r *rewriter) alerts(a Alert) (all []Alert, err error) {
	s := r.Alerts[a.Name]
	if s.Disabled {
		return nil, nil
	}
	if s.Severity != "" {
		a.Severity = s.Severity
	}
	if s.For != nil {
		a.For = time.Duration(*s.For)
	}
	if s.KeepFiringFor != nil {
		a.KeepFiringFor = time.Duration(*s.KeepFiringFor)
	}
	a.Expr, err = r.rewrite(a.Name, a.Expr, s.Exclude)
	return []Alert{a}, err
}

// rewrite puts the variants of an expression together: no series is in two.
func (r *rewriter) rewrite(rule, expr string, exclude condition) (string, error) {
	all, err := r.variants(rule, expr, exclude)
	if err != nil {
		return "", err
	}
	if len(all) == 1 {
		return all[0], nil
	}
	for i, variant := range all {
		all[i] = "(\n  " + strings.ReplaceAll(variant, "\n", "\n  ") + "\n)"
	}
	return strings.Join(all, "\nor\n"), nil
}

// variants returns the expressions that one becomes.
func (r *rewriter) variants(rule, expr string, exclude condition) ([]string, error) {
	names := thresholdsIn(expr)
	rest := cells{{}}
	var err error
	if len(exclude) > 0 {
		if _, rest, err = rest.split(exclude); err != nil {
			return nil, fmt.Errorf("alerts: %s: %w", rule, err)
		}
	}
	type part struct {
		cells
		Config
	}
	var parts []part
	for _, o := range r.Overrides {
		with := r.Config
		if !with.Thresholds.override(o.Thresholds, names) {
			continue
		}
		var in cells
		if in, rest, err = rest.split(o.Match.condition()); err != nil {
			return nil, fmt.Errorf("overrides: %s: %w", rule, err)
		}
		parts = append(parts, part{in, with})
	}
	parts = append([]part{{rest, r.Config}}, parts...)
	var all []string
	for _, p := range parts {
		for _, matchers := range p.cells {
			text, err := r.limit(p.expand(expr), matchers)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", rule, err)
			}
			all = append(all, strings.ReplaceAll(text, "$", "${$}")) // what is left of them is of labels' values
		}
	}
	return all, nil
}

// limit puts matchers, and the selector of the configuration, into an expression.
func (r *rewriter) limit(expr string, matchers []*labels.Matcher) (string, error) {
	if len(matchers)+len(r.selector) == 0 {
		return expr, nil
	}
	e, err := r.parser.ParseExpr(expr)
	if err != nil {
		return "", err
	}
	known := r.labels(e)
	for _, m := range matchers {
		if !slices.Contains(known, m.Name) {
			return "", fmt.Errorf("%w (the labels of its metrics are %s)", unknown("label", m.Name, known), strings.Join(known, ", "))
		}
	}
	changed := false
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		for _, m := range matchers {
			if slices.Contains(r.labelsOf(v), m.Name) {
				v.LabelMatchers, changed = append(v.LabelMatchers, m), true
			}
		}
		if r.ofAgents(v) {
			v.LabelMatchers, changed = append(v.LabelMatchers, r.selector...), changed || len(r.selector) > 0
		}
		return nil
	})
	if !changed {
		return expr, nil
	}
	return strings.TrimSpace(e.Pretty(0)), nil
}

// labels lists the labels of what an expression selects.
func (r *rewriter) labels(e parser.Expr) (all []string) {
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			all = append(all, r.labelsOf(v)...)
		}
		return nil
	})
	slices.Sort(all)
	return slices.Compact(all)
}

// labelsOf lists the labels of a metric: those of its target, and its own.
func (r *rewriter) labelsOf(v *parser.VectorSelector) []string {
	if made, ok := r.made[v.Name]; ok {
		return made
	}
	all := []string{"job", "instance", "host", "bucket"}
	if m, ok := lookup(v.Name); ok {
		all = append(all, m.LabelNames()...)
	}
	return all
}

// ofAgents is true for what agents expose, and for whether they answer.
func (r *rewriter) ofAgents(v *parser.VectorSelector) bool {
	if v.Name == "up" {
		return slices.ContainsFunc(v.LabelMatchers, func(m *labels.Matcher) bool {
			return m.Name == "job" && m.Type == labels.MatchEqual && m.Value == r.Job
		})
	}
	m, ok := lookup(v.Name)
	return ok && slices.ContainsFunc(catalog.All(), func(other catalog.Metric) bool { return other.Name == m.Name })
}

// lookup finds a metric by the name of one of its series.
func lookup(name string) (catalog.Metric, bool) {
	for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
		if m, ok := catalog.Lookup(strings.TrimSuffix(name, suffix)); ok && (suffix == "" || m.Type == catalog.Histogram) {
			return m, true
		}
	}
	return catalog.Metric{}, false
}

// thresholdsIn lists the settings that an expression names.
func thresholdsIn(expr string) (names []string) {
	os.Expand(expr, func(name string) string {
		names = append(names, name)
		return ""
	})
	return names
}
