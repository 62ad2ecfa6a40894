package app

import (
	"errors"
	"net/http"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/claim"
)

// claims tells others on this host which daemons the agent watches, and serves
// its metrics to them. A nil *claims claims nothing.
type claims struct {
	server *http.Server
	log    log.Logger
}

func newClaims(metrics http.Handler, logger log.Logger) *claims {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /-/healthy", func(http.ResponseWriter, *http.Request) {})
	return &claims{log: logger, server: &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}}
}

// take claims a daemon, if it is not claimed yet. That another has it keeps
// nobody from watching; the next pass tries again.
func (c *claims) take(w *watched) {
	if c == nil || w.unclaim != nil {
		return
	}
	l, err := claim.Listen(w.candidate)
	if err != nil {
		if errors.Is(err, claim.ErrTaken) && !w.contested {
			w.contested = true // told once
			level.Warn(c.log).Log("msg", "Another pm25-agent watches this daemon too", "daemon", w.candidate.Label)
		} else {
			level.Debug(c.log).Log("msg", "Can not claim the daemon", "daemon", w.candidate.Label, "err", err)
		}
		return
	}
	w.unclaim = func() { _ = l.Close() }
	go func() { _ = c.server.Serve(l) }()
}

func (c *claims) close() {
	if c != nil {
		_ = c.server.Close()
	}
}
