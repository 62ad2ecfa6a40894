package dashboards

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"
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
	names := []string{
		appRequests, appCPU, appMemory, routeCount, routeTimeSum, serviceEnds, serviceBudget, serviceLatency, serviceRequests, serviceBad,
		badRatio("5m"), badRatio("1h"), badRatio("6h"),
	}
	for _, native := range []bool{false, true} {
		o := Options{Native: native}
		names = append(names, o.durations(ofApps), o.durations(ofRoutes))
	}
	return names
}

// records are the recording rules that boards ask, and those that these are made of,
// as Prometheus evaluates them: one after the other.
func records(t testing.TB, c rules.Config) (kept []rulefmt.Rule) {
	t.Helper()
	groups, errs := rulefmt.Parse([]byte(rules.File(c)), false, promodel.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var all []rulefmt.Rule
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			if r.Record != "" {
				all = append(all, r)
			}
		}
	}
	names := recordedNames()
	for i := 0; i < len(names); i++ {
		for _, r := range all {
			if r.Record == names[i] {
				names = append(names, slices.DeleteFunc(recorded.FindAllString(r.Expr, -1), func(name string) bool { return slices.Contains(names, name) })...)
			}
		}
	}
	for _, r := range all {
		if slices.Contains(names, r.Record) {
			kept = append(kept, r)
		}
	}
	for _, name := range recordedNames() {
		other := strings.Contains(name, "_seconds_bucket:") == c.Native && strings.Contains(name, "_seconds_bucket:") || !c.Native && strings.Contains(name, "_seconds:rate5m") && strings.Contains(name, "http_request_duration")
		if found := slices.ContainsFunc(kept, func(r rulefmt.Rule) bool { return r.Record == name }); found == other {
			t.Fatalf("native %t: %s is recorded: %t", c.Native, name, found)
		}
	}
	return kept
}

var recorded = regexp.MustCompile(`\bpm2_[a-z]+:[a-z0-9_]+:[a-z0-9_]+\b`)

func TestRecordsNameOnlyWhatIsInTheCatalog(t *testing.T) {
	for _, c := range []rules.Config{rules.Default(), native()} {
		known := map[string][]string{}
		for _, r := range records(t, c) {
			problems, err := catalogtest.Foreign(r.Expr, known)
			if err != nil || len(problems) > 0 {
				t.Errorf("%s: %v %q", r.Record, err, problems)
			}
			known[r.Record] = nil
		}
	}
}

func native() rules.Config {
	c := rules.Default()
	c.Native = true
	return c
}

// record evaluates the recording rules, as Prometheus does every so often.
func (w *world) record(t testing.TB, all []rulefmt.Rule, now time.Time) {
	t.Helper()
	for _, r := range all {
		q, err := w.engine.NewInstantQuery(context.Background(), w.db, nil, r.Expr, now)
		if err != nil {
			t.Fatal(err)
		}
		result := q.Exec(context.Background())
		if result.Err != nil {
			t.Fatalf("%s: %v", r.Record, result.Err)
		}
		vector, ok := result.Value.(promql.Vector)
		if !ok {
			t.Fatalf("%s: a %T", r.Record, result.Value)
		}
		a := w.db.Appender(context.Background()) // the next rule may use it
		for _, s := range vector {
			b := labels.NewBuilder(s.Metric)
			b.Set(promodel.MetricNameLabel, r.Record)
			for name, value := range r.Labels {
				b.Set(name, value)
			}
			if s.H != nil {
				_, err = a.AppendHistogram(0, b.Labels(), now.UnixMilli(), nil, s.H)
			} else {
				_, err = a.Append(0, b.Labels(), now.UnixMilli(), s.F)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		q.Close()
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}
