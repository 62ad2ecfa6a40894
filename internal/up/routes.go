package up

import (
	"fmt"
	"net/http"

	"github.com/alecthomas/units"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/pm25/pm25/internal/notify"
	"github.com/pm25/pm25/internal/pages"
)

func (s *Stack) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics())
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "pm25 is healthy.")
	})
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !s.prometheus.Ready() {
			http.Error(w, "pm25 is still starting.", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "pm25 is ready.")
	})
	mux.HandleFunc("POST /-/reload", s.serveReload)
	mux.HandleFunc("/-/reload", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "a reload changes something, so it is asked for with POST", http.StatusMethodNotAllowed)
	})
	mux.Handle("GET /prometheus/{$}", http.RedirectHandler("/graph", http.StatusFound))
	mux.Handle("GET /prometheus/alerts", http.RedirectHandler("/alertmanager/", http.StatusFound))
	mux.Handle("/prometheus/", http.StripPrefix("/prometheus", s.prometheus.Handler()))
	mux.Handle("/prometheus/graph", http.StripPrefix("/prometheus", s.pages.Handler()))
	mux.Handle("/alertmanager/api/", http.StripPrefix("/alertmanager", s.alertmanager.Handler()))
	mux.Handle("/alertmanager/-/", http.StripPrefix("/alertmanager", s.alertmanager.Handler()))
	mux.Handle(notify.Path, s.gate.Changing(s.bridge.Handler()))
	mux.Handle("/api/v1/", s.central.Handler())
	mux.Handle("/loki/", s.central.Handler())
	mux.Handle("/", s.pages.Handler())
	return s.gate.Handler(mux), nil
}

func (s *Stack) serveReload(w http.ResponseWriter, _ *http.Request) {
	if err := s.Reload("request"); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// metrics serves what this program says of itself.
func (s *Stack) metrics() http.Handler {
	return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{Registry: s.registry, MaxRequestsInFlight: 10, EnableOpenMetrics: true})
}

// notices are what every page has to say.
func (s *Stack) notices() []pages.Notice {
	var out []pages.Notice
	if free, low := s.prometheus.DiskLow(); low {
		out = append(out, pages.Notice{Message: "notice.disk", Args: []any{units.Base2Bytes(free).Round(1).String(), s.data.Path()}})
	}
	if f, failing := s.alertmanager.Failing(); failing {
		out = append(out, pages.Notice{Message: "notice.failing", Args: []any{f.Since.Format("15:04:05 MST"), f.Err}})
	}
	if s.alertmanager.Integrations() == 0 {
		out = append(out, pages.Notice{Message: "notice.nobody", Page: "alerts", Warning: true})
	}
	return out
}
