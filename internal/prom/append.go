package prom

import (
	"context"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"
)

// guarded stores samples unless the disk is nearly full. A refused batch is
// refused as a whole, when it is committed: then nothing of it has touched the
// storage, and a scrape or a rule counts and tells it once. (Rolling back would
// not do: that writes new series to the log.)
type guarded struct {
	guard   *guard
	storage storage.Storage
}

// AppenderV2 is for scraping.
func (a guarded) AppenderV2(ctx context.Context) storage.AppenderV2 {
	return &batch{guarded: a, ctx: ctx}
}

// Appender is for rules, which take it when they have all samples.
func (a guarded) Appender(ctx context.Context) storage.Appender {
	if _, low := a.guard.state(); low {
		return refusal{a.guard}
	}
	return a.storage.Appender(ctx)
}

// batch looks at the disk when the first sample comes: a scrape takes its
// appender before it asks the target, which may answer much later.
type batch struct {
	guarded
	ctx     context.Context
	inner   storage.AppenderV2
	refused bool
}

func (b *batch) Append(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, o storage.AppendV2Options) (storage.SeriesRef, error) {
	if b.inner == nil && !b.refused {
		if _, b.refused = b.guard.state(); !b.refused {
			b.inner = b.storage.AppenderV2(b.ctx)
		}
	}
	if b.refused {
		return ref, nil
	}
	return b.inner.Append(ref, ls, st, t, v, h, fh, o)
}

func (b *batch) Commit() error {
	switch {
	case b.refused:
		return refusal{b.guard}.Commit()
	case b.inner == nil:
		return nil
	default:
		return b.inner.Commit()
	}
}

func (b *batch) Rollback() error {
	if b.inner == nil {
		return nil
	}
	return b.inner.Rollback()
}

// refusal drops samples and says so when they are committed.
type refusal struct{ guard *guard }

func (refusal) Append(ref storage.SeriesRef, _ labels.Labels, _ int64, _ float64) (storage.SeriesRef, error) {
	return ref, nil
}

func (refusal) AppendExemplar(ref storage.SeriesRef, _ labels.Labels, _ exemplar.Exemplar) (storage.SeriesRef, error) {
	return ref, nil
}

func (refusal) AppendHistogram(ref storage.SeriesRef, _ labels.Labels, _ int64, _ *histogram.Histogram, _ *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return ref, nil
}

func (refusal) AppendHistogramSTZeroSample(ref storage.SeriesRef, _ labels.Labels, _, _ int64, _ *histogram.Histogram, _ *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return ref, nil
}

func (refusal) AppendSTZeroSample(ref storage.SeriesRef, _ labels.Labels, _, _ int64) (storage.SeriesRef, error) {
	return ref, nil
}

func (refusal) UpdateMetadata(ref storage.SeriesRef, _ labels.Labels, _ metadata.Metadata) (storage.SeriesRef, error) {
	return ref, nil
}

func (refusal) SetOptions(*storage.AppendOptions) {}

func (r refusal) Commit() error {
	r.guard.refused.Inc()
	return errDiskLow
}

func (refusal) Rollback() error { return nil }
