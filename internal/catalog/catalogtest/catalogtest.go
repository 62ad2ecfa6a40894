// Package catalogtest tells what an expression names that the catalog does not
// hold, for tests of what is drawn and alerted on.
package catalogtest

import (
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/pm25/pm25/internal/catalog"
)

// targetLabels come with the target, not from the exporter.
var targetLabels = []string{"job", "instance", "host", "bucket"}

// outside are metrics that Prometheus and Alertmanager have of themselves, with
// their labels, beside those that the catalog knows; nil: any.
var outside = map[string][]string{
	"scrape_duration_seconds":          {},
	"scrape_samples_scraped":           {},
	"ALERTS":                           nil,
	"ALERTS_FOR_STATE":                 nil,
	"alertmanager_alerts":              {"state"},
	"alertmanager_silences":            {"state"},
	"alertmanager_notifications_total": {"integration", "receiver_name"},
}

// series of a histogram in its classic form.
var classic = []string{"_bucket", "_count", "_sum"}

// Foreign lists what an expression of PromQL names and the catalog does not hold:
// metrics, labels, and values of labels with a closed set of them. Names in
// recorded are known too, with their labels; nil: any. The error is of the parser.
func Foreign(expr string, recorded map[string][]string) (problems []string, err error) {
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return nil, err
	}
	known := slices.Clone(targetLabels)
	anything := false
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.VectorSelector:
			if names, ok := recorded[n.Name]; ok {
				known, anything = append(known, names...), anything || names == nil
				return nil
			}
			names, anyOf, found := ofSelector(n)
			known, anything = append(known, names...), anything || anyOf
			problems = append(problems, found...)
		case *parser.Call:
			if n.Func.Name == "label_replace" || n.Func.Name == "label_join" {
				known = append(known, strings.Trim(n.Args[1].String(), `"`))
			}
		}
		return nil
	})
	if anything {
		return problems, nil
	}
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		for _, name := range grouping(n) {
			if !slices.Contains(known, name) {
				problems = append(problems, "no label "+name)
			}
		}
		return nil
	})
	return problems, nil
}

func grouping(n parser.Node) []string {
	switch n := n.(type) {
	case *parser.AggregateExpr:
		return n.Grouping
	case *parser.BinaryExpr:
		if n.VectorMatching != nil {
			return n.VectorMatching.MatchingLabels
		}
	}
	return nil
}

// ofSelector returns the labels that the series may have; anyOf is true where they
// are not known.
func ofSelector(v *parser.VectorSelector) (names []string, anyOf bool, problems []string) {
	if own, ok := outside[v.Name]; ok {
		return own, own == nil, nil
	}
	m, ok := Series(v.Name)
	if !ok {
		return nil, false, []string{"no metric " + v.Name}
	}
	return m.LabelNames(), false, matchers(m, v.LabelMatchers)
}

// Series finds the metric that a series is of: of a histogram it may be one of its
// buckets, its count or its sum.
func Series(name string) (catalog.Metric, bool) {
	for _, suffix := range append([]string{""}, classic...) {
		m, ok := lookup(strings.TrimSuffix(name, suffix))
		if !ok || suffix != "" && (m.Type != catalog.Histogram || !strings.HasSuffix(name, suffix)) {
			continue
		}
		if suffix == "_bucket" {
			m.Labels = append(slices.Clone(m.Labels), catalog.Label{Name: "le"})
		}
		return m, true
	}
	return catalog.Metric{}, false
}

func lookup(name string) (catalog.Metric, bool) {
	external := catalog.External()
	if i := slices.IndexFunc(external, func(m catalog.Metric) bool { return m.Name == name }); i >= 0 {
		return external[i], true
	}
	return catalog.Lookup(name)
}

func matchers(m catalog.Metric, all []*labels.Matcher) (problems []string) {
	for _, matcher := range all {
		if matcher.Name == model.MetricNameLabel || slices.Contains(targetLabels, matcher.Name) {
			continue
		}
		i := slices.IndexFunc(m.Labels, func(l catalog.Label) bool { return l.Name == matcher.Name })
		if i < 0 {
			problems = append(problems, "no label "+matcher.Name+" of "+m.Name)
			continue
		}
		values := []string{matcher.Value}
		if matcher.Type == labels.MatchRegexp || matcher.Type == labels.MatchNotRegexp {
			values = matcher.SetMatches()
		}
		for _, value := range values {
			if closed := m.Labels[i].Values; len(closed) > 0 && !slices.Contains(closed, value) {
				problems = append(problems, "no value "+value+" of "+m.Name+"'s label "+matcher.Name)
			}
		}
	}
	return problems
}
