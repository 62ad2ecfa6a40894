package central

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/pm25/pm25/internal/access"
	"github.com/pm25/pm25/internal/app"
	"github.com/pm25/pm25/internal/datadir"
	"github.com/pm25/pm25/internal/notify"
	"github.com/pm25/pm25/internal/pages"
	"github.com/pm25/pm25/internal/routingfiles"
	"github.com/pm25/pm25/internal/server"
)

// stopTimeout bounds each step of an orderly stop.
const stopTimeout = 10 * time.Second

// ProgramOptions of `pm25 server`, named after its flags.
type ProgramOptions struct {
	DataDir        string
	Web            *web.FlagConfig
	Insecure       bool
	ExternalURL    string
	AllowedHosts   []string // further names by which this server is asked
	MaxConnections int

	Retention   time.Duration
	MaxBytes    int64
	Limits      server.Limits
	ForgetAfter time.Duration
	SourceURL   string

	Alerting      routingfiles.Names // --alert.receivers-file, --alert.owners-file
	NotifyToken   string             // --notify.token-file; empty: in the data folder
	PrometheusURL string             // --prometheus.url; empty: there is none

	Logger log.Logger
	Slog   *slog.Logger // the same for libraries
	Now    func() time.Time
}

func (o ProgramOptions) validate() error {
	switch {
	case o.Web == nil || o.Logger == nil || o.Slog == nil || o.Now == nil:
		return errors.New("server: an option is missing")
	case o.DataDir == "":
		return errors.New("--data.dir is empty: name a folder")
	case o.MaxConnections < 1:
		return fmt.Errorf("--web.max-connections is %d: it has to be 1 or more", o.MaxConnections)
	case o.ForgetAfter <= 0:
		return fmt.Errorf("--sd.forget-after is %s: it has to be positive", o.ForgetAfter)
	}
	if file := *o.Web.WebConfigFile; file != "" {
		if err := web.Validate(file); err != nil {
			return fmt.Errorf("--web.config.file %s: %w", file, err)
		}
	}
	if err := pages.CheckSourceURL(o.SourceURL); err != nil {
		return err
	}
	if err := o.Alerting.Validate(); err != nil {
		return err
	}
	if err := checkPrometheusURL(o.PrometheusURL); err != nil {
		return err
	}
	return Options{Retention: o.Retention, MaxBytes: o.MaxBytes}.Validate()
}

// Program is `pm25 server`.
type Program struct {
	opts      ProgramOptions
	registry  *prometheus.Registry
	listeners []net.Listener
	gate      *access.Gate
	central   *Central
	pages     *pages.Pages
	bridge    *notify.Bridge
	external  *url.URL
	stops     []func(context.Context) error // in the order of the starts
	reloads   sync.Mutex
}

// NewProgram takes the data folder and the port, and opens the store. Close
// undoes it.
func NewProgram(o ProgramOptions) (*Program, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	p := &Program{opts: o, registry: prometheus.NewRegistry()}
	if err := p.prepare(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *Program) prepare() error {
	data, err := datadir.Open(p.opts.DataDir)
	if err != nil {
		return err
	}
	p.onStop(func(context.Context) error { data.Close(); return nil })
	if p.listeners, err = app.Listen(p.opts.Web); err != nil {
		return err
	}
	p.onStop(func(context.Context) error {
		for _, l := range p.listeners {
			_ = l.Close() // closed by the server already, if it ran
		}
		return nil
	})
	if err := p.guard(data); err != nil {
		return err
	}
	p.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), versioncollector.NewCollector("pm25"),
	)
	p.central, err = Open(Options{
		DataDir: data.Path(), Retention: p.opts.Retention, MaxBytes: p.opts.MaxBytes, Limits: p.opts.Limits, ForgetAfter: p.opts.ForgetAfter,
		Gate: p.gate, Registry: p.registry, Logger: p.opts.Slog, Now: p.opts.Now,
	})
	if err != nil {
		return err
	}
	p.onStop(func(context.Context) error { return p.central.Close() })
	if err := p.startBridge(); err != nil {
		return err
	}
	p.pages, err = pages.New(pages.Options{
		Exceptions: p.central.Store(), Changing: p.gate.Changing, Who: access.Who, OperatorFile: data.Sub(access.OperatorFile), SourceURL: p.opts.SourceURL,
		Notices: func() []pages.Notice { return nil }, Version: version.Version, Logger: p.opts.Slog, Now: p.opts.Now,
	})
	return err
}

