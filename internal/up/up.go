// Package up is `pm25 up`: the agent's collectors, a Prometheus, an
// Alertmanager and the pages that people read, in one process with one listener
// and one data folder.
//
// The parts speak to each other in memory, so that TLS and passwords on the
// listener can not cut them. Whatever a configuration file holds is checked
// before anything takes it; a bad one leaves the running one in place. Parts
// start in order, stop in reverse, and each step of a stop is bounded.
package up

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"

	"github.com/pm25/pm25/internal/access"
	"github.com/pm25/pm25/internal/alertmanager"
	"github.com/pm25/pm25/internal/app"
	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/central"
	"github.com/pm25/pm25/internal/datadir"
	"github.com/pm25/pm25/internal/memnet"
	"github.com/pm25/pm25/internal/notify"
	"github.com/pm25/pm25/internal/pages"
	"github.com/pm25/pm25/internal/prom"
	"github.com/pm25/pm25/internal/record"
)

// stopTimeout bounds each step of an orderly stop.
const stopTimeout = 10 * time.Second

// Stack is all of `pm25 up`.
type Stack struct {
	opts      Options
	data      *datadir.Dir
	registry  *prometheus.Registry
	network   *memnet.Network
	neighbors *neighbors
	listeners []net.Listener
	exposure  access.Exposure
	gate      *access.Gate
	external  *url.URL
	first     loaded // what was read first, before the agents of this host are known

	central      *central.Central
	local        *central.Local
	agent        *app.Agent
	prometheus   *prom.Server
	alertmanager *alertmanager.Server
	bridge       *notify.Bridge
	pages        *pages.Pages

	stops   []stop // in the order of the starts
	reloads sync.Mutex
}

type stop struct {
	name string
	run  func(context.Context) error
}

// New checks the options and all that they name, and takes the data folder and
// the port. Nothing runs yet; Close undoes it.
func New(o Options) (*Stack, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Stack{opts: o, registry: prometheus.NewRegistry(), network: memnet.New()}
	s.neighbors = newNeighbors(s.network, o.HostName, o.Now)
	if err := s.prepare(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Stack) prepare() (err error) {
	if s.first, err = s.load(); err != nil {
		return err
	}
	if s.data, err = datadir.Open(s.opts.DataDir); err != nil {
		return err
	}
	s.onStop("data folder", func(context.Context) error { s.data.Close(); return nil })
	if s.listeners, err = app.Listen(s.opts.Web); err != nil {
		return err
	}
	s.onStop("listeners", func(context.Context) error {
		for _, l := range s.listeners {
			_ = l.Close() // closed by the server already, if it ran
		}
		return nil
	})
	if s.exposure, err = access.Expose(s.listeners, *s.opts.Web.WebConfigFile); err != nil {
		return err
	}
	if err := s.exposure.Check(s.opts.Insecure, *s.opts.Web.WebListenAddresses); err != nil {
		return err
	}
	s.exposure.Warn(s.opts.Slog)
	if s.external, err = access.ExternalURL(s.opts.ExternalURL, s.listeners, s.exposure); err != nil {
		return err
	}
	if err := s.guard(); err != nil {
		return err
	}
	s.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector("pm25"),
	)
	return nil
}

// guard decides who is let in.
func (s *Stack) guard() error {
	operator, err := access.OpenOperator(s.data.Sub(access.OperatorFile))
	if err != nil {
		return err
	}
	told, err := access.OpenNotify(s.data.Sub(access.NotifyFile))
	if err != nil {
		return err
	}
	s.gate, err = access.New(access.Options{
		Exposure: s.exposure, External: s.external, WebConfig: *s.opts.Web.WebConfigFile, Insecure: s.opts.Insecure,
		Operator: operator, Limited: map[string]*access.Token{notify.Path: told}, OwnRule: central.OwnRule, Logger: s.opts.Slog,
	})
	return err
}

// Close undoes what New and Run have done, in reverse, and returns what went
// wrong with it.
func (s *Stack) Close() error {
	var errs []error
	for len(s.stops) > 0 {
		last := s.stops[len(s.stops)-1]
		s.stops = s.stops[:len(s.stops)-1]
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		if err := last.run(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stopping the %s: %w", last.name, err))
		}
		cancel()
	}
	return errors.Join(errs...)
}

func (s *Stack) onStop(name string, run func(context.Context) error) {
	s.stops = append(s.stops, stop{name, run})
}

// Run starts all parts and serves until ctx is done or serving fails; each
// hangup reloads. Close has to follow.
func (s *Stack) Run(ctx context.Context, hangups <-chan os.Signal) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	handler, err := s.routes()
	if err != nil {
		return err
	}
	server := access.NewServer(handler)
	s.onStop("web server", func(ctx context.Context) error { s.central.EndTails(); return server.Shutdown(ctx) })
	served := make(chan error, 1)
	go func() { served <- s.gate.Serve(s.listeners, server, s.opts.MaxConnections) }()
	level.Info(s.opts.Logger).Log("msg", "pm25 is ready", "address", s.external.String())
	return app.UntilDone(ctx, s.opts.Logger, served, hangups, func() {
		_ = s.Reload("signal") // logged
	})
}

