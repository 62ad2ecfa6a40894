package logql

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/sessionstore"
)

// stepped is a series with a sample for some of the steps.
type stepped struct {
	labels  labels.Labels
	samples []sample
}

// collector gathers the samples of a range aggregation by series.
type collector struct {
	q        *query
	e        *RangeAggregation
	grouping *Grouping // nil: by all labels
	series   map[string]*collected
	key      []byte
	some     []lineLabel
}

type collected struct {
	labels labels.Labels
	runs   []run
}

// rangeAggregation evaluates e for all steps. outer joins series further, as a
// sum around e does.
func (q *query) rangeAggregation(e *RangeAggregation, outer *Grouping) ([]stepped, error) {
	c := &collector{q: q, e: e, grouping: outer, series: map[string]*collected{}}
	if e.Grouping != nil {
		c.grouping = e.Grouping
	}
	// From behind the first window's start up to and with the last one's end.
	sel := sessionstore.Selection{
		Matchers: e.Log.Matchers,
		Start:    q.steps.start - int64(e.Range) - int64(e.Offset) + 1,
		End:      q.steps.at(q.steps.count-1) - int64(e.Offset) + 1,
	}
	if err := c.collect(sel); err != nil {
		return nil, err
	}
	if e.Op == opAbsent {
		return c.absent(), nil
	}
	out := make([]stepped, 0, len(c.series))
	for _, s := range c.series {
		samples := e.samples(q.ctx, s.runs)
		if q.points += len(samples); q.points > q.limits.MaxPoints {
			return nil, q.tooManyPoints()
		}
		out = append(out, stepped{s.labels, samples})
		if q.ctx.Err() != nil {
			return nil, context.Cause(q.ctx)
		}
	}
	slices.SortFunc(out, func(a, b stepped) int { return labels.Compare(a.labels, b.labels) })
	return out, nil
}

func (q *query) tooManyPoints() error {
	return overLimit("the query keeps more than %d samples (max_points): aggregate by fewer labels, or make the step longer", q.limits.MaxPoints)
}

func (c *collector) collect(sel sessionstore.Selection) error {
	if counter, ok := c.q.source.(Counter); ok && c.countsSuffice() {
		return c.collectCounts(counter, sel)
	}
	if c.timesSuffice() {
		return c.collectTimes(sel)
	}
	someLabels := c.e.Op != opAbsent && (c.grouping == nil || c.grouping.Without || len(c.grouping.Labels) > 0)
	stages := c.e.needed(someLabels)
	sel.NoLines = c.e.Op != opBytes && c.e.Op != opBytesRate && !slices.ContainsFunc(stages, readsLine)
	pipeline := NewPipeline(&LogExpr{Stages: stages})
	l := &pipeline.program.line
	return c.q.entries(sel, func(entry *sessionstore.Entry) bool {
		first, last := c.q.steps.windows(entry.At, c.e.Range, c.e.Offset)
		if first > last || !pipeline.run(entry) {
			return true
		}
		value, total := 0.0, int64(1)
		if u := c.e.Unwrap; u != nil {
			var ok bool
			if value, ok = u.sample(l); !ok {
				return true
			}
		}
		if l.failed && !c.asksErrors() {
			c.q.failed = pipelineError(l)
			return false
		}
		if c.e.Op == opBytes || c.e.Op == opBytesRate {
			total = int64(len(l.text))
		}
		return c.add(c.find(l), first, last, total, value)
	})
}

// needed are the stages that make a difference to e. Loki leaves out the others
// too, and so finds no errors in them.
func (e *RangeAggregation) needed(labels bool) []Stage {
	stages := slices.Clone(e.Log.Stages)
	if (e.Op == opBytes || e.Op == opBytesRate) && slices.ContainsFunc(stages, isA[*LineFormat]) {
		return stages // the line may be made of labels
	}
	if !labels && e.Unwrap == nil && !slices.ContainsFunc(stages, isA[*FilterStage]) {
		stages = slices.DeleteFunc(stages, parses)
	}
	for i := len(stages) - 1; i >= 0 && !parses(stages[i]) && !isA[*LineFilter](stages[i]); i-- {
		if isA[*LineFormat](stages[i]) {
			stages = slices.Delete(stages, i, i+1)
		}
	}
	return stages
}

// asksErrors is true for a sum by (__error__).
func (c *collector) asksErrors() bool {
	return c.grouping != nil && !c.grouping.Without && slices.Contains(c.grouping.Labels, labelError)
}

// readsLine is true for stages that look at the line; of templates it is not
// known.
func readsLine(s Stage) bool {
	return !isA[*FilterStage](s) && !isA[*KeepDrop](s)
}

