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
	"github.com/pm25/pm25/rules/strictyaml"
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
			return nil, wrong{"selector", fmt.Sprintf("%s is no matchers: write them as bucket=\"prod\" (%v)", c.Selector, err)}
		}
		if slices.ContainsFunc(r.selector, func(m *labels.Matcher) bool { return m.Name == model.MetricNameLabel }) {
			return nil, wrong{"selector", "each metric has a name already: remove __name__"}
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
	a.Description = r.describe(a.Description, a.Expr) // as long as its thresholds have names
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
		if rest, err = r.exclude(rule, expr, exclude); err != nil {
			return nil, err
		}
	}
	type part struct {
		cells
		Config
	}
	var parts []part
	for i, o := range r.Overrides {
		with := r.Config
		if !with.Thresholds.override(o.Thresholds, names) {
			continue
		}
		if err := r.checkMatch(fmt.Sprintf("overrides[%d].match", i), rule, expr, o); err != nil {
			return nil, err
		}
		var in cells
		if in, rest, err = rest.split(o.Match.condition()); err != nil {
			return nil, wrong{fmt.Sprintf("overrides[%d].match", i), fmt.Sprintf("with those before it, for %s, %v", rule, err)}
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

// exclude is all but what an alert is not to fire for.
func (r *rewriter) exclude(rule, expr string, exclude condition) (cells, error) {
	path := "alerts." + rule + ".exclude"
	known, err := r.labelsIn(expr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rule, err)
	}
	for _, label := range slices.Sorted(maps.Keys(exclude)) {
		if !slices.Contains(known, label) {
			return nil, wrong{path + "." + label, "its metrics have no such label; " + strictyaml.Known(label, known)}
		}
	}
	_, rest, err := cells{{}}.split(exclude)
	if err != nil {
		return nil, wrong{path, err.Error()}
	}
	return rest, nil
}

// checkMatch holds that a rule can tell by its labels whom an override is about.
func (r *rewriter) checkMatch(path, rule, expr string, o Override) error {
	known, err := r.labelsIn(expr)
	if err != nil {
		return fmt.Errorf("%s: %w", rule, err)
	}
	cond := o.Match.condition()
	can := slices.DeleteFunc([]string{"bucket", "host", "pm2_namespace", "app"}, func(label string) bool { return !slices.Contains(known, label) })
	for _, label := range slices.Sorted(maps.Keys(cond)) {
		if slices.Contains(known, label) {
			continue
		}
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(o.Thresholds)), func(name string) bool { return !slices.Contains(thresholdsIn(expr), name) })
		return wrong{path + "." + label, fmt.Sprintf("%s compares with %s, and can not tell by %s what it is about: match by %s only, in an override of its own",
			rule, strings.Join(names, " and "), label, strings.Join(can, " or "))}
	}
	return nil
}

// labelsIn lists the labels of what an expression selects.
func (r *rewriter) labelsIn(expr string) ([]string, error) {
	e, err := r.parser.ParseExpr(r.expand(expr))
	if err != nil {
		return nil, err
	}
	return r.labels(e), nil
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

// thresholdsIn lists the settings that an expression, or a text, names.
func thresholdsIn(expr string) (names []string) {
	os.Expand(expr, func(name string) string {
		name, _, _ = strings.Cut(name, ":")
		names = append(names, name)
		return ""
	})
	return names
}
