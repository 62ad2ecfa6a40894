//go:build routes

package routes

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
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

// slack is what pm25-ext may see before and after the app's own clock runs.
const slack = 0.002

// TestQuantiles compares what a real Prometheus makes of both layouts with the
// client's own record of the same requests. A client also waits for the network
// and for an event loop that is not there yet, on a host that is shared for
// long: so bounds are held against what the app's own clock said.
func TestQuantiles(t *testing.T) {
	d := pm2test.New(t, pm2test.Options{})
	a := newAgent(t, d)
	server := promtest.Start(t, promtest.Options{Binary: promtest.Binary(t, "3"), Config: fmt.Sprintf(scrapeConfig, a.addr)})
	table := doctable.New("latencies", "requests", "quantile", "client, s", "app’s own clock, s", "native, s", "error to client, %", "classic, s", "error to client, %")
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
		record := measure(t, port, 2000, s.ms)
		a.exactly(t, name, map[key]uint64{{"GET", "/wait/:id", "2xx"}: uint64(len(record.client))})
		time.Sleep(3 * time.Second) // for Prometheus to see that
		for _, q := range []float64{0.5, 0.95, 0.99} {
			rank := int(math.Ceil(q*float64(len(record.client)))) - 1
			client, own := record.client[rank], record.app[rank]
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
			if low, high := own/bound, (own+slack)*bound; native < low || native > high {
				t.Errorf("%s, p%v: native %v, want %v … %v", s.name, q*100, native, low, high)
			}
			if low, high := classicBucket(own, own+slack); classic < low || classic > high {
				t.Errorf("%s, p%v: classic %v, want %v … %v", s.name, q*100, classic, low, high)
			}
			table.Add(s.name, len(record.client), fmt.Sprintf("p%v", q*100), fmt.Sprintf("%.4f", client), fmt.Sprintf("%.4f", own),
				fmt.Sprintf("%.4f", native), fmt.Sprintf("%+.1f", (native/client-1)*100),
				fmt.Sprintf("%.4f", classic), fmt.Sprintf("%+.1f", (classic/client-1)*100))
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

// record holds how long each of many requests took, in seconds and in order of
// length.
type record struct{ client, app []float64 }

// measure makes requests of all latencies in a mixed order, twelve at a time.
func measure(t testing.TB, port, n int, ms func(float64) float64) (r record) {
	t.Helper()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		next = make(chan int)
	)
	for range 12 {
		wg.Go(func() {
			for i := range next {
				wait := int(math.Round(ms((float64(i) + 0.5) / float64(n))))
				begun := time.Now()
				res, err := kept.Get(fmt.Sprintf("http://127.0.0.1:%d/wait/%d", port, wait))
				seconds := time.Since(begun).Seconds()
				if err != nil {
					t.Error(err)
					continue
				}
				res.Body.Close() // it is empty
				own, err := strconv.ParseFloat(res.Header.Get("X-Took"), 64)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				r.client, r.app = append(r.client, seconds), append(r.app, own/1000)
				mu.Unlock()
			}
		})
	}
	for i := range n {
		next <- i * 733 % n // 733 and n have no common divisor
	}
	close(next)
	wg.Wait()
	slices.Sort(r.client)
	slices.Sort(r.app)
	return r
}
