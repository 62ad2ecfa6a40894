package logql

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// matrix answers a metric query for all steps.
func (q *query) matrix(e Expr) (*Result, error) {
	if isScalar(e) {
		return &Result{Type: Matrix, Series: q.unstep([]stepped{q.constant(fold(e))})}, nil
	}
	if r, outer, ok := pushedDown(e); ok {
		series, err := q.rangeAggregation(r, outer)
		if err != nil {
			return nil, err
		}
		return q.limitSeries(&Result{Type: Matrix, Series: q.unstep(series)})
	}
	text, leaves, err := q.translate(e)
	if err != nil {
		return nil, err
	}
	run, err := q.prom.NewRangeQuery(q.ctx, leaves, lookback, text, stepTime(0), stepTime(q.steps.count-1), time.Millisecond)
	if err != nil {
		return nil, q.promError(err)
	}
	defer run.Close()
	result := run.Exec(q.ctx)
	matrix, err := result.Matrix()
	if err != nil {
		return nil, q.promError(err)
	}
	out := &Result{Type: Matrix, Series: make([]Series, 0, len(matrix))}
	for _, s := range matrix {
		points := make([]Point, len(s.Floats))
		for i, p := range s.Floats {
			points[i] = Point{q.steps.at(int(p.T)), p.F}
		}
		out.Series = append(out.Series, Series{s.Metric, points})
	}
	slices.SortFunc(out.Series, bySeriesLabels)
	return q.limitSeries(out)
}

func bySeriesLabels(a, b Series) int { return labels.Compare(a.Labels, b.Labels) }

// vector answers a metric query for one step.
func (q *query) vector(e Expr) (*Result, error) {
	if isScalar(e) {
		return &Result{Type: Scalar, Series: q.unstep([]stepped{q.constant(fold(e))})}, nil
	}
	if r, outer, ok := pushedDown(e); ok {
		series, err := q.rangeAggregation(r, outer)
		if err != nil {
			return nil, err
		}
		return q.limitSeries(&Result{Type: Vector, Series: q.unstep(series)})
	}
	text, leaves, err := q.translate(e)
	if err != nil {
		return nil, err
	}
	run, err := q.prom.NewInstantQuery(q.ctx, leaves, lookback, text, stepTime(0))
	if err != nil {
		return nil, q.promError(err)
	}
	defer run.Close()
	vector, err := run.Exec(q.ctx).Vector()
	if err != nil {
		return nil, q.promError(err)
	}
	out := &Result{Type: Vector, Series: make([]Series, 0, len(vector))}
	for _, s := range vector {
		out.Series = append(out.Series, Series{s.Metric, []Point{{q.steps.at(0), s.F}}})
	}
	if !ordered(e) {
		slices.SortFunc(out.Series, bySeriesLabels)
	}
	return q.limitSeries(out)
}

// ordered is true for what has an order of its own.
func ordered(e Expr) bool {
	a, ok := e.(*VectorAggregation)
	return ok && slices.Contains([]string{"sort", "sort_desc", opTopK, opBottomK}, a.Op)
}

func (q *query) limitSeries(r *Result) (*Result, error) {
	if len(r.Series) > q.limits.MaxSeries {
		return nil, overLimit("maximum number of series (%d) reached for a single query: aggregate by fewer labels, or select less", q.limits.MaxSeries)
	}
	for _, s := range r.Series {
		q.stats.Returned += int64(len(s.Points))
	}
	return r, nil
}

// pushedDown says that e is a range aggregation, or a sum of one that can be made
// while the lines are read.
func pushedDown(e Expr) (r *RangeAggregation, outer *Grouping, ok bool) {
	switch e := e.(type) {
	case *RangeAggregation:
		return e, nil, true
	case *VectorAggregation:
		r, ok := e.Expr.(*RangeAggregation)
		additive := []string{opCount, opRate, opBytes, opBytesRate, opSum}
		if !ok || e.Op != "sum" || r.Grouping != nil || !slices.Contains(additive, r.Op) {
			return nil, nil, false
		}
		if e.Grouping == nil {
			return r, &Grouping{}, true
		}
		return r, e.Grouping, true
	}
	return nil, nil, false
}

func (q *query) constant(v float64) stepped {
	s := stepped{samples: make([]sample, q.steps.count)}
	for k := range s.samples {
		s.samples[k] = sample{k, v}
	}
	return s
}

func (q *query) unstep(in []stepped) []Series {
	out := make([]Series, len(in))
	for i, s := range in {
		out[i] = Series{s.labels, make([]Point, len(s.samples))}
		for j, x := range s.samples {
			out[i].Points[j] = Point{q.steps.at(x.step), x.value}
		}
	}
	return out
}

// Prometheus' engine sees step k at k milliseconds, so that neither the step nor
// the time of the query is rounded. Looking back less than a step leaves gaps.
var lookback = promql.NewPrometheusQueryOpts(false, time.Millisecond)

