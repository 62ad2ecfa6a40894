package rules

import (
	"fmt"
	"strings"
	"text/template"
)

// Summaries are the first lines of all alerts in both languages, for those who
// read another than the one that the rules were written in.
type Summaries struct{ templates *template.Template }

// NewSummaries reads those of the alerts.
func NewSummaries(alerts []Alert) (Summaries, error) {
	root := template.New("").Option("missingkey=zero")
	for _, a := range alerts {
		for _, language := range []string{English, Chinese} {
			if _, err := root.New(language + "/" + a.Name).Parse("{{ $labels := . }}" + a.Summary.in(language)); err != nil {
				return Summaries{}, fmt.Errorf("summary of %s: %w", a.Name, err)
			}
		}
	}
	return Summaries{root}, nil
}

// In returns the summary of an alert with these labels, and false where it is
// none of ours.
func (s Summaries) In(language string, labels map[string]string) (string, bool) {
	t := s.templates.Lookup(language + "/" + labels["alertname"])
	if t == nil {
		return "", false
	}
	var b strings.Builder
	err := t.Execute(&b, labels)
	return b.String(), err == nil
}
