package promtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// API reads from a Prometheus.
type API struct {
	URL    string // what comes before /api/v1
	Client *http.Client
}

// Series is one series of an answer; an instant vector has one Sample each.
type Series struct {
	Labels  map[string]string
	Samples []Sample
}

// Sample is one value.
type Sample struct {
	At    time.Time
	Value float64
}

// Query evaluates an expression at a time. A range selector, such as
// up[5m], gives the raw samples as they were ingested, staleness marks left
// out.
func (a API) Query(ctx context.Context, expr string, at time.Time) ([]Series, error) {
	return a.query(ctx, "/api/v1/query", url.Values{"query": {expr}, "time": {unix(at)}})
}

// QueryRange evaluates an expression at each step from start to end.
func (a API) QueryRange(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]Series, error) {
	return a.query(ctx, "/api/v1/query_range", url.Values{
		"query": {expr}, "start": {unix(start)}, "end": {unix(end)}, "step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	})
}

// Types returns the type of each metric of a job's targets, as Prometheus
// took it from the exposition.
func (a API) Types(ctx context.Context, job string) (map[string]string, error) {
	var data []struct{ Metric, Type string }
	err := a.get(ctx, "/api/v1/targets/metadata", url.Values{"match_target": {fmt.Sprintf("{job=%q}", job)}}, &data)
	types := make(map[string]string, len(data))
	for _, m := range data {
		types[m.Metric] = m.Type
	}
	return types, err
}

func unix(at time.Time) string {
	return strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)
}

func (a API) query(ctx context.Context, path string, args url.Values) ([]Series, error) {
	var data struct {
		ResultType string
		Result     []struct {
			Metric map[string]string
			Value  *point
			Values []point
		}
	}
	if err := a.get(ctx, path, args, &data); err != nil {
		return nil, err
	}
	if data.ResultType != "vector" && data.ResultType != "matrix" {
		return nil, fmt.Errorf("%s: the result is a %s, not series", args.Get("query"), data.ResultType)
	}
	series := make([]Series, len(data.Result))
	for i, r := range data.Result {
		series[i].Labels = r.Metric
		if r.Value != nil {
			r.Values = []point{*r.Value}
		}
		for _, p := range r.Values {
			series[i].Samples = append(series[i].Samples, Sample(p))
		}
	}
	return series, nil
}

// point is [seconds, "value"].
type point Sample

func (p *point) UnmarshalJSON(b []byte) error {
	var pair [2]json.RawMessage
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	seconds, err := strconv.ParseFloat(string(pair[0]), 64)
	value, err2 := strconv.ParseFloat(strings.Trim(string(pair[1]), `"`), 64)
	p.At, p.Value = time.UnixMilli(int64(seconds*1000+0.5)), value
	return errors.Join(err, err2)
}

func (a API) get(ctx context.Context, path string, args url.Values, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+path+"?"+args.Encode(), nil)
	if err != nil {
		return err
	}
	res, err := a.Client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return fmt.Errorf("answer of Prometheus, %s: %w", res.Status, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("answer of Prometheus, %s: %s", res.Status, answer.Error)
	}
	return json.Unmarshal(answer.Data, into)
}
