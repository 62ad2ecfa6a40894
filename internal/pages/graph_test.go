package pages

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

func TestGraph(t *testing.T) {
	w := newWorld(t, demo())
	p := newPages(t, w.load(70*time.Minute), newAlertmanager(t))
	ask := func(name, expr string) (int, string) {
		r := get(t, p, "/graph?"+url.Values{name: {expr}, "g0.tab": {"1"}}.Encode())
		return r.Code, r.Body.String()
	}
	for _, name := range []string{"expr", "g0.expr"} {
		code, page := ask(name, `sum by (app) (pm2_process_resident_memory_bytes) > 400e6`)
		if code != http.StatusOK || strings.Count(page, `<path class="line`) != 2 {
			t.Errorf("%s: %d, %d lines, want 200 and 2", name, code, strings.Count(page, `<path class="line`))
		}
		wantText(t, page, `{app="shop-api"} 402653184`, `{app="images"} 511705088`)
		if !strings.Contains(page, `sum by (app) (pm2_process_resident_memory_bytes) &gt; 400e6</textarea>`) {
			t.Errorf("%s: the expression is not there to change", name)
		}
	}
	for expr, want := range map[string]string{
		`1 + 1`:                        "Now Series Value 2",
		`"text"`:                       "text",
		`pm2_up`:                       `pm2_up{daemon="deploy", host="web-1", instance="web-1:9209", job="pm2"} 1`,
		`pm2_up[1m]`:                   "samples",
		`pm2_up == 0`:                  "The result is empty",
		`pm2_process_restarts_total>5`: "17",
		// It was in the hour, and is not now.
		`pm2_process_restarts_total{app="mailer"} < 10`: "no value now",
	} {
		code, page := ask("expr", expr)
		if code != http.StatusOK {
			t.Errorf("%s: %d", expr, code)
		}
		wantText(t, page, want)
	}
	wantText(t, get(t, p, "/graph").Body.String(), "For example:")
}

func TestGraphRefuses(t *testing.T) {
	w := newWorld(t)
	p := newPages(t, w, newAlertmanager(t))
	for expr, want := range map[string]string{
		"sum(": "1:5: parse error", "up +": "1:5: parse error", "rate(up)": "expected type range vector",
		strings.Repeat("a", maxExpr+1): "The expression has 8193 bytes, at most 8192 are taken.",
	} {
		r := get(t, p, "/graph?"+url.Values{"expr": {expr}}.Encode())
		if r.Code != http.StatusBadRequest {
			t.Errorf("%.20s: %d, want 400", expr, r.Code)
		}
		wantText(t, r.Body.String(), want)
	}
	for want, err := range map[int]error{
		http.StatusServiceUnavailable:  promql.ErrQueryTimeout("query execution"),
		http.StatusInternalServerError: promql.ErrStorage{Err: errors.New("disk")},
		http.StatusBadRequest:          promql.ErrTooManySamples("query execution"),
	} {
		if got := statusOf(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
	if got := statusOf(context.DeadlineExceeded); got != http.StatusServiceUnavailable {
		t.Errorf("deadline: %d, want 503", got)
	}
}

func TestGraphIsBounded(t *testing.T) {
	h := &fakeHost{name: "big", daemons: []string{"deploy"}}
	var ids []int
	for id := range maxResults + 7 {
		ids = append(ids, id)
	}
	h.apps = []fakeApp{{name: "api", ids: ids, state: "stopped"}}
	p := newPages(t, newWorld(t, h).load(0), newAlertmanager(t))
	page := get(t, p, "/graph?expr=pm2_process_restarts_total").Body.String()
	if got := strings.Count(page, "<tr>"); got < maxResults || got > maxResults+maxLines+1 {
		t.Errorf("%d rows, want about %d", got, maxResults)
	}
	if got := strings.Count(page, `<path class="line`); got != maxLines {
		t.Errorf("%d lines, want %d", got, maxLines)
	}
	wantText(t, page, "7 more are not shown.", "Drawn: the first 20 of 1007 series.")
}

func TestChart(t *testing.T) {
	start := time.UnixMilli(0)
	end := start.Add(120 * time.Minute) // a step is a minute
	points := func(values ...float64) promql.Series {
		s := promql.Series{Metric: labels.FromStrings("a", "b")}
		for i, v := range values {
			if v != -1 {
				s.Floats = append(s.Floats, promql.FPoint{T: int64(i) * 60_000, F: v})
			}
		}
		return s
	}
	c := newChart(promql.Matrix{points(0, 10, -1, 5, math.NaN(), math.Inf(1))}, start, end)
	if want := "M0.0 180.0h0.1L6.0 0.0M18.0 90.0h0.1"; c.Lines[0].Path != want {
		t.Errorf("path = %s, want %s", c.Lines[0].Path, want)
	}
	if c.Top != "10" || c.Half != "5" || c.Bottom != "0" {
		t.Errorf("axis = %s %s %s", c.Top, c.Half, c.Bottom)
	}
	for name, test := range map[string]struct {
		values    []float64
		low, high float64
	}{
		"one value":       {[]float64{7}, 0, 7},
		"zero":            {[]float64{0}, 0, 1},
		"below zero":      {[]float64{-7}, -7, 0},
		"far from zero":   {[]float64{1000, 1010}, 1000, 1010},
		"not so far":      {[]float64{10, 1010}, 0, 1010},
		"larger than all": {[]float64{math.MaxFloat64, 3}, 0, 3},
	} {
		if low, high := scale(promql.Matrix{points(test.values...)}); low != test.low || high != test.high {
			t.Errorf("%s: %v to %v, want %v to %v", name, low, high, test.low, test.high)
		}
	}
	if c := newChart(promql.Matrix{points(math.NaN())}, start, end); c != nil {
		t.Errorf("a chart of nothing: %+v", c)
	}
}

// A server that has just started shows minutes, not an empty hour.
func TestGraphOfAYoungServer(t *testing.T) {
	p := newPages(t, newWorld(t, demo()).load(2*time.Minute), newAlertmanager(t))
	page := get(t, p, "/graph?"+url.Values{"expr": {"pm2_up"}}.Encode()).Body.String()
	wantText(t, page, "The last 5m")
	p = newPages(t, newWorld(t, demo()).load(20*time.Minute), newAlertmanager(t))
	page = get(t, p, "/graph?"+url.Values{"expr": {"pm2_up"}, "lang": {"zh"}}.Encode()).Body.String()
	wantText(t, page, "最近 1小时")
}
