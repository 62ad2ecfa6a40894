// Package prom is a Prometheus inside this process: scraping, storage, rules,
// remote write and the HTTP API, run by a configuration in Prometheus' own
// format. All that knows Prometheus' Go packages, which change with each of its
// versions, is here.
//
// A configuration that can not be taken leaves the running one in place. After
// a kill the write-ahead log brings back all samples that were written, and
// series that ended while nothing ran are marked as ended. Close
// stops rules and scraping first, delivers what is queued for Alertmanagers and
// remote storage as far as its context allows, and closes the storage last,
// under no query.
//
// A full disk stops new samples before it can tear the write-ahead log; queries
// go on, and samples are taken again when there is room. Meanwhile nothing of a
// scrape is stored, not even up, and recording rules give nothing: five minutes
// on, expressions see no series, so alerts on values end and alerts on absence
// begin. Rules are evaluated and alerts sent as ever. A series that ends
// meanwhile is not marked as ended; queries drop it five minutes later.
//
// Not here: Prometheus' pages, its admin API, receiving remote write or OTLP,
// tracing, the settings under runtime, the file of queries that ran at a crash,
// and service discovery other than static, file, HTTP and DNS.
package prom

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/notifier"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/features"
)

const (
	defaultRetention = 15 * 24 * time.Hour
	defaultMinFree   = 64 << 20
)

// Options of a Server.
type Options struct {
	Dir           string        // folder of the time series; made when missing
	Retention     time.Duration // 0 with RetentionSize 0: 15 days
	RetentionSize int64         // bytes; 0: any
	MinFree       uint64        // bytes of Dir's file system that stay free; 0: 64 MiB
	BaseURL       *url.URL      // links in alerts are BaseURL/graph?g0.expr=…
	// Dial opens connections to targets and to lists of them, and to Alertmanagers
	// at *.in-process.
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	Rules    map[string]string // built-in rule files, by name
	Flags    map[string]string // for /api/v1/status/flags
	Registry *prometheus.Registry
	Logger   *slog.Logger
	Now      func() time.Time
}

func (o *Options) validate() error {
	if o.Dir == "" || o.BaseURL == nil || o.Dial == nil || o.Registry == nil || o.Logger == nil || o.Now == nil {
		return errors.New("prom: an option is missing")
	}
	if o.Retention < 0 || o.RetentionSize < 0 {
		return errors.New("prom: the retention is negative")
	}
	if o.Retention == 0 && o.RetentionSize == 0 {
		o.Retention = defaultRetention
	}
	if o.MinFree == 0 {
		o.MinFree = defaultMinFree
	}
	base := *o.BaseURL
	base.Path = strings.TrimRight(base.Path, "/")
	o.BaseURL = &base
	return nil
}

// Server is a running Prometheus.
type Server struct {
	opts   Options
	parser parser.Parser
	birth  time.Time
	can    features.Collector // what the parts are able to do, for /api/v1/features

	db       *tsdb.DB
	dbStats  *tsdb.DBStats
	guard    *guard
	remote   *remote.Storage
	storage  storage.Storage
	engine   *promql.Engine
	readers  *gate
	scrape   *scrape.Manager
	notifier *notifier.Manager
	rules    *rules.Manager
	scrapeSD *discovery.Manager
	notifySD *discovery.Manager
	inMemory *http.Client
	handler  http.Handler

	// finding ends with Close, working when Close has no more time.
	finding, working       context.Context
	stopFinding, abortWork context.CancelFunc

	ready   atomic.Bool
	running sync.WaitGroup
	conf    atomic.Pointer[config.Config]     // the one that runs
	builtin atomic.Pointer[map[string]string] // rule files that run, by name

	state      sync.Mutex // held while a configuration is taken
	applied    bool
	started    bool
	closed     bool
	lastReload struct {
		ok atomic.Bool
		at atomic.Int64 // seconds
	}
}

// Open reads the storage, as long as that takes, and applies the configuration,
// which is the Server's from then on. Nothing is scraped or evaluated before
// Start.
func Open(o Options, conf *config.Config) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Server{opts: o, parser: newParser(), birth: o.Now(), can: features.NewRegistry()}
	s.finding, s.stopFinding = context.WithCancel(context.Background())
	s.working, s.abortWork = context.WithCancel(context.Background())
	if err := s.open(conf); err != nil {
		return nil, errors.Join(err, s.close(context.Background()))
	}
	return s, nil
}

func newParser() parser.Parser {
	return parser.NewParser(parser.Options{ExperimentalDurationExpr: true}) // as the server's default
}

func (s *Server) open(conf *config.Config) error {
	if err := Check(conf, s.opts.Rules, s.opts.Logger); err != nil {
		return err
	}
	s.complete(conf)
	s.conf.Store(conf)
	if err := s.openStorage(conf); err != nil {
		return err
	}
	s.engine = s.newEngine()
	if err := s.newManagers(conf); err != nil {
		return err
	}
	s.registerReloads()
	s.handler = s.newHandler()
	return s.take(conf, s.opts.Rules)
}

// Start begins to discover, scrape, evaluate and notify. Close has to follow.
func (s *Server) Start() {
	s.state.Lock()
	defer s.state.Unlock()
	if s.started || s.closed {
		return
	}
	s.started = true
	run := func(name string, f func() error) {
		s.running.Go(func() {
			if err := f(); err != nil && !errors.Is(err, context.Canceled) {
				s.opts.Logger.Error("A part of Prometheus ended", "part", name, "err", err)
			}
		})
	}
	run("scrape discovery", s.scrapeSD.Run)
	run("notify discovery", s.notifySD.Run)
	run("notifier", func() error { s.notifier.Run(s.notifySD.SyncCh()); return nil })
	run("scraping", func() error { return s.scrape.Run(s.scrapeSD.SyncCh()) })
	run("rules", func() error { s.awaitAlertmanagers(); s.rules.Run(); return nil })
	run("marks", func() error { s.markEnded(); return nil })
	s.ready.Store(true)
}

// awaitAlertmanagers lets discovery begin before rules do: what nobody hears is
// only told again after a minute.
func (s *Server) awaitAlertmanagers() {
	if len(s.conf.Load().AlertingConfig.AlertmanagerConfigs) == 0 {
		return
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(discoveryPace); len(s.notifier.Alertmanagers()) == 0; {
		select {
		case <-tick.C:
		case <-end:
			return
		case <-s.finding.Done():
			return
		}
	}
}

// Ready tells whether Start was called and Close was not.
func (s *Server) Ready() bool { return s.ready.Load() }

// DiskLow tells how many bytes the storage's file system has free, and whether
// that is too little to take samples.
func (s *Server) DiskLow() (free uint64, low bool) { return s.guard.state() }

func (s *Server) component(name string) *slog.Logger {
	return slog.New(quiet{s.opts.Logger.Handler()}).With("part", name)
}