func (s *Stack) start(ctx context.Context) error {
	if err := s.openStore(); err != nil {
		return err
	}
	if err := s.startAgent(ctx); err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	self := http.NewServeMux()
	self.Handle("GET /metrics", s.metrics())
	self.Handle("GET "+localPath, s.neighbors.serve(s.agent.Watching))
	self.Handle("GET "+pushedPath, s.central.Targets())
	s.serveInMemory(selfHost, self)
	if err := s.startAlerting(); err != nil {
		return err
	}
	var err error
	s.pages, err = pages.New(pages.Options{
		Metrics: s.prometheus, Alerts: s.alertmanager, Notices: s.notices, Job: "pm2",
		Exceptions: s.central.Store(), Changing: s.gate.Changing, Who: access.Who, OperatorFile: s.data.Sub(access.OperatorFile), SourceURL: s.opts.SourceURL,
		Version: version.Version, Logger: s.opts.Slog, Now: s.opts.Now,
	})
	return err
}

// openStore opens the store of records; the agent in this process gets a bucket
// of its own in it.
func (s *Stack) openStore() (err error) {
	s.central, err = central.Open(central.Options{
		DataDir: s.data.Path(), Retention: s.opts.StoreRetention, MaxBytes: s.opts.StoreMaxBytes, MinFree: s.opts.MinFree, Limits: s.opts.PushLimits,
		ForgetAfter: s.opts.SDForgetAfter, Gate: s.gate, Registry: s.registry, Logger: s.opts.Slog.With("component", "store"), Now: s.opts.Now,
	})
	if err != nil {
		return err
	}
	s.onStop("store", func(context.Context) error { return s.central.Close() })
	s.onStop("store's housekeeping", inBackground(s.central.Run))
	s.local = s.central.NewLocal(record.Agent{Host: s.opts.HostName, Version: version.Version})
	s.onStop("records of this host", func(context.Context) error { return s.local.Close() })
	return nil
}

// inBackground runs something until it is stopped.
func inBackground(run func(context.Context)) (stop func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); run(ctx) }()
	return func(context.Context) error { cancel(); <-done; return nil }
}

// startAlerting starts Prometheus and Alertmanager. Alertmanager begins to wait
// for the alerts of the last run when Prometheus has read its storage, which may
// take long, and it ends after Prometheus.
func (s *Stack) startAlerting() error {
	// After a start each target is scraped and each rule evaluated some times
	// before Prometheus tells again what fires.
	slowest, err := prom.Slowest(s.first.prometheus, s.first.rules, s.opts.Slog)
	if err != nil {
		return err
	}
	if err := s.openPrometheus(); err != nil {
		return fmt.Errorf("prometheus: %w", err)
	}
	if err := s.startBridge(); err != nil {
		return errors.Join(err, s.prometheus.Close(context.Background()))
	}
	if err := s.startAlertmanager(4*slowest + 30*time.Second); err != nil {
		return errors.Join(fmt.Errorf("alertmanager: %w", err), s.prometheus.Close(context.Background()))
	}
	s.onStop("prometheus", s.prometheus.Close)
	s.prometheus.Start()
	return nil
}

func (s *Stack) startAlertmanager(grace time.Duration) (err error) {
	s.alertmanager, err = alertmanager.New(alertmanager.Options{
		Dir: s.data.Sub("alertmanager"), ExternalURL: s.external.JoinPath("alertmanager"),
		Sender: s.external.String() + "/graph?", Grace: grace, Dial: s.network.DialContext,
		Registry: s.registry, Logger: s.opts.Slog.With("component", "alertmanager"), Now: s.opts.Now,
	}, s.first.alertmanager)
	if err != nil {
		return err
	}
	s.onStop("alertmanager", s.alertmanager.Close)
	s.serveInMemory(alertmanagerHost, s.alertmanager.Handler())
	return nil
}

func (s *Stack) startAgent(ctx context.Context) (err error) {
	on := map[string]bool{}
	for _, group := range catalog.Groups() {
		on[group.Name] = true
	}
	recording := s.opts.Record
	recording.Sink = s.local
	s.agent, err = app.NewAgent(app.Options{
		Homes: s.opts.Homes, Users: s.opts.Users, ForgetAfter: s.opts.ForgetAfter, StateDir: s.data.Sub("agent"),
		Yield: s.neighbors.yield, TelemetryPath: "/metrics", Collectors: on, CustomPerProcess: 100,
		Record: recording, Ship: app.ShipOptions{Host: s.opts.HostName},
		Logger: s.opts.Logger, Slog: s.opts.Slog, Now: s.opts.Now,
	})
	if err != nil {
		return err
	}
	s.onStop("agent's files", func(context.Context) error { s.agent.Close(); return nil })
	if err := s.agent.Start(ctx); err != nil {
		return err
	}
	s.onStop("agent", func(context.Context) error { return s.agent.Stop() })
	s.serveInMemory(agentHost, s.agent.Metrics())
	return nil
}

func (s *Stack) openPrometheus() (err error) {
	s.prometheus, err = prom.Open(prom.Options{
		Dir: s.data.Sub("tsdb"), Retention: s.opts.Retention, RetentionSize: s.opts.RetentionSize, MinFree: uint64(s.opts.MinFree),
		BaseURL: s.external, Dial: s.network.DialContext, Rules: s.first.rules, Flags: s.opts.Flags,
		Registry: s.registry, Logger: s.opts.Slog.With("component", "prometheus"), Now: s.opts.Now,
	}, s.first.prometheus)
	return err
}

// serveInMemory answers at host.in-process.
func (s *Stack) serveInMemory(host string, handler http.Handler) {
	l := s.network.Listen(host)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	s.onStop(host+" in memory", func(context.Context) error { return server.Close() })
}
