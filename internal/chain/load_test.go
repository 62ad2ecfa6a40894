//go:build chain

package chain

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/simagent"
	"github.com/pm25/pm25/internal/uptest"
)

const (
	loadHosts = 50
	mib       = 1 << 20
)

// shown are the minutes that the table tells of; all are held to the bounds.
var shown = []int{0, 1, 2, 5, 10, 20, 30, 45, 60}

// TestLoad runs 50 hosts with 20 processes each for PM25_LOAD_DURATION (5m) and
// writes down what they cost.
func TestLoad(t *testing.T) {
	last := 5 * time.Minute
	if text := os.Getenv("PM25_LOAD_DURATION"); text != "" {
		var err error
		if last, err = time.ParseDuration(text); err != nil {
			t.Fatalf("PM25_LOAD_DURATION: %v", err)
		}
	}
	hook := uptest.NewWebhook(t)
	_, targets := simagent.Start(t, loadHosts, 20)
	began := time.Now()
	u := uptest.Start(t, uptest.Options{Program: programs.Program(t, "pm25"), Webhook: hook.URL, Args: []string{"--targets=" + targets}})
	l := &load{t: t, up: u, table: doctable.New("after, min", "memory, MiB", "CPU in the last minute, share of a core", "series", "slowest scrape, ms", "page `/`, ms", "`/alertmanager/`, ms", "query of one host, ms", "query over all, ms")}
	l.began, l.at = began, began
	u.WaitValue(time.Minute, loadHosts, `count(pm2_up{daemon="deploy"} == 1)`)
	l.row()
	for time.Since(l.began) < last {
		pause(t.Context(), time.Minute)
		l.row()
	}
	if n, err := u.Value(`count(up{job="pm2"} == 1)`); err != nil || n != loadHosts+1 {
		t.Errorf("%v targets are up, want all %d: %v", n, loadHosts+1, err)
	}
	if n, err := u.Value(fmt.Sprintf(`min(avg_over_time(up{job="pm2"}[%ds]))`, int(last.Seconds())-30)); err != nil || n < 1 {
		t.Errorf("scrapes failed: %v, %v", n, err)
	}
	doc.Write(t, "load", l.table)
	l.bounds()
}

// load measures from outside, as a viewer and the kernel see it.
type load struct {
	t       *testing.T
	up      *uptest.Up
	table   *doctable.Table
	began   time.Time
	at      time.Time
	cpu     time.Duration
	shares  []float64
	memory  []float64
	slowest float64
}

func (l *load) row() {
	l.t.Helper()
	cpu, err := l.up.CPU()
	if err != nil {
		l.t.Fatal(err)
	}
	resident, err := l.up.Resident()
	if err != nil {
		l.t.Fatal(err)
	}
	now := time.Now()
	share := (cpu - l.cpu).Seconds() / now.Sub(l.at).Seconds()
	l.cpu, l.at = cpu, now
	l.shares, l.memory = append(l.shares, share), append(l.memory, float64(resident)/mib)
	page := l.ms("/")
	l.slowest = max(l.slowest, page)
	minute := int(now.Sub(l.began).Round(time.Minute).Minutes())
	if !slices.Contains(shown, minute) {
		return
	}
	l.table.Add(
		minute, fmt.Sprintf("%.0f", l.memory[len(l.memory)-1]), share,
		l.value(`max(prometheus_tsdb_head_series)`), 1000*l.value(`max(scrape_duration_seconds{job="pm2"})`), page, l.ms("/alertmanager/"),
		l.ms(`/prometheus/api/v1/query?query=sum+by+(app)(rate(pm2_process_cpu_seconds_total{host="web-07"}[1m]))`),
		l.ms(`/prometheus/api/v1/query?query=topk(10,sum+by+(host,app)(rate(pm2_process_cpu_seconds_total[1m])))`),
	)
}

// value is the answer to an expression, or 0 while there is none.
func (l *load) value(expr string) float64 {
	v, err := l.up.Value(expr)
	if err != nil {
		l.t.Logf("%s: %v", expr, err)
	}
	return v
}

// ms is how long a request takes: the median of five, apart from each other so
// that what is kept for a moment has to be made anew.
func (l *load) ms(path string) float64 {
	l.t.Helper()
	var took []time.Duration
	for range 5 {
		began := time.Now()
		if code, body, err := l.up.Get(path); err != nil || code != http.StatusOK {
			l.t.Errorf("%s: %d, %v: %.200s", path, code, err, body)
			return 0
		}
		took = append(took, time.Since(began))
		pause(l.t.Context(), 500*time.Millisecond)
	}
	slices.Sort(took)
	return float64(median(took).Microseconds()) / 1000
}

// bounds hold, with room to spare, what the table shows.
func (l *load) bounds() {
	l.t.Helper()
	if most := slices.Max(l.memory); most > 600 {
		l.t.Errorf("%v MiB of memory at most", most)
	}
	if most := slices.Max(l.shares[1:]); most > 0.5 {
		l.t.Errorf("%v of a core in a minute", most)
	}
	if l.slowest > 1000 {
		l.t.Errorf("the page took %v ms", l.slowest)
	}
}
