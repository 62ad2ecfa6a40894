package rules

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

//go:generate go run ./gen generated/pm25.yml

// File returns all rules as a Prometheus rule file.
func File() string {
	var b strings.Builder
	b.WriteString("# Written by `make generate` from package rules.\ngroups:\n")
	fmt.Fprintf(&b, "  - name: pm25\n    interval: %s\n    rules:\n", duration(Interval))
	for i, a := range Alerts() {
		if i > 0 {
			b.WriteString("\n")
		}
		a.write(&b)
	}
	return b.String()
}

func (a Alert) write(b *strings.Builder) {
	for line := range strings.Lines(a.Why) {
		fmt.Fprintf(b, "      # %s\n", strings.TrimSuffix(line, "\n"))
	}
	fmt.Fprintf(b, "      - alert: %s\n        expr: |-\n", a.Name)
	for line := range strings.Lines(a.Expr) {
		fmt.Fprintf(b, "          %s\n", strings.TrimSuffix(line, "\n"))
	}
	if a.For > 0 {
		fmt.Fprintf(b, "        for: %s\n", duration(a.For))
	}
	if a.KeepFiringFor > 0 {
		fmt.Fprintf(b, "        keep_firing_for: %s\n", duration(a.KeepFiringFor))
	}
	fmt.Fprintf(b, "        labels:\n          severity: %s\n          scope: %s\n        annotations:\n", a.Severity, a.Scope)
	for _, annotation := range [][2]string{
		{"summary", a.Summary},
		{"description", a.Description},
		{"runbook_url", "{{ $externalURL }}/runbooks/" + a.Name},
		{"dashboard_url", a.dashboard()},
		{"silence_url", a.silence()},
	} {
		fmt.Fprintf(b, "          %s: %s\n", annotation[0], quote(annotation[1]))
	}
}

// dashboard links to the live page, with only what the alert is about.
func (a Alert) dashboard() string {
	link := "{{ $externalURL }}/?host={{ or $labels.host $labels.instance | urlQueryEscape }}"
	if a.Scope == ScopeApp || a.Scope == ScopeProcess {
		link += "&q={{ urlQueryEscape $labels.app }}"
	}
	return link
}

// silence links to the page that silences just this alert.
func (a Alert) silence() string {
	link := fmt.Sprintf(`{{ $externalURL }}/silence?matcher={{ urlQueryEscape "alertname=\"%s\"" }}`, a.Name)
	matcher := func(name string) string {
		return fmt.Sprintf(`&matcher={{ printf "%s=%%q" $labels.%s | urlQueryEscape }}`, name, name)
	}
	for _, name := range a.Scope.labels() {
		if name == "host" { // not every scrape job names it
			link += "{{ if $labels.host }}" + matcher("host") + "{{ else }}" + matcher("instance") + "{{ end }}"
			continue
		}
		link += matcher(name)
	}
	return link
}

func duration(d time.Duration) string { return model.Duration(d).String() }

// quote writes a YAML string in which a backslash is one.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
