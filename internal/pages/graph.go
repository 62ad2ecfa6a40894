package pages

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

const (
	maxExpr      = 8 << 10
	maxResults   = 1000
	graphTimeout = 30 * time.Second
)

// graphView is the result of an expression.
type graphView struct {
	Expr     string
	Problem  string
	Asked    bool
	Examples []string
	Results  []resultView
	More     int
	Chart    *chart
	Over     string // the time that it shows
	Drawn    string // how many of the series are, if not all
}

// resultView is one line of the result; Color is that of its line in the chart,
// from 1 on.
type resultView struct {
	Series, Value string
	Color         int
}

// examples are for those who open the page without an expression.
var examples = []string{
	"topk(10, pm2_process_resident_memory_bytes)",
	"sum by (host, app) (rate(pm2_process_cpu_seconds_total[1m]))",
	"sum by (host, app, reason) (increase(pm2_app_exits_total[1h])) > 0",
}

// spans are what a chart may show.
var spans = []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour}

// graph answers the links that Prometheus puts into alerts.
func (p *Pages) graph(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	v := graphView{Expr: q.Get("expr")}
	if v.Expr == "" {
		v.Expr = q.Get("g0.expr")
	}
	if strings.TrimSpace(v.Expr) == "" {
		v.Examples = examples
		p.show(w, r, http.StatusOK, "graph", v)
		return
	}
	v.Asked = true
	code := http.StatusOK
	lang := chooseLanguage(w, r)
	if len(v.Expr) > maxExpr {
		v.Problem, code = lang.T("graph.long", len(v.Expr), maxExpr), http.StatusBadRequest
	} else if err := p.evaluate(r.Context(), lang, &v); err != nil {
		v.Problem, code = err.Error(), statusOf(err)
	}
	p.show(w, r, code, "graph", v)
}

// statusOf tells what the reader can mend from what only time can.
func statusOf(err error) int {
	var timeout promql.ErrQueryTimeout
	var canceled promql.ErrQueryCanceled
	var storage promql.ErrStorage
	switch {
	case errors.As(err, &timeout), errors.As(err, &canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable
	case errors.As(err, &storage):
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

func (p *Pages) evaluate(ctx context.Context, lang language, v *graphView) error {
	ctx, cancel := context.WithTimeout(ctx, graphTimeout)
	defer cancel()
	now := p.opts.Now()
	value, err := p.opts.Metrics.Query(ctx, v.Expr, now)
	if err != nil {
		return err
	}
	v.addResults(lang, value)
	if t := value.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return nil // there is no range of it
	}
	over, span, err := p.overTime(ctx, v.Expr, now)
	if err != nil {
		return err
	}
	v.Over = lang.T("graph.over", lang.Duration(span))
	v.addChart(lang, over, now.Add(-span), now)
	return nil
}

// overTime evaluates an expression over the last hour, or over less where there
// was nothing before.
func (p *Pages) overTime(ctx context.Context, expr string, now time.Time) (promql.Matrix, time.Duration, error) {
	ask := func(span time.Duration) (promql.Matrix, error) {
		value, err := p.opts.Metrics.QueryRange(ctx, expr, now.Add(-span), now, span/chartPoints)
		m, _ := value.(promql.Matrix)
		return m, err
	}
	hour := spans[len(spans)-1]
	m, err := ask(hour)
	if err != nil {
		return nil, hour, err
	}
	age := time.Duration(0)
	for _, s := range m {
		if len(s.Floats) > 0 {
			age = max(age, now.Sub(time.UnixMilli(s.Floats[0].T)))
		}
	}
	for _, span := range spans {
		if age > 0 && age <= span-span/chartPoints && span < hour {
			m, err = ask(span)
			return m, span, err
		}
	}
	return m, hour, nil
}

func (v *graphView) addResults(lang language, value parser.Value) {
	add := func(series, text string) {
		if len(v.Results) == maxResults {
			v.More++
			return
		}
		v.Results = append(v.Results, resultView{Series: series, Value: text})
	}
	switch x := value.(type) {
	case promql.Vector:
		for _, s := range x {
			if s.H != nil {
				add(seriesText(s.Metric), s.H.String())
			} else {
				add(seriesText(s.Metric), figure(s.F))
			}
		}
	case promql.Scalar:
		add("", figure(x.V))
	case promql.String:
		add("", x.V)
	case promql.Matrix:
		for _, s := range x {
			add(seriesText(s.Metric), lang.T("graph.samples", len(s.Floats)+len(s.Histograms)))
		}
	}
}

// addChart draws the hour and gives the lines of the table their colors.
func (v *graphView) addChart(lang language, m promql.Matrix, start, end time.Time) {
	v.Chart = newChart(m, start, end)
	if v.Chart == nil {
		return
	}
	if len(m) > len(v.Chart.Lines) {
		v.Drawn = lang.T("graph.lines", len(v.Chart.Lines), len(m))
	}
	row := map[string]int{}
	for i, r := range v.Results {
		row[r.Series] = i
	}
	scalar := len(v.Results) == 1 && v.Results[0].Series == ""
	for _, line := range v.Chart.Lines {
		i, ok := row[line.Series]
		switch {
		case ok:
			v.Results[i].Color = line.Color
		case scalar:
			v.Results[0].Color = line.Color
		default: // it had a value in the hour, and has none now
			v.Results = append(v.Results, resultView{Series: line.Series, Value: lang.T("graph.nothing"), Color: line.Color})
		}
	}
}
