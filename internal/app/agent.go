// Package app wires the programs together and runs them: it starts parts in
// order, stops them in reverse, and rolls a failed start back the same way.
package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/pm25/pm25/exporter"
	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/procfs"
	"github.com/pm25/pm25/internal/ship"
)

// shutdownTimeout bounds each step of an orderly stop.
const shutdownTimeout = 5 * time.Second

// settleTimeout bounds how long the first scrape waits for PM2.
const settleTimeout = 3 * time.Second

// Agent is the program pm25-agent.
type Agent struct {
	opts     Options
	state    *stateFile
	set      *daemonSet
	exporter *exporter.Exporter
	metrics  http.Handler
	sources  []procfs.Source
	rejected rejectedSockets
	shipper  *ship.Shipper // nil where no server is configured

	stopWatching context.CancelFunc
	watching     sync.WaitGroup
	stopShipping context.CancelFunc
	shipping     sync.WaitGroup
}

// NewAgent prepares an agent. Nothing is consumed or served yet; Close undoes
// it.
func NewAgent(o Options) (*Agent, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Web != nil && o.Web.WebConfigFile != nil {
		if err := web.Validate(*o.Web.WebConfigFile); err != nil {
			return nil, fmt.Errorf("--web.config.file %s: %w", *o.Web.WebConfigFile, err)
		}
	}
	a := &Agent{opts: o}
	if err := a.prepare(); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *Agent) prepare() (err error) {
	if a.state, err = openState(a.opts.StateDir, a.opts.Logger); err != nil {
		return err
	}
	restored, err := a.state.read()
	if err != nil {
		return err
	}
	finder, err := discovery.New(discovery.Options{
		Homes: a.opts.Homes, AllowedUsers: a.opts.Users, ForgetAfter: a.opts.ForgetAfter, ProcRoot: a.opts.ProcRoot,
		KnownFile: KnownFile(a.opts.StateDir), OnRejected: a.rejected.add, Now: a.opts.Now, Logger: a.opts.Logger,
	})
	if err != nil {
		return err
	}
	alone, err := a.source(true)
	if err != nil {
		return err
	}
	if a.shipper, err = openShipper(a.opts); err != nil {
		return err
	}
	recorders, err := newRecorders(a.opts, a.shipper)
	if err != nil {
		return err
	}
	a.set = &daemonSet{
		finder: finder, proc: alone, procRoot: a.opts.ProcRoot, bootID: bootID(a.opts.ProcRoot), log: a.opts.Logger,
		now: a.opts.Now, yield: a.opts.Yield, running: map[string]*watched{}, restored: restored, found: make(chan struct{}),
		limits: a.opts.Limits, recorders: recorders,
	}
	if recorders != nil {
		a.set.places = newPlaces(a.opts.StateDir, a.opts.Logger)
		a.set.placed = a.set.places.read(a.opts.Now())
	}
	all, err := a.collectors()
	if err != nil {
		return err
	}
	a.exporter, err = exporter.New(exporter.Options{
		Collectors: all, Daemons: a.set.daemons, Agent: a, Shipping: shipping(a.shipper), Logger: a.opts.Logger, Now: a.opts.Now,
	})
	if err != nil {
		return err
	}
	a.metrics = a.exporter.Handler(exporter.HandlerOptions{Self: a.selfMetrics(), Compress: a.opts.Compress, Created: a.opts.Created})
	if a.opts.Claim {
		a.set.claims = newClaims(a.metrics, a.opts.Logger)
	}
	return nil
}

func (a *Agent) collectors() ([]exporter.Collector, error) {
	daemons, err := a.source(true)
	if err != nil {
		return nil, err
	}
	processes, err := a.source(false)
	if err != nil {
		return nil, err
	}
	host, err := exporter.NewHostCollector(func(paths func() []string) (procfs.Host, error) {
		return procfs.NewHost(procfs.HostOptions{ProcRoot: a.opts.ProcRoot, Paths: paths})
	})
	if err != nil {
		return nil, err
	}
	var on []exporter.Collector
	for _, c := range []exporter.Collector{
		exporter.NewDaemonCollector(daemons), exporter.NewProcessCollector(processes), exporter.NewAppCollector(),
		exporter.NewHTTPCollector(a.opts.Now), exporter.NewNodejsCollector(a.opts.Now), exporter.NewCustomCollector(a.opts.CustomPerProcess), host,
	} {
		if a.opts.Collectors[c.Name()] {
			on = append(on, c)
		}
	}
	return on, nil
}

