package prom

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// A target that tells a series no more has it marked as ended by the scrape
// that misses it; a scrape after a restart misses nothing. Without a mark
// queries go on for five minutes with the last value: a process that was deleted
// while we were away would be errored until then.

// settled is after how many of the longest intervals everything that is still
// there has been scraped, and evaluated on what was scraped.
const settled = 2

// markEnded marks the series of the last run that have ended meanwhile: those
// of targets that answer, and those of rules. What a target had that does not
// answer ends when queries look back no further, as ever.
func (s *Server) markEnded() {
	slowest, err := Slowest(s.conf.Load(), *s.builtin.Load(), s.opts.Logger)
	if err != nil {
		slowest = time.Minute // the files were good when they were taken
	}
	select {
	case <-s.finding.Done():
		return
	case <-time.After(settled*slowest + slowest/2):
	}
	n, err := s.mark(s.working, s.opts.Now())
	switch {
	case err != nil:
		s.opts.Logger.Warn("Series that ended before the start can not be marked as ended", "err", err)
	case n > 0:
		s.opts.Logger.Info("Series that ended before the start are marked as ended", "series", n)
	}
}

func (s *Server) mark(ctx context.Context, now time.Time) (n int, err error) {
	ctx, leave, err := s.readers.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	querier, err := s.db.Querier(s.birth.Add(-lookback).UnixMilli(), now.UnixMilli())
	if err != nil {
		return 0, fmt.Errorf("reading the time series: %w", err)
	}
	defer querier.Close()
	app := guarded{s.guard, s.storage}.Appender(ctx)
	targets := answering(s.scrape.TargetsActive(), s.birth)
	every := labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, ".+")
	found := querier.Select(ctx, false, nil, every)
	for found.Next() {
		series := found.At()
		if !targets.tell(series.Labels()) || !endedBefore(series, s.birth) {
			continue
		}
		if _, err := app.Append(0, series.Labels(), now.UnixMilli(), math.Float64frombits(value.StaleNaN)); err != nil {
			_ = app.Rollback() // the first error says why
			return 0, fmt.Errorf("marking %s: %w", series.Labels(), err)
		}
		n++
	}
	if err := found.Err(); err != nil {
		_ = app.Rollback() // the first error says why
		return 0, fmt.Errorf("reading the time series: %w", err)
	}
	return n, app.Commit()
}

// endedBefore tells whether a series has no sample since a moment, and its last
// one is not a mark.
func endedBefore(series storage.Series, moment time.Time) bool {
	it := series.Iterator(nil)
	var last int64
	stale := false
	for t := it.Next(); t != chunkenc.ValNone; t = it.Next() {
		last, stale = it.AtT(), false
		if t == chunkenc.ValFloat {
			_, v := it.At()
			stale = value.IsStaleNaN(v)
		}
	}
	return last != 0 && last < moment.UnixMilli() && !stale
}

// targetKey is what tells the series of one target from those of others.
type targetKey struct{ job, instance string }

// targets are those that there are; true is one that answered since the start.
type targets map[targetKey]bool

func answering(pools map[string][]*scrape.Target, since time.Time) targets {
	out := targets{}
	for _, pool := range pools {
		for _, t := range pool {
			k := targetKey{t.GetValue("job"), t.GetValue("instance")}
			out[k] = out[k] || t.Health() == scrape.HealthGood && t.LastScrape().After(since)
		}
	}
	return out
}

// tell tells whether it is known what became of a series: its target answers,
// or is no target any more.
func (t targets) tell(l labels.Labels) bool {
	answers, known := t[targetKey{l.Get("job"), l.Get("instance")}]
	return answers || !known
}
