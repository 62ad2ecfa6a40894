// Package server is the HTTP side of the central half: it takes what agents push,
// answers questions about exception groups, runs and hosts, changes groups and
// buckets, and lists agents for Prometheus.
//
// It guarantees that a push is answered with success only when the store has it
// on disk; that a record is kept in the bucket of its token and no other; and
// that memory stays bounded whatever is sent. Who may read is decided by what
// stands before it; what changes something goes through Options.Changing.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// Store keeps what is pushed.
type Store interface {
	Push(ctx context.Context, bucket string, from record.Agent, records []*record.Record) (stored, duplicates int, err error)
	Record(ctx context.Context, id string) (r *record.Record, bucket string, err error)

	Groups(ctx context.Context, q sessionstore.GroupQuery) ([]sessionstore.Group, error)
	Group(ctx context.Context, id string) (sessionstore.Group, error)
	ChangeGroup(ctx context.Context, id string, c sessionstore.Change) (sessionstore.Group, error)
	GroupHours(ctx context.Context, id string, since time.Time) ([]sessionstore.HourCount, error)
	GroupSamples(ctx context.Context, id string, limit int) ([]*record.Record, error)
	GroupStates(ctx context.Context) (map[sessionstore.State]int, error)
	Runs(ctx context.Context, q sessionstore.RunQuery) ([]sessionstore.Run, error)
	Hosts(ctx context.Context) ([]sessionstore.Host, error)

	CreateBucket(ctx context.Context, name string) (tok sessionstore.Token, secret string, err error)
	Buckets(ctx context.Context) ([]sessionstore.Bucket, error)
	RotateToken(ctx context.Context, bucket string, keepOld time.Duration) (tok sessionstore.Token, secret string, err error)
	RevokeToken(ctx context.Context, bucket, tokenID string) error
	Authenticate(ctx context.Context, secret string) (bucket string, err error)

	Size() int64
}

// Options of a Server.
type Options struct {
	Store Store
	Loki  http.Handler // serves /loki/; nil: none
	// Changing keeps a handler to those who may change something; Who names them.
	Changing func(http.Handler) http.Handler
	Who      func(context.Context) (name string, ok bool)

	Limits      Limits
	ForgetAfter time.Duration // how long an agent that is silent is listed for Prometheus

	Registry prometheus.Registerer
	Logger   *slog.Logger
	Now      func() time.Time
}

// Server answers.
type Server struct {
	opts    Options
	metrics *metrics
	limits  *limiter
	handler http.Handler
}

// New registers the server's metrics and prepares its handlers.
func New(o Options) (*Server, error) {
	if o.Store == nil || o.Changing == nil || o.Who == nil || o.Registry == nil || o.Logger == nil || o.Now == nil {
		return nil, errors.New("server: an option is missing")
	}
	if err := o.Limits.validate(); err != nil {
		return nil, err
	}
	s := &Server{opts: o, limits: newLimiter(o.Limits, o.Now)}
	var err error
	if s.metrics, err = newMetrics(o); err != nil {
		return nil, err
	}
	s.handler = s.routes()
	return s, nil
}

// Handler serves everything below /api/v1/ that is ours, and /loki/.
func (s *Server) Handler() http.Handler { return s.handler }

// OwnRule tells of paths that ask for credentials of their own.
func OwnRule(path string) bool { return path == pushPath }

// Serves tells whether a path is for Handler.
func Serves(path string) bool {
	return strings.HasPrefix(path, "/api/v1/") || strings.HasPrefix(path, "/loki/")
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pushPath, s.push)
	mux.HandleFunc("GET /api/v1/exceptions", s.listGroups)
	mux.HandleFunc("GET /api/v1/exceptions/{id}", s.showGroup)
	s.changing(mux, "POST /api/v1/exceptions/{id}", s.changeGroup)
	mux.HandleFunc("GET /api/v1/runs", s.listRuns)
	mux.HandleFunc("GET /api/v1/records/{id}", s.showRecord)
	mux.HandleFunc("GET /api/v1/hosts", s.listHosts)
	mux.HandleFunc("GET /api/v1/sd", s.discover)
	s.changing(mux, "GET /api/v1/whoami", s.whoami)
	mux.HandleFunc("GET /api/v1/buckets", s.listBuckets)
	s.changing(mux, "POST /api/v1/buckets", s.createBucket)
	s.changing(mux, "POST /api/v1/buckets/{name}/rotate", s.rotateToken)
	s.changing(mux, "POST /api/v1/buckets/{name}/revoke", s.revokeToken)
	for path, allowed := range map[string]string{
		pushPath: "POST", "/api/v1/exceptions": "GET", "/api/v1/exceptions/{id}": "GET, POST", "/api/v1/runs": "GET",
		"/api/v1/records/{id}": "GET", "/api/v1/hosts": "GET", "/api/v1/sd": "GET", "/api/v1/buckets": "GET, POST", "/api/v1/whoami": "GET",
		"/api/v1/buckets/{name}/rotate": "POST", "/api/v1/buckets/{name}/revoke": "POST",
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", allowed)
			refuse(w, http.StatusMethodNotAllowed, "this path takes "+allowed+" only")
		})
	}
	if s.opts.Loki != nil {
		mux.Handle("/loki/", s.opts.Loki)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "there is nothing at this path")
	})
	return mux
}

func (s *Server) changing(mux *http.ServeMux, pattern string, h http.HandlerFunc) {
	mux.Handle(pattern, s.opts.Changing(h))
}
