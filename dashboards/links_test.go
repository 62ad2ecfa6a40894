package dashboards

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var kept = regexp.MustCompile(`\bby \(([^)]*)\)`)

// TestLinksHaveTheirLabels: what a link takes from a row is one of its columns, and
// what it takes from a series one of its labels.
func TestLinksHaveTheirLabels(t *testing.T) {
	o := english()
	n := 0
	for _, b := range boards(o) {
		for _, r := range b.rows {
			for _, p := range r.panels {
				n += len(p.links)
				for _, problem := range lostLabels(o, p) {
					t.Errorf("%s / %s: %s", b.uid, p.title.en, problem)
				}
			}
		}
	}
	if n == 0 {
		t.Error("no links")
	}
}

func lostLabels(o Options, p panel) (problems []string) {
	columns := []string{}
	for _, f := range p.fields {
		columns = append(columns, f.name)
	}
	for _, f := range p.fields {
		for _, l := range f.links {
			for _, name := range l.set {
				if !slices.Contains(columns, name) {
					problems = append(problems, "a link of column "+f.name+" takes "+name+", which is no column")
				}
			}
		}
	}
	for _, l := range p.links {
		for _, name := range l.set {
			found := !kept.MatchString(o.expand(p.targets[0].expr)) // all that the metric has
			for _, m := range kept.FindAllStringSubmatch(o.expand(p.targets[0].expr), -1) {
				found = found || slices.Contains(strings.Split(strings.ReplaceAll(m[1], " ", ""), ","), name)
			}
			if !found {
				problems = append(problems, "a link of series takes "+name+", which is none of their labels")
			}
		}
	}
	return problems
}

func TestLostLabels(t *testing.T) {
	p := panel{targets: []target{{expr: `sum by (app) (pm2_up)`}}, links: []link{toApp()}, fields: []field{{name: "app", links: []link{toProcess()}}}}
	if got := lostLabels(english(), p); len(got) != 3 {
		t.Errorf("%q", got)
	}
}
