package dashboards

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/pm25/pm25/internal/catalog/catalogtest"
	"github.com/pm25/pm25/rules"
)

// needed are the recording rules that boards ask, by name.
var needed = map[string]string{
	appBuckets:   `sum without (method, route, code) (rate(pm2_http_request_duration_seconds_bucket[5m]))`,
	appRequests:  `sum without (method, route) (rate(pm2_http_request_duration_seconds_count[5m]))`,
	appCPU:       `sum without (pm_id, mode) (rate(pm2_process_cpu_seconds_total[5m]))`,
	appMemory:    `sum without (pm_id) (pm2_process_resident_memory_bytes)`,
	routeBuckets: `sum without (job, instance, host, daemon) (rate(pm2_http_request_duration_seconds_bucket[5m]))`,
	routeCount:   `sum without (job, instance, host, daemon) (rate(pm2_http_request_duration_seconds_count[5m]))`,
	routeTimeSum: `sum without (job, instance, host, daemon, code) (rate(pm2_http_request_duration_seconds_sum[5m]))`,
	serviceEnds:  `sum without (job, instance, host, daemon, reason) (increase(pm2_app_exits_total{reason=~"crash|signal|oom_kill"}[5m]))`,
}

// records are those of package rules, and what it lacks of the needed ones.
func records(t testing.TB) map[string]string {
	t.Helper()
	out := maps.Clone(needed)
	for _, g := range rules.Groups(rules.Default()) {
		for _, r := range g.Records {
			if want, ok := needed[r.Name]; ok && strings.Join(strings.Fields(want), " ") != strings.Join(strings.Fields(r.Expr), " ") {
				t.Errorf("%s is\n%s\nin package rules; the boards were tested with\n%s", r.Name, r.Expr, want)
			}
			if _, ok := needed[r.Name]; ok {
				out[r.Name] = r.Expr
			}
		}
	}
	return out
}

func TestRecordsNameOnlyWhatIsInTheCatalog(t *testing.T) {
	for name, expr := range records(t) {
		problems, err := catalogtest.Foreign(expr)
		if err != nil || len(problems) > 0 {
			t.Errorf("%s: %v %q", name, err, problems)
		}
	}
}

// record evaluates the recording rules, as Prometheus does every so often.
func (w *world) record(t testing.TB, all map[string]string, now time.Time) {
	t.Helper()
	a := w.db.Appender(context.Background())
	for _, name := range slices.Sorted(maps.Keys(all)) {
		q, err := w.engine.NewInstantQuery(context.Background(), w.db, nil, all[name], now)
		if err != nil {
			t.Fatal(err)
		}
		result := q.Exec(context.Background())
		if result.Err != nil {
			t.Fatal(result.Err)
		}
		vector, ok := result.Value.(promql.Vector)
		if !ok {
			t.Fatalf("%s: a %T", name, result.Value)
		}
		for _, s := range vector {
			b := labels.NewBuilder(s.Metric)
			b.Set(labels.MetricName, name)
			if _, err := a.Append(0, b.Labels(), now.UnixMilli(), s.F); err != nil {
				t.Fatal(err)
			}
		}
		q.Close()
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
}
