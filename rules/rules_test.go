package rules

import (
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/pm25/pm25/internal/catalog/catalogtest"
	"github.com/pm25/pm25/internal/promtest"
	"github.com/pm25/pm25/rules/promtests"
)

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

// recordedLabels are the labels that recorded series may have, by name.
var recordedLabels = sync.OnceValue(func() map[string][]string {
	c := Default()
	records := map[string][]Record{}
	for _, g := range Groups(c) {
		for _, r := range g.Records {
			records[r.Name] = append(records[r.Name], r)
		}
	}
	out := map[string][]string{}
	var labelsOf func(name string) []string
	labelsOf = func(name string) []string {
		if labels, ok := out[name]; ok {
			return labels
		}
		out[name] = []string{} // one may be made of what it was before
		var all []string
		for _, r := range records[name] {
			all = slices.AppendSeq(all, maps.Keys(r.Labels))
			for _, source := range sourcesOf(c.expand(r.Expr)) {
				if m, ok := catalogtest.Series(source); ok {
					all = append(all, m.LabelNames()...)
				} else if records[source] != nil {
					all = append(all, labelsOf(source)...)
				}
			}
		}
		out[name] = append([]string{}, all...)
		return out[name]
	}
	for name := range records {
		labelsOf(name)
	}
	return out
})

// sourcesOf lists the series that an expression is made of, none where it does not
// parse.
func sourcesOf(expr string) (names []string) {
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return nil // TestCatalog tells
	}
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			names = append(names, v.Name)
		}
		return nil
	})
	return names
}

// foreign lists what an expression names and neither the catalog nor a recording
// rule holds.
func foreign(t *testing.T, expr string) []string {
	t.Helper()
	problems, err := catalogtest.Foreign(expr, recordedLabels())
	if err != nil {
		t.Fatalf("%v in\n%s", err, expr)
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