func stepTime(k int) time.Time { return time.UnixMilli(int64(k)) }

// promError tells errors of the query from ours.
func (q *query) promError(err error) error {
	if ended := context.Cause(q.ctx); ended != nil {
		return ended
	}
	var storage promql.ErrStorage
	var many promql.ErrTooManySamples
	switch {
	case errors.As(err, &storage):
		return err
	case errors.As(err, &many):
		return q.tooManyPoints()
	}
	return &QueryError{err.Error()}
}

// translate writes e in PromQL, with a metric of its own for each range
// aggregation, and evaluates those.
func (q *query) translate(e Expr) (string, leafStorage, error) {
	t := translator{q: q, leaves: leafStorage{}}
	text := t.expr(e)
	return text, t.leaves, t.err
}

type translator struct {
	q      *query
	leaves leafStorage
	err    error
}

func (t *translator) expr(e Expr) string {
	if t.err != nil {
		return ""
	}
	if isScalar(e) {
		return "(" + number(fold(e)) + ")"
	}
	if r, outer, ok := pushedDown(e); ok {
		return t.leaf(r, outer)
	}
	switch e := e.(type) {
	case *VectorAggregation:
		return t.aggregation(e)
	case *BinaryExpr:
		return t.binary(e)
	case *VectorExpr:
		return "vector(" + number(e.Value) + ")"
	case *LabelReplace:
		s := "label_replace(" + t.expr(e.Expr)
		for _, arg := range []string{e.Dst, e.Replacement, e.Src, e.Pattern} {
			s += ", " + strconv.Quote(arg)
		}
		return s + ")"
	}
	t.err = fmt.Errorf("no way to evaluate %T", e)
	return ""
}

func (t *translator) leaf(r *RangeAggregation, outer *Grouping) string {
	series, err := t.q.rangeAggregation(r, outer)
	if err != nil {
		t.err = err
		return ""
	}
	return t.name(series)
}

func (t *translator) name(series []stepped) string {
	name := "leaf" + strconv.Itoa(len(t.leaves))
	t.leaves[name] = series
	return name
}

func (t *translator) aggregation(e *VectorAggregation) string {
	s := e.Op
	if e.Grouping != nil {
		s += " " + e.Grouping.String() + " "
	}
	s += "("
	if e.Op == opTopK || e.Op == opBottomK {
		s += strconv.Itoa(e.Param) + ", "
	}
	return s + t.expr(e.Expr) + ")"
}

func (t *translator) binary(e *BinaryExpr) string {
	op := " " + e.Op + " "
	if e.Bool {
		op += "bool "
	}
	if m := e.Matching; m != nil {
		word := "ignoring"
		if m.On {
			word = "on"
		}
		op += word + " (" + strings.Join(m.Labels, ", ") + ") "
		if m.Group != "" {
			op += m.Group + " (" + strings.Join(m.Include, ", ") + ") "
		}
	}
	left := t.expr(e.LHS)
	if e.Op == "/" {
		return "(" + left + op + t.divisor(e.RHS) + ")"
	}
	return "(" + left + op + t.expr(e.RHS) + ")"
}

// divisor is e with 0 replaced: Loki divides by 0 to NaN, Prometheus to Inf.
func (t *translator) divisor(e Expr) string {
	if isScalar(e) && fold(e) == 0 {
		return "NaN"
	}
	if isScalar(e) || t.err != nil {
		return t.expr(e)
	}
	result, err := t.q.matrix(e)
	if err != nil {
		t.err = err
		return ""
	}
	series := make([]stepped, len(result.Series))
	for i, s := range result.Series {
		series[i].labels = s.Labels
		for _, p := range s.Points {
			if p.Value == 0 {
				p.Value = math.NaN()
			}
			series[i].samples = append(series[i].samples, sample{t.q.steps.index(p.At), p.Value})
		}
	}
	return t.name(series)
}

// fold is the value of a scalar expression.
func fold(e Expr) float64 {
	switch e := e.(type) {
	case *Literal:
		return e.Value
	case *BinaryExpr:
		return calculate(e, fold(e.LHS), fold(e.RHS))
	}
	return math.NaN()
}

func calculate(e *BinaryExpr, l, r float64) float64 {
	switch e.Op {
	case "+":
		return l + r
	case "-":
		return l - r
	case "*":
		return l * r
	case "/":
		if r == 0 {
			return math.NaN() // as in Loki
		}
		return l / r
	case "%":
		return math.Mod(l, r)
	case "^":
		return math.Pow(l, r)
	}
	// Of numbers a comparison is always 0 or 1.
	if map[string]bool{"==": l == r, "!=": l != r, ">": l > r, ">=": l >= r, "<": l < r, "<=": l <= r}[e.Op] {
		return 1
	}
	return 0
}
