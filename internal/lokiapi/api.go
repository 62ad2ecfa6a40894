// Package lokiapi answers the reading half of Loki's HTTP API, from entries of a
// source: what Grafana's built-in Loki data source and logcli call.
//
// It guarantees Loki's shapes of answers and its statuses, and that no request
// costs more than Options allow; an error names the limit. It does not
// authenticate: what is in front of it does. What it does not know is 404, and
// LogQL outside of the subset is 400.
package lokiapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/logql"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// Source has the entries.
type Source interface {
	logql.Source
	// Streams returns the streams with entries from start on and before end.
	Streams(ctx context.Context, matchers []*labels.Matcher, start, end int64) ([]*sessionstore.Stream, error)
	Volume(ctx context.Context, matchers []*labels.Matcher, start, end int64) (sessionstore.Volume, error)
	// Subscribe tells of entries that were added.
	Subscribe() (committed <-chan struct{}, cancel func())
}

// Options of an API. Zero numbers take their defaults.
type Options struct {
	Source  Source
	Logger  *slog.Logger
	Now     func() time.Time
	Version string // of the program, for status/buildinfo

	Limits        logql.Limits // of each query
	MaxConcurrent int          // queries that run; 8
	MaxQueued     int          // queries that wait; 64
	MaxLines      int          // that one query may ask for; 5000
	MaxResponse   int64        // bytes of an answer; 64 MiB
	MaxTails      int          // live tails; 20
	// TailPatience is how long a tail waits for a client that takes nothing; 10 s.
	TailPatience time.Duration
}

// Stats is what an API has done and does, for metrics.
type Stats struct {
	Running, Waiting, Tails int64  // queries, and live tails, at the moment
	Refused                 uint64 // queries and tails, because there were too many
	TailDropped             uint64 // records that slow tails did not get
	TailsCutOff             uint64 // tails that took nothing any more
}

// API serves /loki/api/v1/.
type API struct {
	o       Options
	engine  *logql.Engine
	slots   chan struct{}
	queued  atomic.Int64
	tails   atomic.Int64
	refused atomic.Uint64
	dropped atomic.Uint64
	cutOff  atomic.Uint64
	ended   context.Context // when Close was called
	endTail context.CancelFunc
}

// New returns an API; Close ends its tails.
func New(o Options) (*API, error) {
	if o.Source == nil || o.Logger == nil {
		return nil, errors.New("lokiapi: no source or no logger")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	defaultTo(&o.MaxConcurrent, 8)
	defaultTo(&o.MaxQueued, 64)
	defaultTo(&o.MaxLines, 5000)
	defaultTo(&o.MaxResponse, 64<<20)
	defaultTo(&o.MaxTails, 20)
	defaultTo(&o.TailPatience, 10*time.Second)
	var r record.Record
	names := []string{"detected_level"} // of Grafana; nothing here has it
	for _, l := range r.StreamLabels("") {
		names = append(names, l.Name)
	}
	engine, err := logql.New(logql.Options{Source: o.Source, Limits: o.Limits, StreamLabels: names})
	if err != nil {
		return nil, err
	}
	a := &API{o: o, engine: engine, slots: make(chan struct{}, o.MaxConcurrent)}
	a.ended, a.endTail = context.WithCancel(context.Background())
	return a, nil
}

func defaultTo[T ~int | ~int64](v *T, fallback T) {
	if *v == 0 {
		*v = fallback
	}
}

// Close ends the tails: an HTTP server knows nothing of them any more.
func (a *API) Close() { a.endTail() }

// Stats may be called at any time.
func (a *API) Stats() Stats {
	return Stats{
		Running: int64(len(a.slots)), Waiting: a.queued.Load(), Tails: a.tails.Load(),
		Refused: a.refused.Load(), TailDropped: a.dropped.Load(), TailsCutOff: a.cutOff.Load(),
	}
}

// Handler serves all paths below /loki/api/v1/.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, answer := range map[string]func(*http.Request) (*answer, error){
		"query":                        a.query,
		"query_range":                  a.queryRange,
		"labels":                       a.labelNames,
		"label":                        a.labelNames,
		"label/{name}/values":          a.labelValues,
		"series":                       a.series,
		"index/stats":                  a.indexStats,
		"index/volume":                 a.volume,
		"index/volume_range":           a.volumeRange,
		"detected_labels":              a.detectedLabels,
		"detected_fields":              a.detectedFields,
		"detected_field/{name}/values": a.detectedFieldValues,
		"patterns":                     a.patterns,
		"format_query":                 a.formatQuery,
		"drilldown-limits":             a.drilldownLimits,
		"status/buildinfo":             a.buildInfo,
	} {
		mux.HandleFunc("/loki/api/v1/"+path, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, answer) })
	}
	mux.HandleFunc("GET /loki/api/v1/tail", a.tail)
	return mux
}

// maxForm is how large a posted form may be.
const maxForm = 256 << 10

func (a *API) serve(w http.ResponseWriter, r *http.Request, handle func(*http.Request) (*answer, error)) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "only GET and POST", http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		a.fail(w, r, badRequest("reading the form: %s", err))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.engine.Limits().Timeout)
	defer cancel()
	out, err := a.admitted(r.WithContext(ctx), handle)
	if err == nil && int64(out.b.Len()) > a.o.MaxResponse {
		err = badRequest("the answer is larger than %d bytes (max_response): ask for less", a.o.MaxResponse)
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(out.b.Bytes()) // whoever asked is gone
}

// admitted waits for a slot, so that not too many queries run at once.
func (a *API) admitted(r *http.Request, handle func(*http.Request) (*answer, error)) (*answer, error) {
	select {
	case a.slots <- struct{}{}:
	default:
		if a.queued.Add(1) > int64(a.o.MaxQueued) {
			a.queued.Add(-1)
			a.refused.Add(1)
			return nil, &statusError{http.StatusTooManyRequests, "too many outstanding requests: more queries wait than max_queued allows"}
		}
		select {
		case a.slots <- struct{}{}:
			a.queued.Add(-1)
		case <-r.Context().Done():
			a.queued.Add(-1)
			return nil, r.Context().Err()
		}
	}
	defer func() { <-a.slots }()
	return handle(r)
}

// statusError is an error with its status.
type statusError struct {
	status  int
	message string
}

func (e *statusError) Error() string { return e.message }

// statusClientClosed is what Loki, as nginx, says when nobody waits any more.
const statusClientClosed = 499

// fail answers with an error as plain text, as Loki does.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	var own *statusError
	var parse *logql.ParseError
	var limit *logql.LimitError
	var query *logql.QueryError
	status, message := http.StatusInternalServerError, "the store could not answer"
	switch {
	case errors.As(err, &own):
		status, message = own.status, own.message
	case errors.As(err, &parse), errors.As(err, &limit), errors.As(err, &query):
		status, message = http.StatusBadRequest, err.Error()
	case errors.Is(err, logql.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		status, message = http.StatusGatewayTimeout, "the query took longer than "+a.engine.Limits().Timeout.String()+" (timeout): ask for less"
	case errors.Is(err, context.Canceled):
		status, message = statusClientClosed, "the request was canceled"
	default:
		a.o.Logger.ErrorContext(r.Context(), "reading from the store failed", "path", r.URL.Path, "err", err)
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(message)) // whoever asked is gone
}
