package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// everything is what "All" stands for: also what has no such label.
const everything = ".*"

// variableQueries ask for the values that are there, chained: each offers what the
// ones before it leave. They ask metrics with few series.
// Requests are asked by a count that both kinds of histograms have.
var variableQueries = []struct {
	name  string
	title text
	query string
}{
	{"bucket", text{"Bucket", "分组"}, `label_values(pm2_up, bucket)`},
	{"host", text{"Host", "主机"}, `label_values(pm2_up{bucket=~"$bucket"}, host)`},
	{"pm2_namespace", text{"Namespace", "命名空间"}, `label_values(pm2_process_pid{bucket=~"$bucket", host=~"$host"}, pm2_namespace)`},
	{"app", text{"App", "应用"}, `label_values(pm2_process_pid{bucket=~"$bucket", host=~"$host", pm2_namespace=~"$pm2_namespace"}, app)`},
	{"pm_id", text{"Process", "进程"}, `label_values(pm2_process_pid{@app}, pm_id)`},
	{"route", text{"Route", "路由"}, `label_values(` + routeCount + `{@service}, route)`},
}

// Variables that boards have, by how far they drill down.
var (
	toHosts     = []string{"bucket", "host"}
	toApps      = []string{"bucket", "host", "pm2_namespace", "app"}
	toProcesses = []string{"bucket", "host", "pm2_namespace", "app", "pm_id"}
	toRoute     = []string{"bucket", "pm2_namespace", "app", "route"}
)

// oneOf is what a board is about: there "All" is no choice, but several are. On a
// target without the label host the choice is empty, which matches it.
func oneOf(uid string) string {
	switch uid {
	case hostUID:
		return "host"
	case appUID, processUID:
		return "app"
	}
	return ""
}

// variables makes the two data sources and the named variables. Those that a board
// does not show are there too, hidden: links carry them through it.
func variables(o Options, uid string, visible []string) ([]dashboard.VariableModel, error) {
	out := []dashboard.VariableModel{
		sourceVariable(o, "datasource", "prometheus", text{"Metrics", "指标"}),
		sourceVariable(o, "loki", "loki", text{"Records", "记录"}),
	}
	found := 0
	for _, q := range variableQueries {
		v := dashboard.VariableModel{
			Type: dashboard.VariableTypeQuery, Name: q.name, Label: ptr(q.title.in(o.Language)), Hide: ptr(dashboard.VariableHideHideVariable),
			Query: &dashboard.StringOrMap{String: ptr(o.expand(q.query))}, Definition: ptr(o.expand(q.query)), Datasource: prometheusSource,
			Multi: ptr(true), IncludeAll: ptr(true), AllValue: ptr(everything), AllowCustomValue: ptr(true), SkipUrlSync: ptr(false),
			Refresh: ptr(dashboard.VariableRefreshOnTimeRangeChanged), Sort: ptr(dashboard.VariableSortNaturalAsc), Options: []dashboard.VariableOption{},
			Current: &dashboard.VariableOption{Selected: ptr(true), Text: many("All"), Value: many("$__all")},
		}
		if q.name == oneOf(uid) {
			v.IncludeAll, v.AllValue, v.Current = ptr(false), nil, nil
		}
		for _, name := range visible {
			if name == q.name {
				v.Hide = ptr(dashboard.VariableHideDontHide)
				found++
			}
		}
		out = append(out, v)
	}
	if found != len(visible) {
		return nil, fmt.Errorf("variables %v: not all are known", visible)
	}
	return out, nil
}

func many(s string) dashboard.StringOrArrayOfString {
	return dashboard.StringOrArrayOfString{ArrayOfString: []string{s}}
}

func sourceVariable(o Options, name, kind string, title text) dashboard.VariableModel {
	return dashboard.VariableModel{
		Type: dashboard.VariableTypeDatasource, Name: name, Label: ptr(title.in(o.Language)), Query: &dashboard.StringOrMap{String: &kind},
		Hide: ptr(dashboard.VariableHideDontHide), Refresh: ptr(dashboard.VariableRefreshOnDashboardLoad), Regex: ptr(""), Multi: ptr(false), IncludeAll: ptr(false),
		Options: []dashboard.VariableOption{}, SkipUrlSync: ptr(false),
	}
}
