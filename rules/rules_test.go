package rules

import (
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/promtest"
	"github.com/pm25/pm25/rules/promtests"
)

// targetLabels come with the target, not from the exporter.
var targetLabels = []string{"job", "instance", "host", "bucket"}

// TestGenerated: the committed file is what the package writes, and Prometheus
// reads it.
func TestGenerated(t *testing.T) {
	committed, err := os.ReadFile("generated/pm25.yml")
	if err != nil {
		t.Fatal(err)
	}
	if string(committed) != File(Default()) {
		t.Error("generated/pm25.yml is stale: make generate")
	}
	groups, errs := rulefmt.Parse([]byte(File(Default())), false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	want, n := 0, 0
	for _, g := range Groups(Default()) {
		want += len(g.Records) + len(g.Alerts)
	}
	for _, g := range groups.Groups {
		n += len(g.Rules)
	}
	if n != want {
		t.Errorf("%d rules in the file, want %d", n, want)
	}
}

// TestCatalog: no expression names a metric, a label or a label's value that
// the catalog lacks.
func TestCatalog(t *testing.T) {
	for _, g := range Groups(Default()) {
		for _, r := range g.Records {
			for _, problem := range foreign(t, Default().expand(r.Expr)) {
				t.Errorf("%s: %s", r.Name, problem)
			}
		}
		for _, a := range g.Alerts {
			for _, problem := range foreign(t, Default().expand(a.Expr)) {
				t.Errorf("%s: %s", a.Name, problem)
			}
		}
	}
}

// recorded finds the recording rule of a name.
func recorded(name string) (Record, bool) {
	for _, g := range Groups(Default()) {
		for _, r := range g.Records {
			if r.Name == name {
				return r, true
			}
		}
	}
	return Record{}, false
}

// metric finds a metric of the catalog by the name of one of its series.
func metric(name string) (catalog.Metric, bool) {
	for _, suffix := range []string{"", "_sum", "_count", "_bucket"} {
		m, ok := catalog.Lookup(strings.TrimSuffix(name, suffix))
		if ok && suffix == "_bucket" {
			m.Labels = append(m.Labels, catalog.Label{Name: "le"})
		}
		if ok && (suffix == "" || m.Type == catalog.Histogram) {
			return m, true
		}
	}
	external := catalog.External()
	i := slices.IndexFunc(external, func(m catalog.Metric) bool { return m.Name == name })
	if i < 0 {
		return catalog.Metric{}, false
	}
	return external[i], true
}

func TestForeignFindsWhatTheCatalogLacks(t *testing.T) {
	for expr, want := range map[string]string{
		`pm2_upp`:                           "pm2_upp",
		`pm2_up{app="a"}`:                   "app",
		`pm2_process_state{state="broken"}`: "broken",
		`pm2_app_exits_total{reason=~"crash|sigterm"}`: "sigterm",
		`sum by (pm_id) (pm2_up)`:                      "pm_id",
		`{job="pm2"}`:                                  "no metric",
	} {
		if got := strings.Join(foreign(t, expr), "; "); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q in it", expr, got, want)
		}
	}
	if got := foreign(t, `sum by (host, daemon) (pm2_process_state{state!="online",app=~"a.*"}) > 0`); len(got) > 0 {
		t.Errorf("found fault with a good one: %q", got)
	}
}

// foreign lists what an expression names and the catalog does not hold.
func foreign(t *testing.T, expr string) (problems []string) {
	t.Helper()
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatalf("%v in\n%s", err, expr)
	}
	known := slices.Clone(targetLabels)
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			if r, ok := recorded(v.Name); ok { // itself checked; it has no label that its metrics lack
				known = append(known, labelsOf(t, r)...)
				return nil
			}
			m, ok := metric(v.Name)
			if !ok {
				problems = append(problems, "no metric "+v.Name)
			}
			known = append(known, m.LabelNames()...)
			problems = append(problems, foreignMatchers(m, v.LabelMatchers)...)
		}
		return nil
	})
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		var names []string
		switch n := n.(type) {
		case *parser.AggregateExpr:
			names = n.Grouping
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				names = n.VectorMatching.MatchingLabels
			}
		}
		for _, name := range names {
			if !slices.Contains(known, name) {
				problems = append(problems, "no label "+name)
			}
		}
		return nil
	})
	return problems
}

// labelsOf lists the labels of the metrics that a recording rule is made of.
func labelsOf(t *testing.T, r Record) (names []string) {
	t.Helper()
	names = slices.Collect(maps.Keys(r.Labels))
	e, err := parser.NewParser(parser.Options{}).ParseExpr(Default().expand(r.Expr))
	if err != nil {
		t.Fatalf("%v in\n%s", err, r.Expr)
	}
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			if v.Name == r.Name { // what it was before
				return nil
			}
			if source, ok := recorded(v.Name); ok {
				names = append(names, labelsOf(t, source)...)
			} else if m, ok := metric(v.Name); ok {
				names = append(names, m.LabelNames()...)
			}
		}
		return nil
	})
	return names
}

func foreignMatchers(m catalog.Metric, matchers []*labels.Matcher) (problems []string) {
	for _, matcher := range matchers {
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

// TestConventions holds what all alerts have in common.
func TestConventions(t *testing.T) {
	for _, a := range Alerts(Default()) {
		if !slices.Contains(Severities(), a.Severity) || !slices.Contains(Scopes(), a.Scope) {
			t.Errorf("%s: severity %q, scope %q", a.Name, a.Severity, a.Scope)
		}
		if a.Why == "" {
			t.Errorf("%s: why is it as it is?", a.Name)
		}
		for _, language := range []string{English, Chinese} {
			summary, all := a.Summary.in(language), a.Summary.in(language)+a.Description.in(language)
			if summary == "" || a.Description.in(language) == "" || strings.Contains(summary, "\n") {
				t.Errorf("%s: a text in %s is missing or has more than one line", a.Name, language)
			}
			if strings.Contains(summary, "$value") {
				t.Errorf("%s: the summary in %s changes with the value, so it would be told again", a.Name, language)
			}
			for _, label := range a.Scope.labels() {
				if !strings.Contains(all, "$labels."+label) {
					t.Errorf("%s: the texts in %s do not say which %s", a.Name, language, label)
				}
			}
		}
		if chinese := a.Summary.ZH + a.Description.ZH; !strings.ContainsFunc(chinese, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s: no Chinese in %q", a.Name, chinese)
		}
	}
}

// TestPromtool runs promtool's tests in testdata and holds what they show of each
// alert: that it fires, not sooner than it should, that it ends, and what must not
// raise it. The name of a test says which: "ALERT fires waits ends: …", "ALERT
// silent: what must not raise it".
func TestPromtool(t *testing.T) {
	promtool := promtest.Binary(t, "promtool")
	tests, err := filepath.Glob("testdata/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range tests {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yml"), func(t *testing.T) {
			t.Parallel()
			promtoolTest(t, promtool, file)
		})
	}
	promtoolSays(t, promtool, "check", "rules", "--lint=all", "--lint-fatal", "generated/pm25.yml")
	shown, err := promtests.Read("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range Alerts(Default()) {
		for _, what := range promtests.Whats() {
			if what == "waits" && a.For == 0 || a.Severity == None {
				continue
			}
			if len(shown[a.Name][what]) == 0 {
				t.Errorf("no test in testdata whose name says that %s %s", a.Name, what)
			}
		}
	}
}

func promtoolSays(t *testing.T, promtool string, args ...string) {
	t.Helper()
	if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
