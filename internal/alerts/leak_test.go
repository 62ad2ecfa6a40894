//go:build alerts && linux

package alerts

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/leaks"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/promtest"
	"github.com/pm25/pm25/internal/uptest"
)

const (
	// since is how long the expression has been true when the process is watched: the
	// rules wait for half an hour.
	since   = 31 * time.Minute
	leakApp = "reports"
)

// TestLeaks: what a leaking process told for hours, of which `pm25 up` has the
// first fourteen as its history, goes on live; so does a healthy one. Nobody can wait
// for hours in a test: what is not real about it is when it was recorded.
func TestLeaks(t *testing.T) {
	var mu sync.Mutex
	table := doctable.New("recorded process", "alert", "told after, s", "told besides")
	for _, c := range []struct {
		recording, alert string
		past             time.Duration // how much of it is history
	}{
		{"leak_late", "NodeHeapLeakFast", 870 * time.Minute},
		{"leak_buffer", "PM2MemoryGrowth", 859 * time.Minute},
		{"cycle_4h", "", 870 * time.Minute},
	} {
		t.Run(c.recording, func(t *testing.T) {
			t.Parallel()
			told, took := replay(t, c.recording, c.alert, c.past)
			if c.alert != "" && !slices.Contains(told, c.alert) {
				t.Errorf("told of %q, not of %s", told, c.alert)
			}
			told = slices.DeleteFunc(told, func(name string) bool { return name == c.alert })
			if c.alert == "" {
				c.alert = "none: it is healthy"
			}
			mu.Lock()
			defer mu.Unlock()
			table.Add(c.recording, c.alert, took.Seconds(), list(told))
			// What leaks in the heap leaks in the process as well.
			if i := slices.Index(told, "PM2MemoryGrowth"); i >= 0 && c.alert == "NodeHeapLeakFast" {
				told = slices.Delete(told, i, i+1)
			}
			for _, name := range told {
				t.Errorf("told besides: %s", name)
			}
		})
	}
	t.Cleanup(func() { doc.Write(t, "leaks", table) })
}

// replay returns what was told of a recording in the minutes after its history.
func replay(t *testing.T, name, alert string, past time.Duration) (told []string, took time.Duration) {
	t.Helper()
	rec := recording(t, name)
	began := time.Now().Add(-past)
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprint(w, "pm2_up{daemon=\"deploy\"} 1\n")
		for _, m := range metrics(rec, began, time.Since(began)) {
			fmt.Fprintf(w, "%s{%s} %v\n", m.name, m.labels(processLabels), m.value)
		}
	}))
	t.Cleanup(target.Close)
	address := strings.TrimPrefix(target.URL, "http://")
	targets := write(t, filepath.Join(t.TempDir(), "targets.json"), `[{"targets": [%q], "labels": {"host": %q}}]`, address, agentName)
	hook := uptest.NewWebhook(t)
	u := uptest.Start(t, uptest.Options{Program: programs.Program(t, "pm25"), Webhook: hook.URL})
	u.Stop()
	backfill(t, filepath.Join(u.DataDir, "tsdb"), history(rec, alert, address, began, past))
	start := time.Now()
	u.Again("--targets=" + targets)
	u.Ready()
	if n, err := u.Value(`count_over_time(nodejs_heap_used_after_gc_bytes[16h])`); err != nil || n < 800 {
		t.Fatalf("the history has %v samples, %v", n, err)
	}
	if alert == "" {
		pause(t.Context(), 5*time.Minute)
	} else {
		first := hook.Wait(t, 5*time.Minute, "firing", "alertname", alert, "app", leakApp)
		took = first.At.Sub(start)
		uptest.FollowLinks(t, u, first, uptest.Promise{App: leakApp})
		pause(t.Context(), 2*time.Minute)
	}
	for _, a := range hook.Told("firing") {
		if a.Labels["host"] == agentName {
			told = append(told, a.Labels["alertname"])
		}
	}
	u.Stop()
	return unique(told), took
}

