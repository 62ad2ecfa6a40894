package prom

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb"
)

// A copy of the folder, made while it is written, is what a kill leaves.
func TestSamplesSurviveAKill(t *testing.T) {
	r := open(t, scraping)
	target(t, r.net).Add(7)
	r.Start()
	until(t, "some samples are stored", func() bool { return r.has(t, "count_over_time(orders_total[1h]) > 5") })
	known := r.newest(t, "orders_total")

	left := filepath.Join(t.TempDir(), "left")
	if err := os.CopyFS(left, os.DirFS(r.opts.Dir)); err != nil {
		t.Fatal(err)
	}
	again := open(t, scraping, func(o *Options) { o.Dir = left })
	if got := again.newest(t, "orders_total"); got < known {
		t.Errorf("samples up to %f came back, those up to %f were written", got, known)
	}
	if again.gauge(t, "prometheus_tsdb_wal_corruptions_total") != 0 {
		t.Error("the log was corrupt")
	}
}

func TestFolderIsPrivateAndHeld(t *testing.T) {
	r := open(t, scraping)
	info, err := os.Stat(r.opts.Dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	o := r.opts
	o.Registry = prometheus.NewRegistry()
	if s, err := Open(o, load(t, scraping)); err == nil {
		s.Close(t.Context())
		t.Error("two have the folder at once")
	}
}

func TestRemoteWrite(t *testing.T) {
	db, err := tsdb.Open(t.TempDir(), discard, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	handler := remote.NewWriteHandler(discard, prometheus.NewRegistry(), db, remoteapi.MessageTypes{remoteapi.WriteV1MessageType}, false, false, false)
	store := newServer(t, func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) })

	r := open(t, scraping+"remote_write: [{url: 'http://"+store+"/', send_native_histograms: true, queue_config: {batch_send_deadline: 100ms}}]\n")
	target(t, r.net).Add(7)
	r.Start()
	names := func() []string {
		q, err := db.Querier(0, 1<<62)
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		values, _, err := q.LabelValues(t.Context(), "__name__", nil)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(values)
	}
	until(t, "the samples arrive", func() bool {
		got := names()
		return slices.Contains(got, "orders_total") && slices.Contains(got, "took_seconds") && slices.Contains(got, "up")
	})
}

// What ended while nothing ran is over soon after the start, not after the five
// minutes that queries look back; what goes on, and what a target had that does
// not answer, is left alone.
func TestSeriesThatEndedMeanwhileAreMarked(t *testing.T) {
	const two = `
global: {scrape_interval: 100ms, scrape_timeout: 100ms, evaluation_interval: 100ms}
scrape_configs:
  - job_name: app
    static_configs: [{targets: ["target.in-process:80", "deaf.in-process:80"]}]
`
	dir := filepath.Join(t.TempDir(), "tsdb")
	begin := func(targets map[string][]string) *rig {
		r := open(t, two, func(o *Options) { o.Dir = dir })
		for host, names := range targets {
			registry := prometheus.NewRegistry()
			for _, name := range names {
				registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: name}))
			}
			serve(t, r.net, host, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
		}
		r.Start()
		return r
	}
	r := begin(map[string][]string{"target": {"stays", "ends"}, "deaf": {"unknown"}})
	until(t, "all is stored", func() bool { return r.has(t, "stays") && r.has(t, "ends") && r.has(t, "unknown") })
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r = begin(map[string][]string{"target": {"stays"}})
	until(t, "what ended is over", func() bool { return !r.has(t, "ends") })
	if !r.has(t, "stays") || !r.has(t, "unknown") {
		t.Error("what has not ended, or may not have, is over too")
	}
}
