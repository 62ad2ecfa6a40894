package dashboards

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// An answer is what a panel gets: how many series or lines, and how many of their
// values are numbers.
type answer struct {
	series, values int
	histograms     int // of values
	took           time.Duration
	names          []string // of a few series
	last           map[string]float64
}

// ask runs a query as Grafana does.
func (w *world) ask(t testing.TB, q query, c chosen) answer {
	t.Helper()
	expr := c.in(q.expr)
	begin := time.Now()
	var a answer
	var err error
	switch {
	case q.exemplars:
		a, err = w.askExemplars(expr)
	case q.loki:
		a, err = w.askRecords(expr, q.instant)
	default:
		a, err = w.askMetrics(expr, q.instant)
	}
	if err != nil {
		t.Errorf("%s: %v in\n%s", q, err, expr)
	}
	a.took = time.Since(begin)
	return a
}

// askExemplars asks for those of all series that a query selects, and for the query
// itself, which has to draw no line.
func (w *world) askExemplars(expr string) (a answer, err error) {
	if lines, err := w.askMetrics(expr, false); err != nil || lines.series > 0 {
		return a, fmt.Errorf("%d lines beside exemplars: %w", lines.series, err)
	}
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return a, err
	}
	q, err := w.db.ExemplarQuerier(context.Background())
	if err != nil {
		return a, err
	}
	all, err := q.Select(w.start.UnixMilli(), w.end.UnixMilli(), parser.ExtractSelectors(e)...)
	if err != nil {
		return a, err
	}
	a.series = 1 // points of one color
	for _, s := range all {
		for _, one := range s.Exemplars {
			if one.Labels.Get("record_id") != "" {
				a.value(one.Value, s.SeriesLabels.String())
			}
		}
	}
	return a, nil
}

// graphStep is of graphs: a screen's width of an hour.
const graphStep = 30 * time.Second

func (w *world) askMetrics(expr string, instant bool) (a answer, err error) {
	ctx := context.Background()
	var q promql.Query
	if instant {
		q, err = w.engine.NewInstantQuery(ctx, w.db, nil, expr, w.end)
	} else {
		q, err = w.engine.NewRangeQuery(ctx, w.db, nil, expr, w.start, w.end, graphStep)
	}
	if err != nil {
		return a, err
	}
	defer q.Close()
	result := q.Exec(ctx)
	if result.Err != nil {
		return a, result.Err
	}
	switch v := result.Value.(type) {
	case promql.Vector:
		a.series = len(v)
		for _, s := range v {
			a.sample(s.F, s.H, s.Metric.String())
		}
	case promql.Matrix:
		a.series = len(v)
		for _, s := range v {
			for _, p := range s.Floats {
				a.value(p.F, s.Metric.String())
			}
			for _, p := range s.Histograms {
				a.sample(0, p.H, s.Metric.String())
			}
		}
	case promql.Scalar:
		a.series, a.values = 1, 1
	default:
		return a, fmt.Errorf("a %T", v)
	}
	return a, nil
}

// sample is a number or a histogram, which shows something if it counts anything.
func (a *answer) sample(v float64, h *histogram.FloatHistogram, name string) {
	switch {
	case h == nil:
		a.value(v, name)
	case h.Count > 0:
		a.histograms++
		a.value(h.Count, name)
	}
}

func (a *answer) value(v float64, name string) {
	if math.IsNaN(v) {
		return
	}
	a.values++
	if a.last == nil {
		a.last = map[string]float64{}
	}
	a.last[name] = v
	if len(a.names) < 3 && (len(a.names) == 0 || a.names[len(a.names)-1] != name) {
		a.names = append(a.names, name)
	}
}

func (w *world) askRecords(expr string, instant bool) (a answer, err error) {
	p := url.Values{"query": {expr}, "limit": {strconv.Itoa(maxLines)}}
	path := "query_range"
	if instant {
		path = "query"
		p.Set("time", strconv.FormatInt(w.end.UnixNano(), 10))
	} else {
		p.Set("start", strconv.FormatInt(w.start.UnixNano(), 10))
		p.Set("end", strconv.FormatInt(w.end.UnixNano(), 10))
		p.Set("step", "60")
	}
	r := httptest.NewRecorder()
	w.records.ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/loki/api/v1/"+path+"?"+p.Encode(), nil))
	if r.Code != http.StatusOK {
		return a, fmt.Errorf("%d: %s", r.Code, r.Body)
	}
	var body struct {
		Data struct {
			ResultType string `json:"resultType"`
			Result     []struct {
				Metric map[string]string `json:"metric"`
				Stream map[string]string `json:"stream"`
				Value  []any             `json:"value"`
				Values [][]any           `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(r.Body.Bytes(), &body); err != nil {
		return a, err
	}
	for _, s := range body.Data.Result {
		a.series++
		a.values += len(s.Values)
		if s.Value != nil {
			a.values++
		}
		if len(a.names) < 3 {
			a.names = append(a.names, fmt.Sprint(s.Metric, s.Stream))
		}
	}
	if body.Data.ResultType == "streams" {
		a.series = 1 // one panel of lines
	}
	return a, nil
}
