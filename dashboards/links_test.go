package dashboards

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pm25/pm25/rules"
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

// TestAllHosts: boards that one host can be chosen on lead to all of them, with
// everything else that is chosen; a board of one host does not.
func TestAllHosts(t *testing.T) {
	var with []string
	for _, d := range read(t, english()) {
		for _, l := range d.Links {
			if l.Title != "All hosts" {
				continue
			}
			with = append(with, *d.Uid)
			uid, query, _ := strings.Cut(strings.TrimPrefix(*l.Url, "/d/"), "?")
			if uid != *d.Uid || !strings.Contains(query, "&var-host=%24__all&") || strings.Contains(query, "{host") || l.IncludeVars {
				t.Errorf("%s: %s", *d.Uid, *l.Url)
			}
			for _, v := range d.Templating.List {
				if v.Name != "host" && !strings.Contains(query, "${"+v.Name+":queryparam}") {
					t.Errorf("%s: all hosts, but not what is chosen as %s", *d.Uid, v.Name)
				}
			}
		}
	}
	if want := []string{fleetUID, appUID, processUID, exceptionsUID, alertsUID, selfUID}; !slices.Equal(with, want) {
		t.Errorf("boards with a link to all hosts: %q", with)
	}
}

// TestRunbooks: names of alerts lead to what to do, where it is known where that is.
func TestRunbooks(t *testing.T) {
	c := rules.Default()
	c.PM25URL = "https://pm25.example.com/"
	for i, d := range read(t, For(c)) {
		want := *d.Uid == fleetUID || *d.Uid == alertsUID
		const address = "https://pm25.example.com/runbooks/${__data.fields.alertname:percentencode}"
		if strings.Contains(jsonOf(t, d), address) != want || strings.Contains(jsonOf(t, read(t, english())[i]), "Runbook") {
			t.Errorf("%s: links to runbooks, or does not", *d.Uid)
		}
	}
}
