//go:build soak

package soak

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/promtest"
)

// scraper is a Prometheus 3 that scrapes an agent every second, once with
// created timestamps (job created) and once without (job plain).
type scraper struct {
	*promtest.Server
	began time.Time
}

func newScraper(t *testing.T, a *agent) *scraper {
	t.Helper()
	s := promtest.Start(t, promtest.Options{
		Binary: promtest.Binary(t, "3"),
		Args:   []string{"--enable-feature=created-timestamp-zero-ingestion"},
		Config: fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: created
    scrape_protocols: [PrometheusProto]
    static_configs: [{targets: [%q]}]
  - job_name: plain
    scrape_protocols: [PrometheusText0.0.4]
    static_configs: [{targets: [%q]}]
`, a.addr, a.addr),
	})
	return &scraper{s, time.Now()}
}

// raw returns the raw samples of a selector since the beginning.
func (s *scraper) raw(t *testing.T, selector string) []promtest.Series {
	t.Helper()
	got, err := s.Query(context.Background(), fmt.Sprintf("%s[%ds]", selector, s.seconds()), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (s *scraper) seconds() int { return int(time.Since(s.began).Seconds()) + 10 }

// value evaluates an expression that gives one number.
func (s *scraper) value(t *testing.T, format string, args ...any) float64 {
	t.Helper()
	expr := fmt.Sprintf(format, args...)
	got, err := s.Query(context.Background(), expr, time.Now())
	if err != nil || len(got) != 1 || len(got[0].Samples) != 1 {
		t.Fatalf("%s: %v %v", expr, got, err)
	}
	return got[0].Samples[0].Value
}

// deltas adds up the raw samples of all series of a selector.
func (s *scraper) deltas(t *testing.T, selector string) (total float64, resets int) {
	t.Helper()
	for _, series := range s.raw(t, selector) {
		var c counter
		for _, sample := range series.Samples {
			if c.seen && sample.Value < c.last {
				resets++
			}
			c.add(sample.Value)
		}
		total += c.sum
	}
	return total, resets
}

// scrapes returns the times of the scrapes that saw PM2.
func (s *scraper) scrapes(t *testing.T, job string) []time.Time {
	t.Helper()
	var at []time.Time
	for _, series := range s.raw(t, fmt.Sprintf("pm2_up{job=%q}", job)) {
		for _, sample := range series.Samples {
			if sample.Value == 1 {
				at = append(at, sample.At)
			}
		}
	}
	return at
}

// sees waits until both jobs have the counters of a loop's apps.
func (s *scraper) sees(t *testing.T, l *loop) {
	t.Helper()
	pm2test.Eventually(t, 30*time.Second, func() error {
		for _, app := range append([]string{"burns"}, l.apps...) {
			for _, selector := range []string{
				fmt.Sprintf("pm2_app_exits_total{app=%q,reason=\"crash\"}", app), fmt.Sprintf("pm2_process_restarts_total{app=%q}", app),
				fmt.Sprintf("pm2_process_cpu_seconds_total{app=%q,mode=\"user\"}", app),
			} {
				got, err := s.Query(context.Background(), selector, time.Now())
				if err != nil {
					return err
				}
				if len(got) != 2 {
					return fmt.Errorf("%s: %v", selector, got)
				}
			}
		}
		return nil
	})
}

// settled waits until both jobs scraped the agent after now.
func (s *scraper) settled(t *testing.T) {
	t.Helper()
	since := time.Now().Add(1500 * time.Millisecond)
	for _, job := range jobs {
		pm2test.Eventually(t, 20*time.Second, func() error {
			at := s.scrapes(t, job)
			if len(at) == 0 || at[len(at)-1].Before(since) {
				return fmt.Errorf("job %s did not scrape yet", job)
			}
			return nil
		})
	}
}

var jobs = []string{"created", "plain"}