func isA[T Stage](s Stage) bool { _, is := s.(T); return is }

func parses(s Stage) bool { return isA[*JSONStage](s) || isA[*LogfmtStage](s) }

// pipelineError refuses to count lines that could not be read.
func pipelineError(l *line) error {
	kind, _ := l.get(labelError)
	details, _ := l.get(labelErrorDetails)
	return &QueryError{fmt.Sprintf("pipeline error: '%s' (%s) for series: '%s'. Such lines can be left out with a label filter: | __error__=\"\" leaves out all, | __error__!=%q those; behind unwrap, too",
		kind, details, toLabels(l.sorted()), kind)}
}

// find returns the series of a line.
func (c *collector) find(l *line) *collected {
	ls := c.project(l)
	c.key = appendKey(c.key[:0], ls)
	s := c.series[string(c.key)]
	if s == nil {
		s = &collected{labels: toLabels(ls)}
		c.series[string(c.key)] = s
	}
	return s
}

// project leaves the labels of the grouping, in order. Where they come from
// makes no difference here.
func (c *collector) project(l *line) []lineLabel {
	if c.e.Op == opAbsent {
		return nil
	}
	c.some = c.some[:0]
	if c.grouping != nil && !c.grouping.Without {
		for _, name := range c.grouping.Labels {
			if value, ok := l.get(name); ok {
				c.some = append(c.some, lineLabel{name, value, fromStream})
			}
		}
		return c.some
	}
	for _, label := range l.sorted() {
		if label.value != "" && (c.grouping == nil || !slices.Contains(c.grouping.Labels, label.name)) {
			label.from = fromStream
			c.some = append(c.some, label)
		}
	}
	return c.some
}

// add counts a sample for the windows of the steps from first to last.
func (c *collector) add(s *collected, first, last int, total int64, value float64) bool {
	if n := len(s.runs); n == 0 || s.runs[n-1].first != first || s.runs[n-1].last != last {
		if c.q.points++; c.q.points > c.q.limits.MaxPoints {
			c.q.failed = c.q.tooManyPoints()
			return false
		}
		s.runs = append(s.runs, run{first: first, last: last})
	}
	r := &s.runs[len(s.runs)-1]
	r.total += total
	if c.e.counts() {
		return true
	}
	if r.more == nil {
		r.more = &moments{keepValues: c.e.Op == opQuantile}
	}
	if r.more.keepValues {
		if c.q.points++; c.q.points > c.q.limits.MaxPoints {
			c.q.failed = c.q.tooManyPoints()
			return false
		}
	}
	r.more.add(value)
	return true
}

// timesSuffice is true for counts of whole streams.
func (c *collector) timesSuffice() bool {
	if c.e.Op == opAbsent {
		return len(c.e.Log.Stages) == 0 && c.e.Unwrap == nil
	}
	return (c.e.Op == opCount || c.e.Op == opRate) && c.e.Unwrap == nil && c.byStreams()
}

// byStreams is true where all entries of a stream count for the same series.
func (c *collector) byStreams() bool {
	if len(c.e.Log.Stages) > 0 || c.grouping == nil || c.grouping.Without {
		return false
	}
	return !slices.ContainsFunc(c.grouping.Labels, func(name string) bool { return !slices.Contains(c.q.streams, name) })
}

func (c *collector) collectTimes(sel sessionstore.Selection) error {
	if err := c.q.checkRange(sel.Start, sel.End); err != nil {
		return err
	}
	known := map[*sessionstore.Stream]*collected{}
	var l line
	err := c.q.source.Times(c.q.ctx, sel, func(st *sessionstore.Stream, at int64) bool {
		if !c.q.read(0) {
			return false
		}
		first, last := c.q.steps.windows(at, c.e.Range, c.e.Offset)
		if first > last {
			return true
		}
		s := known[st]
		if s == nil {
			l.reset(at, "", streamLabels(st.Labels), nil)
			s = c.find(&l)
			known[st] = s
		}
		return c.add(s, first, last, 1, 0)
	})
	return errors.Join(c.q.failed, err)
}

// absent has a sample of 1 for each step without any line.
func (c *collector) absent() []stepped {
	present := make([]bool, c.q.steps.count)
	for _, s := range c.series {
		for _, r := range s.runs {
			for k := r.first; k <= r.last; k++ {
				present[k] = true
			}
		}
	}
	out := stepped{labels: absentLabels(c.e.Log.Matchers)}
	for k, there := range present {
		if !there {
			out.samples = append(out.samples, sample{k, 1})
		}
	}
	if len(out.samples) == 0 {
		return nil
	}
	return []stepped{out}
}
