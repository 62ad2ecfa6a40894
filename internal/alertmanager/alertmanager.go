// Package alertmanager is an Alertmanager inside this process: it groups,
// inhibits, silences and delivers alerts by a configuration in Alertmanager's
// own format, and answers its API. All that knows Alertmanager's Go packages is
// here. There is no cluster and there are no pages.
//
// It survives a kill: each silence and each delivery is in a journal on disk
// before the call that made it returns, and the alerts there were are put back
// at the next start, for as long as Prometheus needs to send them again. So
// nothing that was told is told again within its repeat interval, and what ended
// meanwhile is told as resolved. A delivery that was under way at the moment of
// the kill may be made twice. When the disk is full all goes on in memory, and
// the failure is logged and counted.
package alertmanager

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/api"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
)

const (
	defaultRetention = 5 * 24 * time.Hour
	// defaultGrace is how long an alert of the last run fires without being sent
	// again: Prometheus needs its own start, one `for` and one evaluation.
	defaultGrace    = 3 * time.Minute
	alertGC         = 30 * time.Minute
	snapshotEach    = 15 * time.Minute
	maxSilences     = 1000
	maxSilenceBytes = 64 << 10
	apiConcurrency  = 20
	dispatchUpkeep  = 30 * time.Second
	maxRequest      = 10 << 20
)

// Options of a Server.
type Options struct {
	Dir       string        // folder for silences, deliveries and firing alerts; made when missing
	Retention time.Duration // of silences and deliveries; 0: 5 days
	Grace     time.Duration // see defaultGrace; 0 for it
	// Sender begins the generator URL of alerts whose sender ends and starts
	// with this program: what it said before counts no more.
	Sender      string
	ExternalURL *url.URL // for links in messages
	// Dial opens the connections to receivers that are reached over HTTP; nil: as
	// usual.
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	Registry *prometheus.Registry
	Logger   *slog.Logger
	Now      func() time.Time
}

func (o *Options) validate() error {
	if o.Dir == "" || o.ExternalURL == nil || o.Registry == nil || o.Logger == nil || o.Now == nil {
		return errors.New("alertmanager: an option is missing")
	}
	if o.Retention == 0 {
		o.Retention = defaultRetention
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	return nil
}

// Server is a running Alertmanager.
type Server struct {
	opts     Options
	metrics  metrics
	recorder eventrecorder.Recorder

	silences   *silence.Silences
	silencer   *silence.Silencer
	deliveries *nflog.Log
	journals   []*journal
	alerts     *mem.Alerts
	firing     *firing
	failures   *failures
	taken      bool // the alerts of the last run are in memory: their file may be replaced
	groups     marker.GroupMarker
	pipelines  *notify.PipelineBuilder
	dispatched *dispatch.DispatcherMetrics
	api        *api.API
	handler    http.Handler
	birth      time.Time

	reloads sync.Mutex
	closed  bool
	live    atomic.Pointer[generation]

	integrations atomic.Int64

	stop   chan struct{}
	upkeep sync.WaitGroup
}

// New takes up what the last run left in the folder and begins to deliver.
func New(o Options, conf *config.Config) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registry)
	if err != nil {
		return nil, fmt.Errorf("metrics of Alertmanager: %w", err)
	}
	s := &Server{opts: o, metrics: m, recorder: eventrecorder.NopRecorder(), groups: marker.NewGroupMarker(), birth: o.Now(), stop: make(chan struct{}), failures: newFailures(o.Now)}
	if err := s.open(conf); err != nil {
		_ = s.Close(context.Background())
		return nil, err
	}
	return s, nil
}

