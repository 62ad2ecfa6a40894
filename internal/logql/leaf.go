package logql

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
)

// leafStorage serves evaluated range aggregations to Prometheus' engine: the
// metric of that name has their series, without a label that says so.
type leafStorage map[string][]stepped

func (l leafStorage) Querier(int64, int64) (storage.Querier, error) { return leafQuerier(l), nil }

type leafQuerier leafStorage

func (l leafQuerier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	i := slices.IndexFunc(matchers, func(m *labels.Matcher) bool { return m.Name == labels.MetricName })
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
	return &leafIterator{samples: s.samples, at: -1}
}

// leafIterator has step k at k milliseconds.
type leafIterator struct {
	samples []sample
	at      int
}

func (i *leafIterator) Next() chunkenc.ValueType {
	i.at++
	return i.kind()
}

func (i *leafIterator) kind() chunkenc.ValueType {
	if i.at >= len(i.samples) {
		return chunkenc.ValNone
	}
	return chunkenc.ValFloat
}

func (i *leafIterator) Seek(t int64) chunkenc.ValueType {
	i.at = max(i.at, 0)
	found, _ := slices.BinarySearchFunc(i.samples[min(i.at, len(i.samples)):], t, func(s sample, t int64) int { return s.step - int(t) })
	i.at += found
	return i.kind()
}

func (i *leafIterator) At() (int64, float64) { return int64(i.samples[i.at].step), i.samples[i.at].value }
func (i *leafIterator) AtT() int64           { return int64(i.samples[i.at].step) }
func (*leafIterator) AtST() int64            { return 0 }
func (*leafIterator) Err() error             { return nil }

func (*leafIterator) AtHistogram(*histogram.Histogram) (int64, *histogram.Histogram) { return 0, nil }

func (*leafIterator) AtFloatHistogram(*histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return 0, nil
}
