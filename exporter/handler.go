package exporter

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

const (
	// timeoutOffset is kept free of the scrape's deadline to send the answer.
	timeoutOffset = 500 * time.Millisecond
	// defaultTimeout is the deadline of who sets none: Prometheus' own default.
	defaultTimeout = 10 * time.Second
	// maxRequests bounds the scrapes at one time.
	maxRequests = 40
)

// HandlerOptions of a Handler.
type HandlerOptions struct {
	// Self holds metrics of the agent's own process (go_*, process_*); it may
	// be nil.
	Self prometheus.Gatherer
	// Compress lets answers be compressed when the client asks for it. It
	// costs more than making them.
	Compress bool
	// Created adds a line for each created timestamp to OpenMetrics text, which
	// servers that do not ingest them take for series; protobuf always has them.
	Created bool
}

// Handler serves /metrics in text, OpenMetrics and protobuf. It honors the
// header X-Prometheus-Scrape-Timeout-Seconds and the parameter collect[].
func (e *Exporter) Handler(o HandlerOptions) http.Handler {
	slots := make(chan struct{}, maxRequests)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			http.Error(w, fmt.Sprintf("more than %d scrapes at once", maxRequests), http.StatusServiceUnavailable)
			return
		}
		only := r.URL.Query()["collect[]"]
		for _, name := range only {
			if !slices.Contains(e.Names(), name) {
				http.Error(w, fmt.Sprintf("collect[]=%q: no such collector, or it is switched off; there are: %s", name, strings.Join(e.Names(), ", ")), http.StatusBadRequest)
				return
			}
		}
		timeout, err := scrapeTimeout(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		if open, ok := textFormat(r, o); ok {
			e.serveText(ctx, w, r, only, open, o)
			return
		}
		gather := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
			return e.withSelf(e.Gather(ctx, only), only, o.Self)
		})
		promhttp.HandlerFor(gather, promhttp.HandlerOpts{
			ErrorHandling: promhttp.ContinueOnError, DisableCompression: !o.Compress, EnableOpenMetrics: true,
			EnableOpenMetricsTextCreatedSamples: o.Created,
		}).ServeHTTP(w, r)
	})
}

// textFormat tells whether the answer is plain text of one of the two formats
// that encoder writes; open is OpenMetrics. All else is for promhttp.
func textFormat(r *http.Request, o HandlerOptions) (open, ok bool) {
	if o.Compress || r.URL.Query().Has("name[]") {
		return false, false
	}
	kind := negotiate(r).FormatType()
	return kind == expfmt.TypeOpenMetrics, kind == expfmt.TypeOpenMetrics || kind == expfmt.TypeTextPlain
}

func negotiate(r *http.Request) expfmt.Format {
	return expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
}

// serveText answers without promhttp, but like it.
func (e *Exporter) serveText(ctx context.Context, w http.ResponseWriter, r *http.Request, only []string, open bool, o HandlerOptions) {
	families, release := e.gather(ctx, only)
	defer release()
	var own []*dto.MetricFamily
	if o.Self != nil && len(only) == 0 {
		var err error
		if own, err = o.Self.Gather(); err != nil {
			level.Error(e.opts.Logger).Log("msg", "Reading the metrics of the agent's process failed", "err", err)
		}
	}
	w.Header().Add("Vary", "Accept")
	w.Header().Set("Content-Type", string(negotiate(r)))
	enc := encoders.Get().(*encoder)
	defer encoders.Put(enc)
	enc.begin(w, open, o.Created)
	for _, f := range families {
		for len(own) > 0 && own[0].GetName() < f.name {
			enc.foreign(own[0])
			own = own[1:]
		}
		enc.family(f)
	}
	for _, f := range own {
		enc.foreign(f)
	}
	if err := enc.end(); err != nil {
		level.Debug(e.opts.Logger).Log("msg", "Sending the metrics failed", "err", err)
	}
}

// withSelf joins the metrics of the agent's process.
func (e *Exporter) withSelf(families []*dto.MetricFamily, only []string, self prometheus.Gatherer) ([]*dto.MetricFamily, error) {
	if self == nil || len(only) > 0 {
		return families, nil
	}
	own, err := self.Gather()
	families = append(families, own...)
	slices.SortStableFunc(families, func(a, b *dto.MetricFamily) int { return strings.Compare(*a.Name, *b.Name) })
	return families, err
}

func scrapeTimeout(r *http.Request) (time.Duration, error) {
	header := r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds")
	if header == "" {
		return defaultTimeout, nil
	}
	seconds, err := strconv.ParseFloat(header, 64)
	if err != nil || !(seconds > 0) || seconds > 3600 {
		return 0, fmt.Errorf("header X-Prometheus-Scrape-Timeout-Seconds: %q is no number of seconds between 0 and 3600", header)
	}
	timeout := time.Duration(seconds * float64(time.Second))
	return max(timeout-timeoutOffset, timeout/2), nil
}