func (p *Program) guard(data *datadir.Dir) error {
	file := *p.opts.Web.WebConfigFile
	exposure, err := access.Expose(p.listeners, file)
	if err != nil {
		return err
	}
	if err := exposure.Check(p.opts.Insecure, *p.opts.Web.WebListenAddresses); err != nil {
		return err
	}
	exposure.Warn(p.opts.Slog)
	if p.external, err = access.ExternalURL(p.opts.ExternalURL, p.listeners, exposure); err != nil {
		return err
	}
	operator, err := access.OpenOperator(data.Sub(access.OperatorFile))
	if err != nil {
		return err
	}
	told, err := p.notifyToken(data)
	if err != nil {
		return err
	}
	p.gate, err = access.New(access.Options{
		Exposure: exposure, External: p.external, Names: p.opts.AllowedHosts, WebConfig: file, Insecure: p.opts.Insecure,
		Operator: operator, Limited: map[string]*access.Token{notify.Path: told}, OwnRule: OwnRule, Logger: p.opts.Slog,
	})
	return err
}

// notifyToken is what Alertmanager shows to the bridge.
func (p *Program) notifyToken(data *datadir.Dir) (*access.Token, error) {
	file := p.opts.NotifyToken
	if file == "" {
		return access.OpenNotify(data.Sub(access.NotifyFile))
	}
	token, err := access.OpenSharedNotify(file)
	if err != nil {
		return nil, fmt.Errorf("--notify.token-file: %w", err)
	}
	return token, nil
}

// OwnRule tells of paths that ask for no password: probes of what runs us, and
// the pushes of agents, which have tokens.
func OwnRule(path string) bool {
	return path == "/-/healthy" || path == "/-/ready" || server.OwnRule(path)
}

func (p *Program) onStop(run func(context.Context) error) { p.stops = append(p.stops, run) }

// Close undoes what NewProgram and Run have done, in reverse.
func (p *Program) Close() error {
	var errs []error
	for len(p.stops) > 0 {
		last := p.stops[len(p.stops)-1]
		p.stops = p.stops[:len(p.stops)-1]
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		errs = append(errs, last(ctx))
		cancel()
	}
	return errors.Join(errs...)
}

// Run serves until ctx is done or serving fails. A hangup reads anew who is told of
// alerts; the web configuration is followed anyway. Close has to follow.
func (p *Program) Run(ctx context.Context, hangups <-chan os.Signal) error {
	web := access.NewServer(p.gate.Handler(p.routes()))
	sweeping, stopSweeping := context.WithCancel(context.Background())
	swept := make(chan struct{})
	go func() { defer close(swept); p.central.Run(sweeping) }()
	p.onStop(func(context.Context) error { stopSweeping(); <-swept; return nil })
	p.onStop(func(ctx context.Context) error { p.central.EndTails(); return web.Shutdown(ctx) })
	served := make(chan error, 1)
	go func() { served <- p.gate.Serve(p.listeners, web, p.opts.MaxConnections) }()
	level.Info(p.opts.Logger).Log("msg", "pm25 server is ready", "address", p.external.String())
	return app.UntilDone(ctx, p.opts.Logger, served, hangups, func() {
		_ = p.Reload("signal") // logged
	})
}

func (p *Program) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "pm25 is healthy.") })
	// The store is open before the port answers.
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "pm25 is ready.") })
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{Registry: p.registry, MaxRequestsInFlight: 10, EnableOpenMetrics: true}))
	mux.HandleFunc("POST /-/reload", func(w http.ResponseWriter, _ *http.Request) {
		if err := p.Reload("request"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.Handle(notify.Path, p.gate.Changing(p.bridge.Handler()))
	mux.Handle("/api/v1/", p.central.Handler())
	mux.Handle("/loki/", p.central.Handler())
	mux.Handle("/", p.pages.Handler())
	return mux
}
