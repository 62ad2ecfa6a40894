package dashboards

import (
	"errors"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// maxLines is how many records a panel of them shows.
const maxLines = 200

func (p panel) queries(o Options) ([]variants.Dataquery, error) {
	var out []variants.Dataquery
	for i, t := range p.targets {
		if t.loki != p.targets[0].loki {
			return nil, errors.New("queries of Prometheus and of Loki in one panel")
		}
		if t.ref == "" {
			t.ref = string(rune('A' + i))
		}
		if p.kind == table || p.kind == bars || p.kind == stat && !p.spark {
			t.instant = true
		}
		if p.columns { // each counts what no other does, so that they add up
			t.expr = strings.ReplaceAll(t.expr, "$__rate_interval", "$__interval")
		}
		if t.loki {
			out = append(out, t.ofLoki(o, p.kind))
			continue
		}
		out = append(out, t.ofPrometheus(o, p.kind))
	}
	return out, nil
}

func (t target) ofPrometheus(o Options, k kind) *prometheus.Dataquery {
	format := prometheus.PromQueryFormatTimeSeries
	switch {
	case k == table:
		format = prometheus.PromQueryFormatTable
	case t.heat:
		format = prometheus.PromQueryFormatHeatmap
	}
	var exemplar *bool
	if t.exemplars {
		exemplar = ptr(true)
	}
	return &prometheus.Dataquery{
		Datasource: prometheusSource, EditorMode: ptr(prometheus.QueryEditorModeCode), Expr: o.expand(t.expr), Format: &format,
		Instant: ptr(t.instant), Range: ptr(!t.instant), RefId: &t.ref, LegendFormat: &t.legend, Exemplar: exemplar,
	}
}

func (t target) ofLoki(o Options, k kind) *loki.Dataquery {
	kindOf := loki.LokiQueryTypeRange
	if t.instant {
		kindOf = loki.LokiQueryTypeInstant
	}
	q := &loki.Dataquery{
		Datasource: lokiSource, EditorMode: ptr(loki.QueryEditorModeCode), Expr: o.expand(t.expr), RefId: &t.ref,
		QueryType: ptr(string(kindOf)), LegendFormat: &t.legend,
	}
	if k == lines {
		q.MaxLines, q.Direction = ptr(int64(maxLines)), ptr(loki.LokiQueryDirectionBackward)
	}
	return q
}
