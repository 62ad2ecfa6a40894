package dashboards

import (
	"slices"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// annotation marks when something happened, across all graphs of a board.
type annotation struct {
	key           string
	name          text
	expr          string
	title, detail string
	color         string
	loki          bool
	asTime        bool // the value is when it happened, in milliseconds
}

// knownAnnotations name apps, not processes: one mark for a deploy on 500 hosts.
// Those whose value is a time leave out what is before the time range.
var knownAnnotations = []annotation{
	{
		key: "deploys", name: text{"Deploys", "发布"}, color: blue, asTime: true,
		expr:  `max by (pm2_namespace, app) (pm2_app_deploy_timestamp_seconds{@app} * 1000) >= $__from`,
		title: "{{app}}", detail: "deploy",
	},
	{
		key: "restarts", name: text{"Restarts", "重启"}, color: purple, asTime: true,
		expr:  `max by (pm2_namespace, app) (pm2_process_start_time_seconds{@process} * 1000) >= $__from`,
		title: "{{app}}", detail: "start",
	},
	{
		key: "crashes", name: text{"Crashes", "崩溃"}, color: red,
		// Two minutes: annotations are asked for in steps of one, and know no $__rate_interval.
		expr:  `sum by (pm2_namespace, app) (increase(pm2_app_exits_total{@app, @unwanted}[2m])) > 0`,
		title: "{{app}}", detail: "crash",
	},
	{
		key: "alerts", name: text{"Firing alerts", "触发的告警"}, color: orange,
		asTime: true, // when it began: what fires for hours would lie over all graphs
		expr: `
max by (alertname, severity, pm2_namespace, app) (
  1000 * ALERTS_FOR_STATE{severity=~"critical|warning", @app}
  and ignoring (alertstate)
  ALERTS{alertstate="firing", severity=~"critical|warning", @app}
) >= $__from`,
		title: "{{alertname}}", detail: "{{severity}} {{app}}",
	},
	{
		key: "groups", name: text{"Exception groups", "异常分组"}, color: "#b877d9", loki: true,
		expr: `{kind="group", @service}`, title: "{{app}}", // the line says the rest
	},
}

// Annotations of boards about many apps, and about some.
var (
	marksOfMany    = []string{"deploys", "alerts", "groups"}
	marksOfService = []string{"deploys", "crashes", "alerts", "groups"} // whose crashes are restarts
	marksOfApp     = []string{"deploys", "restarts", "crashes", "alerts", "groups"}
)

func annotationsOf(o Options, keys []string) []dashboard.AnnotationQuery {
	var out []dashboard.AnnotationQuery
	for _, a := range knownAnnotations {
		if slices.Contains(keys, a.key) {
			out = append(out, a.build(o))
		}
	}
	return out
}

func (a annotation) build(o Options) dashboard.AnnotationQuery {
	out := dashboard.AnnotationQuery{
		Name: a.name.in(o.Language), Datasource: prometheusSource, Enable: true, Hide: ptr(false), IconColor: a.color, Expr: ptr(o.expand(a.expr)),
		TitleFormat: &a.title, TextFormat: &a.detail, TagKeys: ptr("pm2_namespace,app"),
		Target: prometheus.Dataquery{Expr: o.expand(a.expr), RefId: ptr("Anno"), Range: ptr(true), Instant: ptr(false), EditorMode: ptr(prometheus.QueryEditorModeCode)},
	}
	if a.asTime {
		out.UseValueForTime = ptr(true)
	}
	if a.loki {
		out.Datasource = lokiSource
		out.Target = loki.Dataquery{Expr: o.expand(a.expr), RefId: ptr("Anno"), MaxLines: ptr(int64(maxLines)), QueryType: ptr(string(loki.LokiQueryTypeRange)), EditorMode: ptr(loki.QueryEditorModeCode)}
	}
	return out
}
