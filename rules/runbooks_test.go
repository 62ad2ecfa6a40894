package rules

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/pm25/pm25/docs/runbooks"
)

// TestRunbooks: each alert has a runbook with the parts that a reader looks
// for, in both languages, and there is none without an alert.
func TestRunbooks(t *testing.T) {
	var names []string
	for _, a := range Alerts(Default()) {
		names = append(names, a.Name)
		for _, language := range []string{English, Chinese} {
			text, ok := runbooks.Text(a.Name, language)
			if !ok {
				t.Errorf("%s has no runbook", a.Name)
				continue
			}
			for _, part := range []string{"# " + a.Name, "\n## Impact", "\n## Diagnosis", "\n## Mitigation"} {
				if !strings.Contains(string(text), part) {
					t.Errorf("the runbook of %s in %q lacks %q", a.Name, language, strings.TrimSpace(part))
				}
			}
			checkQueries(t, a.Name+" in "+language, string(text))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names) // some have a critical and a warning variant
	if got := runbooks.Names(); !slices.Equal(got, names) {
		t.Errorf("runbooks %q, alerts %q", got, names)
	}
}

var (
	codeSpan   = regexp.MustCompile("`([^`]+)`")
	metricName = regexp.MustCompile(`(?:^|[^\w:])(?:(?:pm2|pm25|nodejs|prometheus|alertmanager)_[\w:]+|up\{)`)
)

// checkQueries holds that a runbook says what to ask of Prometheus, in words that
// it knows.
func checkQueries(t *testing.T, name, text string) {
	t.Helper()
	_, diagnosis, _ := strings.Cut(text, "\n## Diagnosis")
	diagnosis, _, _ = strings.Cut(diagnosis, "\n## Mitigation")
	n := 0
	for _, span := range codeSpan.FindAllStringSubmatch(diagnosis, -1) {
		query := span[1]
		if !metricName.MatchString(query) || strings.Contains(query, "…") {
			continue
		}
		if _, err := parser.NewParser(parser.Options{}).ParseExpr(query); err != nil {
			t.Errorf("%s: %s: %v", name, query, err)
			continue
		}
		n++
		if strings.Contains(query, "prometheus_") || strings.Contains(query, "alertmanager_") {
			continue // no metrics of ours
		}
		for _, problem := range foreign(t, query) {
			t.Errorf("%s: %s: %s", name, query, problem)
		}
	}
	if n == 0 {
		t.Errorf("%s: no query in its diagnosis", name)
	}
}