func recording(t *testing.T, name string) leaks.Recording {
	t.Helper()
	i := slices.IndexFunc(leaks.Scenarios(), func(s leaks.Scenario) bool { return s.Name == name })
	text, err := os.ReadFile(filepath.Join(pm2test.Root(), "internal", "leaks", "testdata", name+".csv"))
	if err != nil || i < 0 {
		t.Skipf("skipped: no recording %s: %v", name, err)
	}
	rec, err := leaks.Parse(leaks.Scenarios()[i], text)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// metric is one sample of the process.
type metric struct {
	name, more string
	value      float64
}

const processLabels = `daemon="deploy",pm2_namespace="default",app="` + leakApp + `",pm_id="0"`

func (m metric) labels(common string) string {
	if m.more != "" {
		return common + "," + m.more
	}
	return common
}

// metrics are what an agent tells of the process at a moment.
func metrics(rec leaks.Recording, began time.Time, at time.Duration) []metric {
	i := min(int(at/rec.Step()), len(rec.Samples)-1)
	s := rec.Samples[i]
	out := []metric{
		{"pm2_process_start_time_seconds", "", float64(began.Add(s.Born).Unix())},
		{"pm2_process_state", `state="online"`, 1},
		{"pm2_process_resident_memory_bytes", "", s.RSS},
		{"pm2_process_children_resident_memory_bytes", "", 0},
		{"pm2_process_memory_limit_bytes", "", rec.MemoryLimit},
		{"pm2_process_cpu_seconds_total", `mode="user"`, s.CPU},
		{"pm2_process_children_cpu_seconds_total", "", 0},
		{"nodejs_heap_size_used_bytes", "", s.HeapUsed},
		{"nodejs_heap_size_limit_bytes", "", rec.HeapLimit},
	}
	if !math.IsNaN(s.HeapAfterGC) {
		out = append(out, metric{"nodejs_heap_used_after_gc_bytes", "", s.HeapAfterGC})
	}
	return out
}

// history is what Prometheus would have of the process: its samples, what the
// recording rules made of them, and since when the alert has been pending.
func history(rec leaks.Recording, alert, address string, began time.Time, past time.Duration) string {
	target := fmt.Sprintf(`job="pm2",instance=%q,host=%q,`, address, agentName) + processLabels
	var b strings.Builder
	sample := func(m metric, at time.Duration) {
		fmt.Fprintf(&b, "%s{%s} %v %d\n", m.name, m.labels(target), m.value, began.Add(at).Unix())
	}
	var lowest, heap, floor []float64
	record := func(series *[]float64, name string, value float64, at time.Duration) {
		*series = append(*series, value)
		sample(metric{name, "", value}, at)
	}
	hour := func(values []float64) (mean float64) {
		last := values[max(0, len(values)-60):]
		for _, v := range last {
			mean += v / float64(len(last))
		}
		return mean
	}
	for at := time.Duration(0); at < past; at += time.Minute {
		for _, m := range metrics(rec, began, at) {
			sample(m, at)
			switch m.name {
			case "nodejs_heap_used_after_gc_bytes":
				record(&heap, "pm2_process:nodejs_heap_used_after_gc_bytes:last", m.value, at)
				sample(metric{"pm2_process:nodejs_heap_used_after_gc_bytes:avg1h", "", hour(heap)}, at)
			case "pm2_process_resident_memory_bytes":
				record(&lowest, "pm2_process:tree_resident_memory_bytes:sum", m.value, at)
				record(&floor, "pm2_process:tree_resident_memory_bytes:min15m", slices.Min(lowest[max(0, len(lowest)-15):]), at)
				sample(metric{"pm2_process:tree_resident_memory_bytes:avg1h", "", hour(floor)}, at)
			}
		}
		if rule, ok := ruleOf(alert); ok && at > past-since {
			more := fmt.Sprintf(`alertname=%q,severity=%q,scope=%q`, alert, rule.Severity, rule.Scope)
			sample(metric{"ALERTS_FOR_STATE", more, float64(began.Add(past - since).Unix())}, at)
		}
	}
	b.WriteString("# EOF\n")
	return b.String()
}

// backfill writes samples into a folder of time series.
func backfill(t *testing.T, dir, openMetrics string) {
	t.Helper()
	file := write(t, filepath.Join(t.TempDir(), "history.om"), "%s", openMetrics)
	if out, err := exec.Command(promtest.Binary(t, "promtool"), "tsdb", "create-blocks-from", "openmetrics", file, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
