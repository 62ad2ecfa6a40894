package prom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	commonconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/notifier"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/util/logging"

	"github.com/pm25/pm25/internal/memnet"

	// Kinds of service discovery that a configuration file may name.
	_ "github.com/prometheus/prometheus/discovery/dns"
	_ "github.com/prometheus/prometheus/discovery/file"
	_ "github.com/prometheus/prometheus/discovery/http"
)

// The defaults of Prometheus' flags.
const (
	queryTimeout     = 2 * time.Minute
	queryConcurrency = 20
	maxSamples       = 50_000_000
	lookback         = 5 * time.Minute
	notifierQueue    = 10_000
	discoveryPace    = 5 * time.Second
	outageTolerance  = time.Hour
	// Not Prometheus' 10 minutes, below which alerts would have to wait for their
	// `for` again after a restart: ours takes a second.
	forGracePeriod   = 0
	alertResendDelay = time.Minute
)

func (s *Server) newEngine() *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{
		Logger: s.component("query engine"), Reg: s.opts.Registry, MaxSamples: maxSamples, Timeout: queryTimeout,
		ActiveQueryTracker: make(slots, queryConcurrency), LookbackDelta: lookback, EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 {
			return time.Duration(s.conf.Load().GlobalConfig.EvaluationInterval).Milliseconds()
		},
		Parser: s.parser, FeatureRegistry: s.can,
	})
}

func (s *Server) newManagers(conf *config.Config) error {
	if err := s.newDiscovery(); err != nil {
		return err
	}
	scheme := conf.GlobalConfig.MetricNameValidationScheme
	s.inMemory = &http.Client{Transport: &http.Transport{DialContext: s.opts.Dial}}
	s.notifier = notifier.NewManager(&notifier.Options{
		QueueCapacity: notifierQueue, DrainOnShutdown: true, Registerer: s.opts.Registry, Do: s.deliver,
	}, scheme, s.component("notifier"))
	var err error
	s.scrape, err = scrape.NewManager(&scrape.Options{
		ParseST: true, DiscoveryReloadInterval: model.Duration(discoveryPace), DiscoveryReloadOnStartup: true, FeatureRegistry: s.can,
		HTTPClientOptions: []commonconfig.HTTPClientOption{commonconfig.WithDialContextFunc(s.opts.Dial)},
	}, s.component("scrape manager"), logging.NewJSONFileLogger, nil, guarded{s.guard, s.storage}, s.opts.Registry)
	if err != nil {
		return fmt.Errorf("scrape manager: %w", err)
	}
	s.rules = rules.NewManager(&rules.ManagerOptions{
		NameValidationScheme: scheme, Context: s.working,
		Appendable: guarded{s.guard, s.storage}, Queryable: s.db,
		QueryFunc:  rules.EngineQueryFunc(s.engine, s.storage),
		NotifyFunc: rules.SendAlerts(s.notifier, s.opts.BaseURL.String()), ExternalURL: s.opts.BaseURL,
		OutageTolerance: outageTolerance, ForGracePeriod: forGracePeriod, ResendDelay: alertResendDelay,
		DefaultRuleQueryOffset: func() time.Duration { return time.Duration(s.conf.Load().GlobalConfig.RuleQueryOffset) },
		GroupLoader:            running{s}, Parser: s.parser,
		Registerer: s.opts.Registry, Logger: s.component("rule manager"), FeatureRegistry: s.can,
	})
	return nil
}

func (s *Server) newDiscovery() error {
	metrics, err := discovery.CreateAndRegisterSDMetrics(s.opts.Registry)
	if err != nil {
		return fmt.Errorf("metrics of service discovery: %w", err)
	}
	log := s.component("discovery")
	dialed := discovery.HTTPClientOptions(commonconfig.WithDialContextFunc(s.opts.Dial))
	s.scrapeSD = discovery.NewManager(s.finding, log, s.opts.Registry, metrics, discovery.Name("scrape"), discovery.FeatureRegistry(s.can), dialed)
	s.notifySD = discovery.NewManager(s.finding, log, s.opts.Registry, metrics, discovery.Name("notify"), dialed)
	if s.scrapeSD == nil || s.notifySD == nil {
		return errors.New("service discovery: its metrics can not be registered")
	}
	return nil
}

// deliver sends to an Alertmanager: to one of this process in memory, to others
// with the client that their configuration made.
func (s *Server) deliver(ctx context.Context, client *http.Client, req *http.Request) (*http.Response, error) {
	if err := s.working.Err(); err != nil {
		return nil, err
	}
	if strings.HasSuffix(req.URL.Hostname(), memnet.Suffix) {
		client = s.inMemory
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.working, cancel)
	resp, err := client.Do(req.WithContext(ctx))
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	resp.Body = &releasing{resp.Body, func() { stop(); cancel() }}
	return resp, nil
}

func (s *Server) registerReloads() {
	s.opts.Registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "prometheus_config_last_reload_successful", Help: "Whether the last configuration reload attempt was successful.",
		}, func() float64 {
			if s.lastReload.ok.Load() {
				return 1
			}
			return 0
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "prometheus_config_last_reload_success_timestamp_seconds", Help: "Timestamp of the last successful configuration reload.",
		}, func() float64 { return float64(s.lastReload.at.Load()) }))
}

// releasing is a body that ends its request's context when it is closed.
type releasing struct {
	io.ReadCloser
	release func()
}

func (r *releasing) Close() error {
	defer r.release()
	return r.ReadCloser.Close()
}
