package facts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// Engine evaluates PromQL in this process.
type Engine interface {
	Query(ctx context.Context, expr string, at time.Time) (parser.Value, error)
}

// FromEngine asks a Prometheus in this process.
func FromEngine(e Engine) Querier { return engineQuerier{e} }

type engineQuerier struct{ engine Engine }

func (q engineQuerier) Vector(ctx context.Context, expr string, at time.Time) ([]Sample, error) {
	v, err := q.engine.Query(ctx, expr, at)
	if err != nil {
		return nil, err
	}
	vector, ok := v.(promql.Vector)
	if !ok {
		return nil, fmt.Errorf("the answer is a %s and no vector", v.Type())
	}
	out := make([]Sample, len(vector))
	for i, s := range vector {
		out[i] = Sample{Labels: s.Metric.Map(), Value: s.F}
	}
	return out, nil
}

// FromServer asks the Prometheus at an address.
func FromServer(address string) (Querier, error) {
	client, err := api.NewClient(api.Config{Address: address})
	if err != nil {
		return nil, errors.New("it is no URL")
	}
	return serverQuerier{promv1.NewAPI(client)}, nil
}

type serverQuerier struct{ api promv1.API }

func (q serverQuerier) Vector(ctx context.Context, expr string, at time.Time) ([]Sample, error) {
	v, _, _, err := q.api.Query(ctx, expr, at)
	if err != nil {
		return nil, err
	}
	vector, ok := v.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("the answer is a %s and no vector", v.Type())
	}
	out := make([]Sample, len(vector))
	for i, s := range vector {
		labels := make(map[string]string, len(s.Metric))
		for name, value := range s.Metric {
			labels[string(name)] = string(value)
		}
		out[i] = Sample{Labels: labels, Value: float64(s.Value)}
	}
	return out, nil
}