func (a *Agent) source(alone bool) (procfs.Source, error) {
	s, err := procfs.New(procfs.Options{ProcRoot: a.opts.ProcRoot, Alone: alone})
	if err == nil {
		a.sources = append(a.sources, s)
	}
	return s, err
}

// Close frees what NewAgent took.
func (a *Agent) Close() {
	for _, s := range a.sources {
		s.Close()
	}
	if a.set != nil {
		_ = a.set.finder.Close()
	}
	if a.shipper != nil {
		if err := a.shipper.Close(); err != nil {
			level.Error(a.opts.Logger).Log("msg", "Closing the spool", "err", err)
		}
	}
	if a.state != nil {
		a.state.close()
	}
}

// Run serves until ctx is done, and writes the state.
func (a *Agent) Run(ctx context.Context) error {
	listeners, err := Listen(a.opts.Web)
	if err != nil {
		return explainListen(err)
	}
	if err := a.Start(ctx); err != nil {
		closeAll(listeners)
		return err
	}
	server := &http.Server{Handler: a.routes(), ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	served := make(chan error, 1)
	go func() {
		served <- web.ServeMultiple(listeners, server, a.opts.Web, a.opts.Slog)
	}()
	Notify(a.opts.Logger, "READY=1")
	select {
	case err = <-served:
		err = fmt.Errorf("serving HTTP: %w", err)
	case <-ctx.Done():
		err = nil
	}
	Notify(a.opts.Logger, "STOPPING=1")
	stop, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if shutErr := server.Shutdown(stop); shutErr != nil {
		level.Warn(a.opts.Logger).Log("msg", "Requests were cut off at shutdown", "err", shutErr)
	}
	return errors.Join(err, a.Stop())
}

// Start begins to watch, and returns when the daemons that were found at first
// are known, or after some seconds. From here on the counters go on: the state
// of the last run is used up. Stop has to follow.
func (a *Agent) Start(ctx context.Context) error {
	if err := a.state.consume(); err != nil {
		return err
	}
	watchCtx, stop := context.WithCancel(context.Background())
	a.stopWatching = stop
	a.watching.Go(func() { a.set.run(watchCtx) })
	a.watching.Go(func() { Watchdog(watchCtx, a.opts.Logger) })
	if a.shipper != nil {
		shipCtx, stop := context.WithCancel(context.Background())
		a.stopShipping = stop
		a.shipping.Go(func() { _ = a.shipper.Run(shipCtx) }) // it ends without an error
	}

	settled, enough := context.WithTimeout(ctx, settleTimeout)
	defer enough()
	a.set.settle(settled)
	return nil
}

// Stop ends what Start began and writes the state.
func (a *Agent) Stop() error {
	a.set.claims.close()
	a.stopWatching()
	a.watching.Wait()
	states := a.set.save()     // which makes the last records
	if a.stopShipping != nil { // after those who make records
		a.stopShipping()
		a.shipping.Wait()
	}
	return a.state.write(states, a.opts.Now())
}

// Watching tells whether any daemon is watched.
func (a *Agent) Watching() bool { return len(a.set.daemons()) > 0 }

// Metrics serves the metrics.
func (a *Agent) Metrics() http.Handler { return a.metrics }

// RejectedSockets counts the sockets that discovery left alone, by reason.
func (a *Agent) RejectedSockets() map[string]uint64 { return a.rejected.counts() }

// StateErrors counts failures with the state file.
func (a *Agent) StateErrors() uint64 { return a.state.failures.Load() }

// StateRestored is true when counters go on from an earlier run.
func (a *Agent) StateRestored() bool { return a.set.restoredAny() }

// KnownFile is where the agent remembers the daemons it has seen.
func KnownFile(stateDir string) string { return filepath.Join(stateDir, "daemons.json") }

func (a *Agent) selfMetrics() prometheus.Gatherer {
	if !a.opts.SelfMetrics {
		return nil
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector())
	if source, err := a.source(true); err == nil {
		reg.MustRegister(newSelfProcess(source))
	}
	return reg
}

func bootID(procRoot string) string {
	if procRoot == "" {
		procRoot = "/proc"
	}
	data, err := os.ReadFile(filepath.Join(procRoot, "sys/kernel/random/boot_id"))
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(data))
}

type rejectedSockets struct {
	mu sync.Mutex
	n  map[string]uint64
}

func (r *rejectedSockets) add(_ string, reason discovery.Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n == nil {
		r.n = map[string]uint64{}
	}
	r.n[string(reason)]++
}

func (r *rejectedSockets) counts() map[string]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[string]uint64, len(r.n))
	for k, v := range r.n {
		out[k] = v
	}
	return out
}
