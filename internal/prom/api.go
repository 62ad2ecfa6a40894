package prom

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/alecthomas/units"
	"github.com/grafana/regexp"
	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/route"
	"github.com/prometheus/common/version"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/notifications"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

const healthPath = "/-/healthy"

// The defaults of Prometheus' flags for remote read.
const (
	readSamples    = 50_000_000
	readAtOnce     = 10
	readFrameBytes = 1 << 20
)

// Handler serves /api/v1/…, /-/healthy and /-/ready. A query that runs when the
// Server closes is cut off.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) newHandler() http.Handler {
	router := route.New()
	s.newAPI().Register(router.WithPrefix("/api/v1"))
	for path, answer := range map[string]string{healthPath: "Prometheus Server is Healthy.", "/-/ready": "Prometheus Server is Ready."} {
		say := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, answer) }
		router.Get(path, say)
		router.Head(path, say)
	}
	gated := s.whenReady(s.surviving(router))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == healthPath { // not only when ready
			router.ServeHTTP(w, r)
			return
		}
		gated.ServeHTTP(w, r)
	})
}

func (s *Server) newAPI() *apiv1.API {
	return apiv1.NewAPI(
		s.engine, s.storage, nil, nil, s.db,
		func(context.Context) apiv1.ScrapePoolsRetriever { return s.scrape },
		func(context.Context) apiv1.TargetRetriever { return s.scrape },
		func(context.Context) apiv1.AlertmanagerRetriever { return s.notifier },
		func() config.Config { return *s.conf.Load() },
		s.opts.Flags,
		apiv1.GlobalURLOptions{ListenAddress: s.opts.BaseURL.Host, Host: s.opts.BaseURL.Host, Scheme: s.opts.BaseURL.Scheme},
		func(next http.HandlerFunc) http.HandlerFunc { return next }, // the whole handler waits
		admin{s.db, s.dbStats}, s.opts.Dir,
		false, false, 0, // admin API, search API and its limit
		s.component("api"),
		func(context.Context) apiv1.RulesRetriever { return s.rules },
		readSamples, readAtOnce, readFrameBytes,
		false,                           // agent mode
		regexp.MustCompile(`^(?:a^)?$`), // no other origin
		s.runtimeInfo, buildInfo(dependencies()),
		func() []notifications.Notification { return nil },
		func() (<-chan notifications.Notification, func(), bool) { return nil, func() {}, false },
		s.opts.Registry, s.opts.Registry,
		nil,
		false, remoteapi.MessageTypes{}, // remote write receiver
		false, false, false, // OTLP receiver
		true, lookback, false, false,
		nil, s.can,
		apiv1.OpenAPIOptions{ExternalURL: s.opts.BaseURL.JoinPath("prometheus").String(), Version: version.Version},
		s.parser,
	)
}

// whenReady lets requests read the storage while it is open.
func (s *Server) whenReady(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.ready.Load() {
			http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
			return
		}
		ctx, leave, err := s.readers.enter(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		defer leave()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// surviving turns a panic into an answer, whoever serves.
func (s *Server) surviving(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p) // how handlers break off an answer
			default:
				s.opts.Logger.Error("A request made Prometheus panic", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				http.Error(w, "internal error", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func (s *Server) runtimeInfo() (apiv1.RuntimeInfo, error) {
	host, err := os.Hostname()
	if err != nil {
		return apiv1.RuntimeInfo{}, fmt.Errorf("name of this machine: %w", err)
	}
	cwd, err := os.Getwd()
	if err != nil {
		return apiv1.RuntimeInfo{}, fmt.Errorf("working folder: %w", err)
	}
	kept := s.conf.Load().StorageConfig.TSDBConfig.Retention
	return apiv1.RuntimeInfo{
		StartTime: s.birth, CWD: cwd, Hostname: host, ServerTime: s.opts.Now().UTC(),
		ReloadConfigSuccess: s.lastReload.ok.Load(), LastConfigTime: time.Unix(s.lastReload.at.Load(), 0).UTC(),
		GoroutineCount: runtime.NumGoroutine(), GOMAXPROCS: runtime.GOMAXPROCS(0), GOMEMLIMIT: debug.SetMemoryLimit(-1),
		GOGC: os.Getenv("GOGC"), GODEBUG: os.Getenv("GODEBUG"), StorageRetention: retention(kept.Time, kept.Size),
	}, nil
}

func retention(age model.Duration, size units.Base2Bytes) string {
	switch {
	case size == 0:
		return age.String()
	case age == 0:
		return size.String()
	default:
		return age.String() + " or " + size.String()
	}
}

// buildInfo names the Prometheus that this is, because tools choose by it what
// they ask for, and our own build.
func buildInfo(deps []*debug.Module) *apiv1.PrometheusVersion {
	v := &apiv1.PrometheusVersion{
		Version: "unknown", Revision: version.Revision, Branch: version.Branch,
		BuildUser: version.BuildUser, BuildDate: version.BuildDate, GoVersion: version.GoVersion,
	}
	for _, dep := range deps {
		if dep.Path == "github.com/prometheus/prometheus" {
			v.Version = serverVersion(dep.Version)
		}
	}
	if version.Version != "" {
		v.Version += "+pm25." + version.Version
	}
	return v
}

// dependencies are the modules in this program; a test binary does not know.
func dependencies() []*debug.Module {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	return info.Deps
}

// serverVersion turns a module's version into the server's: v0.315.0 is 3.15.0.
func serverVersion(module string) string {
	var major, minor, patch int
	if _, err := fmt.Sscanf(module, "v0.%1d%02d.%d", &major, &minor, &patch); err != nil {
		return module
	}
	return fmt.Sprintf("%d.%d.%d", major, minor, patch)
}

// admin gives the API what it reads of the storage. The calls that change it
// are switched off.
type admin struct {
	*tsdb.DB
	stats *tsdb.DBStats
}

func (a admin) Stats(label string, limit int) (*tsdb.Stats, error) {
	return a.Head().Stats(label, limit), nil
}

func (a admin) WALReplayStatus() (tsdb.WALReplayStatus, error) {
	return a.stats.Head.WALReplayStatus.GetWALReplayStatus(), nil
}

func (a admin) BlockMetas() ([]tsdb.BlockMeta, error) { return a.DB.BlockMetas(), nil }