func (s *Server) open(conf *config.Config) (err error) {
	if err := os.MkdirAll(s.opts.Dir, 0o700); err != nil {
		return fmt.Errorf("folder of Alertmanager: %w", err)
	}
	if err := s.openDeliveries(); err != nil {
		return err
	}
	if err := s.openSilences(); err != nil {
		return err
	}
	if err := s.openAlerts(); err != nil {
		return err
	}
	s.pipelines = notify.NewPipelineBuilder(s.opts.Registry, featurecontrol.NoopFlags{}, s.recorder)
	s.dispatched = dispatch.NewDispatcherMetrics(false, s.opts.Registry, featurecontrol.NoopFlags{})
	if s.api, err = api.New(api.Options{
		Alerts: s.alerts, Silences: s.silences, GroupMutedFunc: s.groups.Muted, GroupFunc: s.alertGroups,
		Timeout: time.Minute, Concurrency: apiConcurrency, Logger: s.opts.Logger, Registry: s.opts.Registry, RequestDuration: s.metrics.requests,
	}); err != nil {
		return fmt.Errorf("API: %w", err)
	}
	s.handler = s.newHandler()
	if err := s.Reload(conf); err != nil {
		return err
	}
	s.upkeep.Go(func() { s.firing.run(s.stop) })
	return nil
}

func (s *Server) openDeliveries() error {
	file := filepath.Join(s.opts.Dir, "nflog")
	var err error
	s.deliveries, err = nflog.New(nflog.Options{SnapshotFile: file, Retention: s.opts.Retention, Logger: s.opts.Logger, Metrics: s.opts.Registry})
	if err != nil {
		return fmt.Errorf("log of deliveries %s: %w; move it away to go on without", file, err)
	}
	return s.keep("deliveries", file, s.deliveries, func(compact func() (int64, error)) {
		s.deliveries.Maintenance(snapshotEach, file, s.stop, compact)
	})
}

func (s *Server) openSilences() error {
	file := filepath.Join(s.opts.Dir, "silences")
	var err error
	s.silences, err = silence.New(silence.Options{
		SnapshotFile: file, Retention: s.opts.Retention, Logger: s.opts.Logger, Metrics: s.opts.Registry, EventRecorder: s.recorder,
		Limits: silence.Limits{MaxSilences: func() int { return maxSilences }, MaxSilenceSizeBytes: func() int { return maxSilenceBytes }},
	})
	if err != nil {
		return fmt.Errorf("silences %s: %w; move it away to go on without", file, err)
	}
	return s.keep("silences", file, s.silences, func(compact func() (int64, error)) {
		s.silences.Maintenance(snapshotEach, file, s.stop, compact)
	})
}

// keep puts a journal between the snapshots of what is kept. maintain is
// Alertmanager's own loop, which counts: a snapshot now and then, and a last one.
func (s *Server) keep(name, file string, st state, maintain func(compact func() (int64, error))) error {
	j, err := openJournal(journalOptions{Path: file + ".journal", Snapshot: file, Name: name, State: st, Failures: s.metrics.journalFailures, Logger: s.opts.Logger, Now: s.opts.Now})
	if err != nil {
		return err
	}
	s.journals = append(s.journals, j)
	st.SetBroadcast(j.append)
	s.upkeep.Go(func() { j.run(s.stop) })
	s.upkeep.Go(func() { maintain(j.compact) })
	return nil
}

func (s *Server) openAlerts() (err error) {
	s.silencer = silence.NewSilencer(s.silences, s.opts.Logger, s.recorder)
	s.firing = newFiring(filepath.Join(s.opts.Dir, "alerts.json"), s.opts.Sender, s.metrics.journalFailures, s.opts.Logger, s.opts.Now)
	s.alerts, err = mem.NewAlerts(context.Background(), alertGC, 0, storeHooks{s.silencer, s.firing}, s.opts.Logger, s.recorder, s.opts.Registry, featurecontrol.NoopFlags{})
	if err != nil {
		return fmt.Errorf("alerts: %w", err)
	}
	if err := s.firing.restore(s.alerts.Put, s.opts.Grace); err != nil {
		return err
	}
	s.taken = true
	return nil
}

func (s *Server) alertGroups(ctx context.Context, routes func(*dispatch.Route) bool, alerts func(*alert.Alert, time.Time) bool) (dispatch.AlertGroups, map[model.Fingerprint][]string, error) {
	return s.live.Load().dispatcher.Groups(ctx, routes, alerts)
}
