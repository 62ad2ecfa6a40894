package app

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"sort"
	"strings"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/common/version"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/watch"
)

//go:embed landing.html
var pages embed.FS

func (a *Agent) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+a.opts.TelemetryPath, a.Metrics())
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "pm25-agent is healthy.")
	})
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !a.set.ready() {
			http.Error(w, "pm25-agent is still looking for PM2 daemons.", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "pm25-agent is ready.")
	})
	mux.HandleFunc("GET /{$}", a.landing)
	return secure(mux)
}

// secure sets the headers of every answer.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		next.ServeHTTP(w, r)
	})
}

// page is what the landing page shows.
type page struct {
	Version, Metrics string
	Daemons          []pageDaemon
}

type pageDaemon struct {
	Label, Home, Owner, PM2, Why string
	Up                           bool
	Apps                         []pageProcess
}

type pageProcess struct {
	App, Namespace, State, Uptime string
	ID, PID                       int
	Restarts                      uint64
	Bad                           bool
}

func (a *Agent) landing(w http.ResponseWriter, r *http.Request) {
	t, err := template.ParseFS(pages, "landing.html")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p := page{Version: version.Version, Metrics: strings.TrimPrefix(a.opts.TelemetryPath, "/")}
	for _, d := range a.set.daemons() {
		v := d.View(r.Context(), watch.Want{})
		pd := pageDaemon{Label: v.Label, Home: v.Home, Owner: v.Owner, PM2: v.Version, Up: v.Up}
		if v.Err != nil {
			pd.Why = v.Err.Error()
		}
		d.Ledger(func(l *ledger.Ledger) {
			for _, proc := range v.Processes {
				pd.Apps = append(pd.Apps, a.pageProcess(proc, l.Proc(proc.Key)))
			}
		})
		sort.SliceStable(pd.Apps, func(i, j int) bool { return pd.Apps[i].Bad && !pd.Apps[j].Bad })
		p.Daemons = append(p.Daemons, pd)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := t.Execute(w, p); err != nil {
		level.Debug(a.opts.Logger).Log("msg", "Sending the landing page failed", "err", err)
	}
}

func (a *Agent) pageProcess(v watch.ProcessView, counted *ledger.Proc) pageProcess {
	p := pageProcess{
		App: v.Key.App, Namespace: v.Key.Namespace, ID: v.PMID, State: v.Status,
		Bad: v.Status == pm2.StatusErrored || v.Status == pm2.StatusWaitingRestart,
	}
	if v.Running() {
		p.PID = v.PID
		if !v.StartedAt.IsZero() {
			p.Uptime = a.opts.Now().Sub(v.StartedAt).Truncate(time.Second).String()
		}
	}
	if counted != nil {
		p.Restarts = counted.Restarts
	}
	return p
}
