package promtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// TestServer has each Prometheus that is installed scrape a page of ours.
func TestServer(t *testing.T) {
	for _, version := range []string{"3", "2.42"} {
		t.Run(version, func(t *testing.T) { testServer(t, Binary(t, version)) })
	}
}

func testServer(t *testing.T, binary string) {
	var scrapes atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprintf(w, "# TYPE things_total counter\nthings_total{kind=\"a\"} %d\n# TYPE level gauge\nlevel 4.5\n", scrapes.Add(1))
	}))
	defer target.Close()
	s := Start(t, Options{Binary: binary, Config: fmt.Sprintf(`
scrape_configs:
  - job_name: page
    scrape_interval: 200ms
    scrape_timeout: 200ms
    static_configs: [{targets: [%q]}]
`, strings.TrimPrefix(target.URL, "http://"))})
	if !pm2test.Alive(s.PID()) {
		t.Error("the server does not run")
	}
	ctx := context.Background()
	pm2test.Eventually(t, 20*time.Second, func() error {
		got, err := s.Query(ctx, "things_total[1m]", time.Now())
		if err != nil {
			return err
		}
		if len(got) != 1 || len(got[0].Samples) < 3 {
			return fmt.Errorf("samples so far: %v", got)
		}
		for i, sample := range got[0].Samples {
			if sample.Value != float64(i+1) || time.Since(sample.At).Abs() > time.Minute || got[0].Labels["kind"] != "a" {
				return fmt.Errorf("sample %d: %v of %v", i, sample, got[0].Labels)
			}
		}
		return nil
	})
	level, err := s.Query(ctx, "level", time.Now())
	if err != nil || len(level) != 1 || level[0].Samples[0].Value != 4.5 {
		t.Errorf("level: %v %v", level, err)
	}
	over, err := s.QueryRange(ctx, "vector(2)", time.Unix(1000, 0), time.Unix(1010, 0), 5*time.Second)
	if err != nil || len(over) != 1 || len(over[0].Samples) != 3 || !over[0].Samples[2].At.Equal(time.Unix(1010, 0)) {
		t.Errorf("range: %v %v", over, err)
	}
	if _, err := s.Query(ctx, "sum(", time.Now()); err == nil || !strings.Contains(err.Error(), "parse error") {
		t.Errorf("a bad expression: %v", err)
	}
	types, err := s.Types(ctx, "page")
	if err != nil || types["things_total"] != "counter" || types["level"] != "gauge" {
		t.Errorf("types: %v %v", types, err)
	}
	s.Stop()
	if pm2test.Alive(s.PID()) {
		t.Error("the server still runs")
	}
}

func TestPoint(t *testing.T) {
	var p point
	if err := json.Unmarshal([]byte(`[1700000000.123, "1.5"]`), &p); err != nil || p.Value != 1.5 || p.At.UnixMilli() != 1700000000123 {
		t.Errorf("%v %v", p, err)
	}
	if json.Unmarshal([]byte(`[1, "x"]`), &p) == nil {
		t.Error("a value that is no number was accepted")
	}
}
