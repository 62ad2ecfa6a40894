package logql_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/logql"
	"github.com/pm25/pm25/internal/lokiapi/sourcetest"
	"github.com/pm25/pm25/internal/record"
)

// A fact is a record as the naive evaluation sees it.
type fact struct {
	at    int64
	app   string
	value float64
	line  string
}

const origin = int64(1_700_000_000_000_000_000)

// randomFacts has records on the boundaries of windows, beside them, and many at
// the same nanosecond.
func randomFacts(rng *rand.Rand, n int, step time.Duration) ([]fact, *sourcetest.Memory) {
	source := sourcetest.New()
	facts := make([]fact, 0, n)
	for range n {
		at := origin + int64(rng.IntN(40))*int64(step)/4 + int64(rng.IntN(3)-1)
		f := fact{at, string(rune('a' + rng.IntN(3))), float64(rng.IntN(2000))/8 - 50, strings.Repeat("x", rng.IntN(20))}
		facts = append(facts, f)
		source.Add(labels.FromStrings("app", f.app, "bucket", "b"), f.at, f.line, record.Pair{Name: "v", Value: strconv.FormatFloat(f.value, 'g', -1, 64)})
	}
	slices.SortStableFunc(facts, func(a, b fact) int { return int(a.at - b.at) })
	return facts, source
}

// naive is what an aggregation makes of the facts of a window, in order of time.
func naive(op string, in []fact, window time.Duration) float64 {
	var sum, bytes float64
	values := make([]float64, len(in))
	for i, f := range in {
		sum += f.value
		bytes += float64(len(f.line))
		values[i] = f.value
	}
	n := float64(len(in))
	variance := 0.0
	for _, v := range values {
		variance += (v - sum/n) * (v - sum/n) / n
	}
	switch op {
	case "count_over_time":
		return n
	case "rate":
		return n / window.Seconds()
	case "bytes_over_time":
		return bytes
	case "bytes_rate":
		return bytes / window.Seconds()
	case "sum_over_time":
		return sum
	case "avg_over_time":
		return sum / n
	case "min_over_time":
		return slices.Min(values)
	case "max_over_time":
		return slices.Max(values)
	case "stddev_over_time":
		return math.Sqrt(variance)
	case "stdvar_over_time":
		return variance
	case "first_over_time":
		return values[0]
	case "last_over_time":
		return values[len(values)-1]
	}
	slices.Sort(values) // quantile 0.5
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func TestRangeAggregationsAreThoseOfANaiveEvaluation(t *testing.T) {
	ops := []string{
		"count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time", "avg_over_time", "min_over_time", "max_over_time",
		"stddev_over_time", "stdvar_over_time", "first_over_time", "last_over_time", "quantile_over_time",
	}
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 25))
		step := []time.Duration{time.Second, 10 * time.Second, 7 * time.Millisecond}[rng.IntN(3)]
		facts, source := randomFacts(rng, rng.IntN(120), step)
		window := step * time.Duration(1+rng.IntN(9)) / 4
		offset := step * time.Duration(rng.IntN(9)-4) / 4
		op := ops[rng.IntN(len(ops))]
		grouped := rng.IntN(2) == 0
		query := naiveQuery(op, window, offset, grouped)
		t.Run(fmt.Sprintf("%d %s every %s", seed, query, step), func(t *testing.T) {
			expr, err := logql.Parse(query)
			if err != nil {
				t.Fatal(err)
			}
			end := origin + 10*int64(step)
			result, err := newEngine(t, source).Range(context.Background(), expr, logql.Params{Start: origin, End: end, Step: step})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]float64{}
			for _, s := range result.Series {
				for _, p := range s.Points {
					got[fmt.Sprint(s.Labels.Get("app"), p.At-origin)] = p.Value
				}
			}
			compareNaive(t, got, facts, op, window, offset, step)
		})
	}
}

// naiveQuery groups by app, in one of the ways there are.
func naiveQuery(op string, window, offset time.Duration, grouped bool) string {
	selector := fmt.Sprintf(`{bucket="b"} | unwrap v [%s] offset %s`, window, offset)
	switch op {
	case "count_over_time", "rate", "bytes_over_time", "bytes_rate":
		selector = fmt.Sprintf(`{bucket="b"}[%s] offset %s`, window, offset)
		if grouped {
			selector = fmt.Sprintf(`{bucket="b"} |~ "x*" | v != "none" [%s] offset %s`, window, offset)
		}
		return fmt.Sprintf("sum by (app) (%s(%s))", op, selector)
	case "sum_over_time":
		return fmt.Sprintf("sum without (bucket) (%s(%s))", op, selector)
	case "quantile_over_time":
		return fmt.Sprintf("%s(0.5, %s) by (app)", op, selector)
	}
	if grouped {
		return fmt.Sprintf("max by (app) (%s(%s) without (bucket))", op, selector) // through Prometheus' engine
	}
	return fmt.Sprintf("%s(%s) by (app)", op, selector)
}

