package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

//go:generate go run ./gen generated testdata ../docs/alerts.md

// File returns all rules as a Prometheus rule file.
func File(c Config) string { return file(Groups(c), c) }

func file(groups []Group, c Config) string {
	var b strings.Builder
	b.WriteString("# Written by `make generate` from package rules.\ngroups:\n")
	for i, g := range groups {
		if i > 0 {
			b.WriteString("\n")
		}
		g.write(&b, c)
	}
	return b.String()
}

// PrometheusRule returns all rules as a resource of the Prometheus Operator, which
// finds it by what its ruleSelector says of labels.
func PrometheusRule(c Config) string {
	var b strings.Builder
	b.WriteString(`apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: pm25
  labels:
    app.kubernetes.io/name: pm25
spec:
`)
	for line := range strings.Lines(File(c)) {
		if line != "\n" {
			b.WriteString("  ")
		}
		b.WriteString(line)
	}
	return b.String()
}

func (g Group) write(b *strings.Builder, c Config) {
	writeComment(b, "  ", g.Why)
	fmt.Fprintf(b, "  - name: %s\n    interval: %s\n    rules:\n", g.Name, duration(g.Interval))
	for i, r := range g.Records {
		if i > 0 {
			b.WriteString("\n")
		}
		r.write(b, c)
	}
	for i, a := range g.Alerts {
		if i+len(g.Records) > 0 {
			b.WriteString("\n")
		}
		a.write(b, c)
	}
}

func (r Record) write(b *strings.Builder, c Config) {
	writeComment(b, "      ", r.Why)
	fmt.Fprintf(b, "      - record: %s\n", r.Name)
	writeExpr(b, c.expand(r.Expr))
	if len(r.Labels) > 0 {
		b.WriteString("        labels:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Labels)) {
		fmt.Fprintf(b, "          %s: %s\n", name, quote(r.Labels[name]))
	}
}

func (a Alert) write(b *strings.Builder, c Config) {
	writeComment(b, "      ", a.Why)
	fmt.Fprintf(b, "      - alert: %s\n", a.Name)
	writeExpr(b, c.expand(a.Expr))
	if a.For > 0 {
		fmt.Fprintf(b, "        for: %s\n", duration(a.For))
	}
	if a.KeepFiringFor > 0 {
		fmt.Fprintf(b, "        keep_firing_for: %s\n", duration(a.KeepFiringFor))
	}
	fmt.Fprintf(b, "        labels:\n          severity: %s\n          scope: %s\n        annotations:\n", a.Severity, a.Scope)
	for _, annotation := range a.annotations(c) {
		fmt.Fprintf(b, "          %s: %s\n", annotation[0], quote(annotation[1]))
	}
}

// annotations are names and templates, in order.
func (a Alert) annotations(c Config) [][2]string {
	l := links{c}
	all := [][2]string{
		{"summary", a.Summary.in(c.Language)},
		{"description", shellSafe(c.describe(a.Description, a.Expr).in(c.Language))},
		{"runbook_url", l.runbook(a)},
		{"dashboard_url", l.dashboard(a)},
		{"silence_url", l.silence(a)},
	}
	if a.Scope.hasApp() {
		all = append(all, [2]string{"exceptions_url", l.exceptions(a)})
	}
	return all
}

var appArgument = regexp.MustCompile(`("pm2 [a-z]+ )\{\{ \$labels\.app \}\}`)

// shellSafe quotes names of apps in commands of PM2 where a shell would read them
// as anything but one word.
func shellSafe(description string) string {
	const quoted = `{{ if match "^[A-Za-z0-9_@.:][A-Za-z0-9_@.:/-]*$" $labels.app }}{{ $labels.app }}` +
		`{{ else }}'{{ reReplaceAll "'" "'\\''" $labels.app }}'{{ end }}`
	return appArgument.ReplaceAllString(description, "${1}"+strings.ReplaceAll(quoted, "$", "$$"))
}

func writeComment(b *strings.Builder, indent, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(b, "%s# %s\n", indent, strings.TrimSuffix(line, "\n"))
	}
}

func writeExpr(b *strings.Builder, expr string) {
	b.WriteString("        expr: |-\n")
	for line := range strings.Lines(expr) {
		fmt.Fprintf(b, "          %s\n", strings.TrimSuffix(line, "\n"))
	}
}

func duration(d time.Duration) string { return model.Duration(d).String() }

// quote writes a YAML string in which a backslash is one.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// indent moves each line of an expression to the right.
func indent(expr string) string { return "  " + strings.ReplaceAll(expr, "\n", "\n  ") }
