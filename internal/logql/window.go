package logql

import (
	"context"
	"math"
	"slices"
	"time"
)

// steps are the moments for which samples are asked.
type steps struct {
	start, step int64 // nanoseconds
	count       int
}

func (s steps) at(k int) int64 { return s.start + int64(k)*s.step }

// index is the step at a moment that at returned.
func (s steps) index(at int64) int { return int((at - s.start) / s.step) }

// windows returns the first and the last step whose window (t-length, t] holds a
// moment; first is behind last if none does.
func (s steps) windows(at int64, length, offset time.Duration) (first, last int) {
	at += int64(offset)
	first = max(0, int(ceilDiv(at-s.start, s.step)))
	last = min(s.count-1, int(ceilDiv(at+int64(length)-s.start, s.step))-1)
	return first, last
}

// ceilDiv is a/b rounded up; b is positive.
func ceilDiv(a, b int64) int64 {
	q := a / b
	if a%b > 0 {
		q++
	}
	return q
}

// A run is samples that lie in the same windows: those of the steps from first to
// last. Of one series they come in order of time, so first and last only grow.
type run struct {
	first, last int
	total       int64    // lines or bytes
	more        *moments // of unwrapped values
}

// moments are what aggregations need to know of values.
type moments struct {
	count              float64
	sum, min, max      float64
	mean, squares      float64 // squares: the sum of squared distances from mean
	firstValue, newest float64
	values             []float64 // of quantiles only
	keepValues         bool
}

func (m *moments) add(v float64) {
	if m.count == 0 {
		m.min, m.max, m.firstValue = v, v, v
	}
	m.count++
	m.sum += v
	m.min, m.max, m.newest = smaller(m.min, v), larger(m.max, v), v
	delta := v - m.mean
	m.mean += delta / m.count
	m.squares += delta * (v - m.mean)
	if m.keepValues {
		m.values = append(m.values, v)
	}
}

// smaller and larger prefer what is a number.
func smaller(a, b float64) float64 {
	if b < a || math.IsNaN(a) {
		return b
	}
	return a
}

func larger(a, b float64) float64 {
	if b > a || math.IsNaN(a) {
		return b
	}
	return a
}

// join adds later values to m.
func (m *moments) join(o *moments) {
	if m.count == 0 {
		*m = *o
		m.values = slices.Clone(o.values)
		return
	}
	count := m.count + o.count
	delta := o.mean - m.mean
	m.squares += o.squares + delta*delta*m.count*o.count/count
	m.mean += delta * o.count / count
	m.count = count
	m.sum += o.sum
	m.min, m.max, m.newest = smaller(m.min, o.min), larger(m.max, o.max), o.newest
	m.values = append(m.values, o.values...)
}

// value is the result of a range aggregation over m.
func (m *moments) value(e *RangeAggregation) float64 {
	switch e.Op {
	case opSum:
		return m.sum
	case opRate:
		return m.sum / e.Range.Seconds()
	case "avg_over_time":
		return m.sum / m.count
	case "min_over_time":
		return m.min
	case "max_over_time":
		return m.max
	case "first_over_time":
		return m.firstValue
	case "last_over_time":
		return m.newest
	case "stddev_over_time":
		return math.Sqrt(m.squares / m.count)
	case "stdvar_over_time":
		return m.squares / m.count
	case opQuantile:
		return quantile(e.Param, m.values)
	}
	return 1 // absent_over_time asks only whether there is something
}

// quantile is linear between the two nearest values.
func quantile(q float64, values []float64) float64 {
	switch {
	case len(values) == 0 || math.IsNaN(q):
		return math.NaN()
	case q < 0:
		return math.Inf(-1)
	case q > 1:
		return math.Inf(1)
	}
	slices.Sort(values)
	rank := q * float64(len(values)-1)
	lower := math.Floor(rank)
	upper := min(lower+1, float64(len(values)-1))
	weight := rank - lower
	return values[int(lower)]*(1-weight) + values[int(upper)]*weight
}

// A sample of a series for a step.
type sample struct {
	step  int
	value float64
}

// samples evaluates the runs of a series for all steps that have any. It stops
// where ctx ends: each step of unwrapped values looks at all of its window.
func (e *RangeAggregation) samples(ctx context.Context, runs []run) []sample {
	if e.counts() {
		return e.totals(runs)
	}
	var out []sample
	for low, high, k := 0, 0, 0; low < len(runs) && ctx.Err() == nil; k++ {
		k = max(k, runs[low].first)
		for high < len(runs) && runs[high].first <= k {
			high++
		}
		for low < high && runs[low].last < k {
			low++
		}
		if low == high {
			k--
			continue
		}
		var all moments
		for i := range runs[low:high] {
			all.join(runs[low+i].more)
		}
		out = append(out, sample{k, all.value(e)})
	}
	return out
}

// counts is true for aggregations that need no values.
func (e *RangeAggregation) counts() bool { return e.Unwrap == nil || e.Op == opAbsent }

// totals adds up lines or bytes. They are whole numbers: what leaves a window can
// be subtracted again.
func (e *RangeAggregation) totals(runs []run) []sample {
	per := 1.0
	if e.Op == opRate || e.Op == opBytesRate {
		per = e.Range.Seconds()
	}
	var out []sample
	var total int64
	for low, high, k := 0, 0, 0; low < len(runs); k++ {
		if low == high {
			k = max(k, runs[low].first)
		}
		for high < len(runs) && runs[high].first <= k {
			total += runs[high].total
			high++
		}
		for low < high && runs[low].last < k {
			total -= runs[low].total
			low++
		}
		if low < high {
			out = append(out, sample{k, float64(total) / per})
		}
	}
	return out
}