func compareNaive(t *testing.T, got map[string]float64, facts []fact, op string, window, offset, step time.Duration) {
	t.Helper()
	for k := range 11 {
		at := int64(k) * int64(step)
		for _, app := range []string{"a", "b", "c"} {
			var in []fact
			for _, f := range facts {
				behind := origin + at - int64(offset) - f.at
				if f.app == app && behind >= 0 && behind < int64(window) {
					in = append(in, f)
				}
			}
			key := fmt.Sprint(app, at)
			value, there := got[key]
			delete(got, key)
			if there != (len(in) > 0) {
				t.Errorf("%s at %s: there is a sample: %t, there are %d records", app, time.Duration(at), there, len(in))
				continue
			}
			if want := 0.0; there {
				if want = naive(op, in, window); math.Abs(value-want) > 1e-9*max(1, math.Abs(want)) {
					t.Errorf("%s at %s: %g, want %g", app, time.Duration(at), value, want)
				}
			}
		}
	}
	if len(got) > 0 {
		t.Errorf("samples that should not be: %v", got)
	}
}

func newEngine(t *testing.T, source logql.Source, limits ...logql.Limits) *logql.Engine {
	t.Helper()
	o := logql.Options{Source: source, StreamLabels: []string{"app", "bucket"}}
	if len(limits) > 0 {
		o.Limits = limits[0]
	}
	e, err := logql.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestLimitsAreNamed(t *testing.T) {
	_, source := randomFacts(rand.New(rand.NewPCG(1, 2)), 100, time.Second)
	for _, test := range []struct {
		query  string
		limits logql.Limits
		want   string
	}{
		{`{bucket="b"}`, logql.Limits{MaxEntries: 10}, "max_entries"},
		{`sum(count_over_time({bucket="b"}[1h]))`, logql.Limits{MaxEntries: 10}, "max_entries"},
		{`{bucket="b"}`, logql.Limits{MaxBytes: 10}, "max_bytes"},
		{`{bucket="b"}`, logql.Limits{MaxResult: 10}, "max_result"},
		{`count_over_time({bucket="b"}[1h])`, logql.Limits{MaxSeries: 3}, "maximum number of series (3)"},
		{`max by (v) (count_over_time({bucket="b"}[1h]))`, logql.Limits{MaxSeries: 3}, "maximum number of series (3)"},
		{`quantile_over_time(0.5, {bucket="b"} | unwrap v [1h]) by (app)`, logql.Limits{MaxPoints: 10}, "max_points"},
		{`sum by (v) (count_over_time({bucket="b"}[1h]))`, logql.Limits{MaxPoints: 10}, "max_points"},
		{`sum(count_over_time({bucket="b"}[31d]))`, logql.Limits{}, "limit: 721h"},
	} {
		expr, err := logql.Parse(test.query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = newEngine(t, source, test.limits).Range(context.Background(), expr, logql.Params{Start: origin, End: origin + 1e10, Step: time.Second, Limit: 1000})
		var limit *logql.LimitError
		if !errors.As(err, &limit) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.query, err, test.want)
		}
	}
}

func TestACancelledQueryEnds(t *testing.T) {
	_, source := randomFacts(rand.New(rand.NewPCG(1, 2)), 100, time.Second)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, query := range []string{`{bucket="b"}`, `sum(rate({bucket="b"}[1h])) / vector(2)`} {
		expr, _ := logql.Parse(query)
		_, err := newEngine(t, source).Range(ctx, expr, logql.Params{Start: origin, End: origin + 1e10, Step: time.Second, Limit: 1000})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// FuzzPipeline: no line and no template makes a pipeline panic, or makes much of
// little.
func FuzzPipeline(f *testing.F) {
	for _, line := range []string{`{"a":{"b":[1,{"c":2}]},"d":null}`, `a=1 b="x\"y" =c d`, `{"a":`, "", "\xff{", `"`, `[[[[`, "a=1\x00\x10 b"} {
		f.Add(line, `{{ .a | repeat 3 }}`, `a.b[0]["c"]`)
	}
	f.Add(`a`, `{{ range 10000000 }}{{ . }}{{ end }}`, `x`)
	f.Add(`a`, `{{ printf "%99999d" 1 }}{{ alignLeft 99999999 .a }}{{ substr 3 1 "äb" }}`, `x`)
	f.Fuzz(func(t *testing.T, line, template, path string) {
		for _, stages := range []string{
			"| json | logfmt", "| logfmt --strict --keep-empty", "| json x=" + strconv.Quote(path), "| logfmt x=" + strconv.Quote(path),
			"| line_format " + strconv.Quote(template), "| json | label_format y=" + strconv.Quote(template) + " | drop x | keep y",
			"| json | a > 5 or a > 5s or a > 5KB",
		} {
			expr, err := logql.Parse(`{bucket="b"} ` + stages)
			if err != nil {
				continue
			}
			source := sourcetest.New()
			source.Add(labels.FromStrings("bucket", "b"), 1, line)
			result, err := newEngine(t, source).Range(context.Background(), expr, logql.Params{End: 2, Limit: 1, Step: 1})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range result.Streams {
				if n := len(s.Entries[0].Line); n > max(len(line), 64<<10) {
					t.Fatalf("a line of %d bytes", n)
				}
			}
		}
	})
}
