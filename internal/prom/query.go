package prom

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// maxPoints is the API's limit for one series of a range.
const maxPoints = 11_000

// Query evaluates an expression at one moment.
func (s *Server) Query(ctx context.Context, expr string, at time.Time) (parser.Value, error) {
	return s.ask(ctx, func(ctx context.Context) (promql.Query, error) {
		return s.engine.NewInstantQuery(ctx, s.storage, nil, expr, at)
	})
}

// QueryRange evaluates an expression from start to end, both included.
func (s *Server) QueryRange(ctx context.Context, expr string, start, end time.Time, step time.Duration) (parser.Value, error) {
	if step < time.Millisecond || end.Before(start) || end.Sub(start)/step >= maxPoints {
		return nil, fmt.Errorf("from %s to %s by %s is no range of 1 to %d points", start, end, step, maxPoints)
	}
	return s.ask(ctx, func(ctx context.Context) (promql.Query, error) {
		return s.engine.NewRangeQuery(ctx, s.storage, nil, expr, start, end, step)
	})
}

// ask copies the result out of the query, whose memory is used again.
func (s *Server) ask(ctx context.Context, prepare func(context.Context) (promql.Query, error)) (parser.Value, error) {
	ctx, leave, err := s.readers.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	q, err := prepare(ctx)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	r := q.Exec(ctx)
	if r.Err != nil {
		return nil, r.Err
	}
	switch v := r.Value.(type) {
	case promql.Vector:
		return append(promql.Vector(nil), v...), nil
	case promql.Matrix:
		out := make(promql.Matrix, len(v))
		for i, series := range v {
			out[i] = series
			out[i].Floats = append([]promql.FPoint(nil), series.Floats...)
			out[i].Histograms = append([]promql.HPoint(nil), series.Histograms...)
		}
		return out, nil
	default:
		return v, nil
	}
}

// slots bounds the queries at one time. Prometheus' own tracker also keeps a
// file of what ran when it died; that is not needed here.
type slots chan struct{}

func (s slots) GetMaxConcurrent() int { return cap(s) }

func (s slots) Insert(ctx context.Context, _ string) (int, error) {
	select {
	case s <- struct{}{}:
		return 0, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (s slots) Delete(int) { <-s }

func (s slots) Close() error { return nil }
