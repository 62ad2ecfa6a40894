package logql

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// Source has the entries. Both methods yield them in the order of the selection
// until yield returns false; what they yield is not changed by anybody later.
type Source interface {
	Entries(ctx context.Context, sel sessionstore.Selection, yield func(*sessionstore.Entry) bool) error
	// Times yields the same entries without their lines and metadata.
	Times(ctx context.Context, sel sessionstore.Selection, yield func(st *sessionstore.Stream, at int64) bool) error
}

// Counter is a Source that counts entries without yielding each of them.
type Counter interface {
	// Counts yields the cells that have entries, in order of time within a stream.
	Counts(ctx context.Context, matchers []*labels.Matcher, cells sessionstore.Cells, yield func(st *sessionstore.Stream, cell int, c sessionstore.Count) bool) error
}

// Limits bound what one query may cost. Zero fields take their defaults.
type Limits struct {
	MaxEntries int64         // read by a query; 20 million
	MaxBytes   int64         // of their lines; 4 GiB
	MaxSeries  int           // of a result; 500
	MaxPoints  int           // that the range aggregations of a query keep; 2 million
	MaxResult  int64         // bytes of lines in a result; 64 MiB
	MaxRange   time.Duration // from the first to the last moment that is read; 721 h
	Timeout    time.Duration // 1 minute
}

func (l *Limits) setDefaults() {
	l.MaxEntries = orDefault(l.MaxEntries, 20_000_000)
	l.MaxBytes = orDefault(l.MaxBytes, 4<<30)
	l.MaxSeries = orDefault(l.MaxSeries, 500)
	l.MaxPoints = orDefault(l.MaxPoints, 2_000_000)
	l.MaxResult = orDefault(l.MaxResult, 64<<20)
	l.MaxRange = orDefault(l.MaxRange, 721*time.Hour)
	l.Timeout = orDefault(l.Timeout, time.Minute)
}

