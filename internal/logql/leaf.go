package logql

import (
	"context"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// leafStorage serves evaluated range aggregations to Prometheus' engine: the
// metric of that name has their series, without a label that says so.
type leafStorage map[string][]stepped

func (l leafStorage) Querier(int64, int64) (storage.Querier, error) { return leafQuerier(l), nil }

type leafQuerier leafStorage

func (l leafQuerier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	i := slices.IndexFunc(matchers, func(m *labels.Matcher) bool { return m.Name == model.MetricNameLabel })
	return &leafSet{series: l[matchers[i].Value]}
}

func (leafQuerier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (leafQuerier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (leafQuerier) Close() error { return nil }

type leafSet struct {
	series []stepped
	next   int
}

func (s *leafSet) Next() bool                      { s.next++; return s.next <= len(s.series) }
func (s *leafSet) At() storage.Series              { return &leafSeries{s.series[s.next-1]} }
func (*leafSet) Err() error                        { return nil }
func (*leafSet) Warnings() annotations.Annotations { return nil }

type leafSeries struct{ stepped }

func (s *leafSeries) Labels() labels.Labels { return s.labels }

func (s *leafSeries) Iterator(chunkenc.Iterator) chunkenc.Iterator {
	return storage.NewListSeriesIterator(leafSamples(s.samples))
}

type leafSamples []sample

func (s leafSamples) Len() int                { return len(s) }
func (s leafSamples) Get(i int) chunks.Sample { return &s[i] }

// A sample is one of Prometheus', at as many milliseconds as its step.

func (s *sample) T() int64                    { return int64(s.step) }
func (*sample) ST() int64                     { return 0 }
func (s *sample) F() float64                  { return s.value }
func (*sample) H() *histogram.Histogram       { return nil }
func (*sample) FH() *histogram.FloatHistogram { return nil }
func (*sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s *sample) Copy() chunks.Sample         { c := *s; return &c }
