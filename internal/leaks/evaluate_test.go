package leaks

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/rules"
)

// BenchmarkEvaluate evaluates the memory rules once a minute over a thousand
// processes with a day of data.
func BenchmarkEvaluate(b *testing.B) {
	const processes = 1000
	r := newReplay(b, rules.File(rules.Default()))
	r.fill(processes, 25*time.Hour)
	now := epoch.Add(25 * time.Hour)
	b.ResetTimer()
	for b.Loop() {
		r.group.Eval(b.Context(), now)
		now = now.Add(time.Second)
	}
	b.StopTimer()
	for _, rule := range r.group.Rules() {
		if err := rule.LastError(); err != nil {
			b.Errorf("%s: %v", rule.Name(), err)
		}
		b.Logf("%6.1f ms %s", float64(rule.GetEvaluationDuration().Microseconds())/1000, rule.Name())
	}
}

// fill adds what rules look back at: a day of what leaks are sought in, five hours
// of what is compared with hours ago, and an hour of all else, a minute apart.
func (r *replay) fill(processes int, length time.Duration) {
	const heap, tree = "pm2_process:nodejs_heap_used_after_gc_bytes:", "pm2_process:tree_resident_memory_bytes:"
	names := map[string]time.Duration{
		heap + "last": length, heap + "third1d": length, heap + "min1d": length, tree + "min15m": length,
		heap + "third5h": 5 * time.Hour, tree + "third5h": 5 * time.Hour, "pm2_process:tree_cpu_seconds:rate1h": 5 * time.Hour,
	}
	for _, name := range []string{
		"pm2_process_start_time_seconds", "pm2_process_resident_memory_bytes", "pm2_process_children_resident_memory_bytes", "pm2_process_memory_limit_bytes",
		"pm2_process_cpu_seconds_total", "pm2_process_children_cpu_seconds_total", "nodejs_heap_used_after_gc_bytes", "nodejs_heap_size_limit_bytes",
	} {
		names[name] = time.Hour
	}
	for at := time.Duration(0); at < length; at += time.Minute {
		app := r.db.Appender(r.t.Context())
		for name, kept := range names {
			if at < length-kept {
				continue
			}
			for p := range processes {
				key := fmt.Sprint(name, p)
				l := labels.EmptyLabels()
				if r.refs[key] == 0 {
					l = labels.FromStrings("__name__", name, "job", "pm2", "instance", fmt.Sprint("web-", p/20), "daemon", "deploy", "pm2_namespace", "default", "app", fmt.Sprint("app-", p%20/4), "pm_id", fmt.Sprint(p%20))
				}
				value := 50e6 + float64(p)*1e4*at.Minutes()/60 + float64(at.Nanoseconds()/1e9%977)*1e3
				switch {
				case name == "pm2_process_start_time_seconds":
					value = float64(epoch.Unix())
				case strings.HasSuffix(name, "_limit_bytes"):
					value = 1 << 30 // as in most places, few leak
				}
				ref, err := app.Append(r.refs[key], l, epoch.Add(at).UnixMilli(), value)
				if err != nil {
					r.t.Fatal(err)
				}
				r.refs[key] = ref
			}
		}
		if err := app.Commit(); err != nil {
			r.t.Fatal(err)
		}
	}
}
