package dashboards

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"

	"github.com/pm25/pm25/rules"
)

var register = sync.OnceFunc(plugins.RegisterDefaultPlugins)

func english() Options { return For(rules.Default()) }

func chinese() Options {
	o := english()
	o.Language = rules.Chinese
	return o
}

// read builds all boards and reads their JSON back with the SDK's types.
func read(t testing.TB, o Options) []dashboard.Dashboard {
	t.Helper()
	register()
	all, err := All(o)
	if err != nil {
		t.Fatal(err)
	}
	var out []dashboard.Dashboard
	for _, b := range all {
		text, err := b.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard.Dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", b.UID, err)
		}
		out = append(out, d)
	}
	return out
}

// panelsOf lists all panels of a board, also those in collapsed rows.
func panelsOf(d dashboard.Dashboard) (all []dashboard.Panel) {
	for _, p := range d.Panels {
		switch {
		case p.Panel != nil:
			all = append(all, *p.Panel)
		case p.RowPanel != nil:
			all = append(all, p.RowPanel.Panels...)
		}
	}
	return all
}

// A query is one of a panel, an annotation or a variable.
type query struct {
	board, panel string
	kind         kind
	ref, expr    string
	loki         bool
	instant      bool
	exemplars    bool
}

func (q query) String() string { return q.board + " / " + q.panel + " / " + q.ref }

func queriesOf(t testing.TB, d dashboard.Dashboard) (all []query) {
	t.Helper()
	for _, p := range panelsOf(d) {
		for _, target := range p.Targets {
			all = append(all, queryOf(t, *d.Uid, *p.Title, kind(p.Type), target))
		}
	}
	for _, a := range d.Annotations.List {
		q := queryOf(t, *d.Uid, "annotation "+a.Name, "annotation", a.Target)
		all = append(all, q)
	}
	for _, v := range d.Templating.List {
		if v.Type != dashboard.VariableTypeQuery {
			continue
		}
		inner, ok := strings.CutPrefix(*v.Query.String, "label_values(")
		i := strings.LastIndex(inner, ", ")
		if !ok || i < 0 {
			t.Fatalf("%s: variable %s: %s", *d.Uid, v.Name, *v.Query.String)
		}
		all = append(all, query{board: *d.Uid, panel: "variable " + v.Name, kind: "variable", ref: strings.TrimSuffix(inner[i+2:], ")"), expr: inner[:i], instant: true})
	}
	return all
}

func queryOf(t testing.TB, board, panel string, k kind, target any) query {
	t.Helper()
	q := query{board: board, panel: panel, kind: k}
	switch target := target.(type) {
	case *prometheus.Dataquery:
		q.expr, q.ref, q.instant = target.Expr, *target.RefId, target.Instant != nil && *target.Instant
		q.exemplars = target.Exemplar != nil && *target.Exemplar
	case *loki.Dataquery:
		q.expr, q.ref, q.loki, q.instant = target.Expr, *target.RefId, true, *target.QueryType == "instant"
	default:
		t.Fatalf("%s / %s: a query of type %T", board, panel, target)
	}
	return q
}

// chosen is what stands for Grafana's variables.
type chosen map[string]string

// of is what is chosen on a board when somebody opens it.
func of(board string, w *world) chosen {
	c := all()
	c["__rate_interval"] = (4 * w.size.pace).String()
	c["__interval"] = c["__rate_interval"]
	switch oneOf(board) {
	case "app":
		c["app"] = "(shop-api|payments|reports)" // as Grafana writes several
	case "host":
		c["host"] = "web-01"
		if !w.size.labeled {
			c["host"] = "" // it has no values to choose
		}
	}
	return c
}

func all() chosen {
	return chosen{
		"bucket": everything, "host": everything, "pm2_namespace": everything, "app": everything, "pm_id": everything, "route": everything,
		"__rate_interval": "2m", "__interval": "2m", "__range": "1h", "__auto": "1m", "__from": "0",
	}
}

// in puts the variables into a query; what is not chosen stays.
func (c chosen) in(expr string) string {
	var pairs []string
	for name, value := range c {
		pairs = append(pairs, "$"+name, value)
	}
	// Longer names first: $__range is the begin of nothing, but $app is of $app_id.
	return strings.NewReplacer(sortedPairs(pairs)...).Replace(expr)
}

func sortedPairs(pairs []string) []string {
	for i := 0; i < len(pairs); i += 2 {
		for j := i + 2; j < len(pairs); j += 2 {
			if len(pairs[j]) > len(pairs[i]) {
				pairs[i], pairs[j], pairs[i+1], pairs[j+1] = pairs[j], pairs[i], pairs[j+1], pairs[i+1]
			}
		}
	}
	return pairs
}
