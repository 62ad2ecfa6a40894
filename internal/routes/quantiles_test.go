//go:build routes

package routes

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/promtest"
)

// scrapeConfig is how `pm25 up` scrapes: both layouts are kept.
const scrapeConfig = `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: pm25
    scrape_protocols: [PrometheusProto]
    scrape_native_histograms: true
    always_scrape_classic_histograms: true
    static_configs: [{targets: [%q]}]
`

// overhead is what a request may take longer for its client than for the app,
// on a machine that is shared.
const overhead = 5 * time.Millisecond

// TestQuantiles compares what a real Prometheus makes of both layouts with the
// client's own record of the same requests.
func TestQuantiles(t *testing.T) {
	d := pm2test.New(t, pm2test.Options{})
	a := newAgent(t, d)
	server := promtest.Start(t, promtest.Options{Binary: promtest.Binary(t, "3"), Config: fmt.Sprintf(scrapeConfig, a.addr)})
	table := doctable.New("latencies", "requests", "quantile", "client, s", "native, s", "error, %", "classic, s", "error, %")
	for i, s := range []struct {
		name string
		ms   func(x float64) float64 // of a number in [0, 1)
	}{
		{"spread evenly over 1 ms … 2 s, by their logarithm", func(x float64) float64 { return math.Pow(2000, x) }},
		{"20 ms … 60 ms, and 3 % of 1 s … 2 s", func(x float64) float64 {
			if x < 0.97 {
				return 20 + 40*x/0.97
			}
			return 1000 + (x-0.97)/0.03*1000
		}},
	} {
		name := fmt.Sprintf("waits%d", i)
		spec, port := app(t, name, appPath("waits.js"), 2, map[string]string{"PM25_EXT_INTERVAL": "1"})
		d.App(t, spec)
		listening(t, port)
		took := measure(t, port, 2000, s.ms)
		a.exactly(t, name, map[key]uint64{{"GET", "/wait/:id", "2xx"}: uint64(len(took))})
		time.Sleep(3 * time.Second) // for Prometheus to see that
		for _, q := range []float64{0.5, 0.95, 0.99} {
			truth := took[int(math.Ceil(q*float64(len(took))))-1]
			ask := func(format string) float64 {
				expr := fmt.Sprintf(format, q, name)
				got, err := server.Query(context.Background(), expr, time.Now())
				if err != nil || len(got) != 1 {
					t.Fatalf("%s: %v, %v", expr, got, err)
				}
				return got[0].Samples[0].Value
			}
			native := ask(`histogram_quantile(%v, sum(` + requests + `{app=%q}))`)
			classic := ask(`histogram_quantile(%v, sum by (le) (` + requests + `_bucket{app=%q}))`)
			// Both interpolate within the bucket that holds the truth.
			bound := math.Pow(2, 1.0/8)
			if low, high := (truth-overhead.Seconds())/bound, truth*bound; native < low || native > high {
				t.Errorf("%s, p%v: native %v, want %v … %v", s.name, q*100, native, low, high)
			}
			if low, high := classicBucket(truth-overhead.Seconds(), truth); classic < low || classic > high {
				t.Errorf("%s, p%v: classic %v, want %v … %v", s.name, q*100, classic, low, high)
			}
			table.Add(s.name, len(took), fmt.Sprintf("p%v", q*100), fmt.Sprintf("%.4f", truth),
				fmt.Sprintf("%.4f", native), fmt.Sprintf("%+.1f", (native/truth-1)*100),
				fmt.Sprintf("%.4f", classic), fmt.Sprintf("%+.1f", (classic/truth-1)*100))
		}
	}
	doc.Write(t, "quantiles", table)
}

// classicBucket is from the lower bound of the bucket that holds low to the
// upper bound of the one that holds high.
func classicBucket(low, high float64) (from, to float64) {
	bounds := pm2.ReportBounds()
	for _, b := range slices.Backward(bounds[:]) {
		if b < low {
			from = b
			break
		}
	}
	i, _ := slices.BinarySearch(bounds[:], high)
	return from, bounds[min(i, len(bounds)-1)]
}

// measure makes requests of all latencies in a mixed order, twenty at a time,
// and returns how long each took in seconds, in order of length.
func measure(t testing.TB, port, n int, ms func(float64) float64) []float64 {
	t.Helper()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		took []float64
		next = make(chan int)
	)
	for range 20 {
		wg.Go(func() {
			for i := range next {
				path := fmt.Sprintf("/wait/%d", int(math.Round(ms((float64(i)+0.5)/float64(n)))))
				begun := time.Now()
				status, err := ask(context.Background(), kept, port, http.MethodGet, path)
				seconds := time.Since(begun).Seconds()
				if err != nil || status != http.StatusOK {
					t.Errorf("%s: %d %v", path, status, err)
				}
				mu.Lock()
				took = append(took, seconds)
				mu.Unlock()
			}
		})
	}
	for i := range n {
		next <- i * 733 % n // 733 and n have no common divisor
	}
	close(next)
	wg.Wait()
	slices.Sort(took)
	return took
}
