package rules

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// promtoolTest runs promtool's tests of one file on only those rules that it names:
// evaluating all of them over the days of some tests takes minutes.
func promtoolTest(t *testing.T, promtool, name string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tests := string(text)
	var order []string
	for _, rules := range []struct {
		file   string
		config Config
	}{{"pm25.yml", Default()}, {"pm25-native.yml", native()}} {
		tests = strings.ReplaceAll(tests, "../generated/"+rules.file, rules.file)
		kept := named(Groups(rules.config), tests)
		write(t, filepath.Join(dir, rules.file), file(kept, rules.config))
		for _, g := range kept {
			if !slices.Contains(order, g.Name) {
				order = append(order, g.Name)
			}
		}
	}
	// Of groups that are due at once promtool begins with any, unless it is told.
	write(t, filepath.Join(dir, "test.yml"), "group_eval_order: ["+strings.Join(order, ", ")+"]\n"+tests)
	promtoolSays(t, promtool, "test", "rules", filepath.Join(dir, "test.yml"))
}

func native() Config {
	c := Default()
	c.Native = true
	return c
}

// named returns the alerts that a text names, and the recording rules that it or
// those use.
func named(groups []Group, text string) (kept []Group) {
	for again := true; again; {
		again = false
		for _, g := range groups {
			for _, r := range g.Records {
				if strings.Contains(text, r.Name) && !strings.Contains(text, r.Expr) {
					text, again = text+r.Expr, true
				}
			}
			for _, a := range g.Alerts {
				if strings.Contains(text, a.Name) && !strings.Contains(text, a.Expr) {
					text, again = text+a.Expr, true
				}
			}
		}
	}
	for _, g := range groups {
		g.Records = slices.DeleteFunc(slices.Clone(g.Records), func(r Record) bool { return !strings.Contains(text, r.Name) })
		g.Alerts = slices.DeleteFunc(slices.Clone(g.Alerts), func(a Alert) bool { return !strings.Contains(text, a.Name) })
		if len(g.Records)+len(g.Alerts) > 0 {
			kept = append(kept, g)
		}
	}
	return kept
}

// TestNamed: a test gets what it names, and what that is made of.
func TestNamed(t *testing.T) {
	groups := []Group{
		{Name: "a", Records: []Record{{Name: "l:one:o", Expr: "1"}, {Name: "l:two:o", Expr: "l:one:o"}, {Name: "l:not:o", Expr: "2"}}},
		{Name: "b", Alerts: []Alert{{Name: "Two", Expr: "l:two:o > 1"}, {Name: "Other", Expr: "l:not:o"}}},
	}
	got := named(groups, "name: Two fires")
	if len(got) != 2 || len(got[0].Records) != 2 || len(got[1].Alerts) != 1 || got[1].Alerts[0].Name != "Two" {
		t.Errorf("%+v", got)
	}
}