func orDefault[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// LimitError says which limit a query is over.
type LimitError struct{ message string }

func (e *LimitError) Error() string { return e.message }

func overLimit(format string, args ...any) error {
	return &LimitError{fmt.Sprintf(format, args...)}
}

// QueryError is a query that can be read and can not be answered as it is:
// labels that match twice, lines with errors in a metric query.
type QueryError struct{ message string }

func (e *QueryError) Error() string { return e.message }

// ErrTimeout is a query that took longer than Limits.Timeout.
var ErrTimeout = errors.New("the query took too long")

// Options of an Engine.
type Options struct {
	Source Source
	Limits Limits
	// StreamLabels are all labels that streams can have: counts by some of them
	// need no metadata.
	StreamLabels []string
}

// Engine answers queries. It is safe for concurrent use.
type Engine struct {
	source  Source
	limits  Limits
	streams []string
	prom    *promql.Engine
}

// New returns an Engine.
func New(o Options) (*Engine, error) {
	if o.Source == nil {
		return nil, errors.New("no source of entries")
	}
	o.Limits.setDefaults()
	return &Engine{
		source:  o.Source,
		limits:  o.Limits,
		streams: o.StreamLabels,
		prom: promql.NewEngine(promql.EngineOpts{
			MaxSamples: 8 * o.Limits.MaxPoints,
			Timeout:    o.Limits.Timeout,
			Parser:     promparser.NewParser(promparser.Options{}),
		}),
	}, nil
}

// Limits are those that hold, with defaults.
func (e *Engine) Limits() Limits { return e.limits }

// Params of a query over a range of time, in nanoseconds since 1970.
type Params struct {
	// Start and End: lines from Start on, before End; samples at Start, Start+Step
	// and so on up to End.
	Start, End int64
	Step       time.Duration // of samples
	Interval   time.Duration // of lines: the least between two of them; 0 for all
	Limit      int           // of lines
	Backward   bool          // newest first
}

// ResultType is the shape of a Result, as the API names it.
type ResultType string

// The shapes.
const (
	Streams ResultType = "streams"
	Matrix  ResultType = "matrix"
	Vector  ResultType = "vector"
	Scalar  ResultType = "scalar"
)

// Result of a query. Of its parts the one of its type is set: Series for a
// matrix and, with one point each, for a vector and a scalar.
type Result struct {
	Type    ResultType
	Streams []*LogStream
	Series  []Series
	Stats   Stats
}

// LogStream is the lines with the same labels, in the order of the query.
type LogStream struct {
	Labels   labels.Labels // all of them
	Stream   labels.Labels // those of the stream itself
	Metadata []record.Pair
	Parsed   []record.Pair
	Entries  []LogEntry
}

// LogEntry is a line at a time in nanoseconds since 1970.
type LogEntry struct {
	At   int64
	Line string
}

// Series is the samples with the same labels.
type Series struct {
	Labels labels.Labels
	Points []Point
}

// Point is a sample; At is in nanoseconds since 1970.
type Point struct {
	At    int64
	Value float64
}

// Stats is what a query cost.
type Stats struct {
	Entries, Bytes, Returned int64
	Time                     time.Duration
}

// Range answers a query over a range of time.
func (e *Engine) Range(ctx context.Context, expr Expr, p Params) (*Result, error) {
	return e.limited(ctx, func(q *query) (*Result, error) {
		if log, ok := expr.(*LogExpr); ok {
			return q.logs(log, p)
		}
		q.steps = steps{start: p.Start, step: int64(p.Step), count: 1 + int((p.End-p.Start)/int64(p.Step))}
		return q.matrix(expr)
	})
}

// Instant answers a metric query for one moment.
func (e *Engine) Instant(ctx context.Context, expr Expr, at int64) (*Result, error) {
	if _, ok := expr.(*LogExpr); ok {
		return nil, &QueryError{"log queries are not supported as an instant query type, please change your query to a range query type"}
	}
	return e.limited(ctx, func(q *query) (*Result, error) {
		q.steps = steps{start: at, step: 1, count: 1}
		return q.vector(expr)
	})
}

// A query is one that runs.
type query struct {
	*Engine
	ctx    context.Context
	steps  steps
	stats  Stats
	points int   // kept so far
	failed error // over a limit, or ended
}

func (e *Engine) limited(ctx context.Context, run func(*query) (*Result, error)) (*Result, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, e.limits.Timeout, ErrTimeout)
	defer cancel()
	q := &query{Engine: e, ctx: ctx}
	result, err := run(q)
	if ended := context.Cause(ctx); ended != nil && (err != nil || ctx.Err() != nil) {
		return nil, ended
	}
	if err != nil {
		return nil, err
	}
	result.Stats = q.stats
	result.Stats.Time = time.Since(began)
	return result, nil
}

// read counts an entry and says whether to go on.
func (q *query) read(bytes int) bool { return q.readMany(1, bytes) }

func (q *query) readMany(entries int64, bytes int) bool {
	before := q.stats.Entries / 1024
	q.stats.Entries += entries
	q.stats.Bytes += int64(bytes)
	switch {
	case q.stats.Entries > q.limits.MaxEntries:
		q.failed = overLimit("the query reads more than %d entries (max_entries): make the selector or the time range narrower", q.limits.MaxEntries)
	case q.stats.Bytes > q.limits.MaxBytes:
		q.failed = overLimit("the query reads more than %d bytes (max_bytes): make the selector or the time range narrower", q.limits.MaxBytes)
	case (bytes > 0 || q.stats.Entries/1024 > before) && q.ctx.Err() != nil: // a line may take long
		q.failed = context.Cause(q.ctx)
	}
	return q.failed == nil
}

// entries reads what is selected; each counts against the limits.
func (q *query) entries(sel sessionstore.Selection, yield func(*sessionstore.Entry) bool) error {
	if err := q.checkRange(sel.Start, sel.End); err != nil {
		return err
	}
	err := q.source.Entries(q.ctx, sel, func(e *sessionstore.Entry) bool { return q.read(len(e.Line)) && yield(e) })
	return errors.Join(q.failed, err)
}

func (q *query) checkRange(start, end int64) error {
	if end > start && (end-start < 0 || time.Duration(end-start) > q.limits.MaxRange) {
		return overLimit("the query time range exceeds the limit (query length: %s, limit: %s)", time.Duration(end-start), q.limits.MaxRange)
	}
	return nil
}
