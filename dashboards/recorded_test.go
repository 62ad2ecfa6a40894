package dashboards

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	promodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/pm25/pm25/internal/catalog/catalogtest"
	"github.com/pm25/pm25/rules"
)

// recordedNames are the recording rules that boards ask.
func recordedNames() []string {
	return []string{appBuckets, appRequests, appCPU, appMemory, routeBuckets, routeCount, routeTimeSum, serviceEnds}
}

// records are their expressions in package rules, by name.
func records(t testing.TB) map[string]string {
	t.Helper()
	groups, errs := rulefmt.Parse([]byte(rules.File(rules.Default())), false, promodel.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	out := map[string]string{}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			if slices.Contains(recordedNames(), r.Record) {
				out[r.Record] = r.Expr
			}
		}
	}
	if len(out) != len(recordedNames()) {
		t.Fatalf("package rules records %q, boards ask %q", slices.Collect(maps.Keys(out)), recordedNames())
	}
	return out
}

func TestRecordsNameOnlyWhatIsInTheCatalog(t *testing.T) {
	for name, expr := range records(t) {
		problems, err := catalogtest.Foreign(expr, nil)
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
			b.Set(promodel.MetricNameLabel, name)
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
