package leaks

import (
	"context"
	"io"
	"log/slog"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// epoch is when recordings begin: rules look a day back.
var epoch = time.Unix(1_800_000_000, 0)

// replay is a Prometheus without the network: its store, its engine and the group
// of rules that judge memory.
type replay struct {
	t     testing.TB
	db    *tsdb.DB
	eng   *promql.Engine
	group *promrules.Group
	refs  map[string]storage.SeriesRef
}

// newReplay takes a rule file's text.
func newReplay(t testing.TB, file string) *replay {
	t.Helper()
	opts := tsdb.DefaultOptions()
	opts.MinBlockDuration = (14 * 24 * time.Hour).Milliseconds()
	opts.MaxBlockDuration = opts.MinBlockDuration
	opts.RetentionDuration = 0
	db, err := tsdb.Open(t.TempDir(), slog.New(slog.DiscardHandler), prometheus.NewRegistry(), opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r := &replay{t: t, db: db, refs: map[string]storage.SeriesRef{}}
	r.eng = promql.NewEngine(promql.EngineOpts{MaxSamples: 50_000_000, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true})
	path := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	m := promrules.NewManager(&promrules.ManagerOptions{
		ExternalURL: &url.URL{}, Context: t.Context(), Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Appendable: db, Queryable: db, Parser: parser.NewParser(parser.Options{}),
		QueryFunc:  promrules.EngineQueryFunc(r.eng, db),
		NotifyFunc: func(context.Context, string, ...*promrules.Alert) {},
	})
	groups, errs := m.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, path)
	for _, err := range errs {
		t.Fatal(err)
	}
	for _, g := range groups {
		if g.Name() == "pm25-memory" {
			r.group = g
		}
	}
	if r.group != nil {
		for _, rule := range r.group.Rules() {
			if a, ok := rule.(*promrules.AlertingRule); ok {
				a.SetRestored(true) // or it writes no ALERTS
			}
		}
	} else {
		t.Fatal("no group pm25-memory in the rules")
	}
	return r
}

// run replays recordings side by side, evaluating every so often, from their
// beginnings to their ends.
func (r *replay) run(recordings []Recording, every time.Duration) {
	r.t.Helper()
	var end time.Duration
	for _, rec := range recordings {
		end = max(end, rec.Samples[len(rec.Samples)-1].At)
	}
	at := make([]int, len(recordings))
	for now := time.Duration(0); now <= end; now += every {
		app := r.db.Appender(r.t.Context())
		for i := range recordings {
			for rec := &recordings[i]; at[i] < len(rec.Samples) && rec.Samples[at[i]].At <= now; at[i]++ {
				r.append(app, rec, rec.Samples[at[i]])
			}
		}
		if err := app.Commit(); err != nil {
			r.t.Fatal(err)
		}
		r.group.Eval(r.t.Context(), epoch.Add(now))
	}
	for _, rule := range r.group.Rules() {
		if err := rule.LastError(); err != nil {
			r.t.Errorf("%s: %v", rule.Name(), err)
		}
	}
}

// append adds what an agent would export of a sample.
func (r *replay) append(app storage.Appender, rec *Recording, s Sample) {
	add := func(name string, v float64, more ...string) {
		if math.IsNaN(v) {
			return
		}
		all := append([]string{"__name__", name, "job", "pm2", "instance", "web-1", "host", "web-1", "daemon", "deploy", "pm2_namespace", "default", "app", rec.Name}, more...)
		l := labels.FromStrings(all...)
		ref, err := app.Append(r.refs[l.String()], l, epoch.Add(s.At).UnixMilli(), v)
		if err != nil {
			r.t.Fatalf("%s %v: %v", rec.Name, s.At, err)
		}
		r.refs[l.String()] = ref
	}
	process := func(name string, v float64, more ...string) { add(name, v, append(more, "pm_id", "0")...) }
	process("pm2_process_start_time_seconds", float64(epoch.Add(s.Born).Unix()))
	process("pm2_process_resident_memory_bytes", s.RSS)
	process("pm2_process_children_resident_memory_bytes", 0)
	process("pm2_process_memory_limit_bytes", rec.MemoryLimit)
	process("pm2_process_cpu_seconds_total", s.CPU, "mode", "user")
	process("pm2_process_children_cpu_seconds_total", 0)
	process("nodejs_heap_size_used_bytes", s.HeapUsed)
	process("nodejs_heap_used_after_gc_bytes", s.HeapAfterGC)
	process("nodejs_heap_size_limit_bytes", rec.HeapLimit)
	if rec.OldSpace > 128 { // the others die of their heap's limit, which is a crash
		add("pm2_app_exits_total", float64(s.Restarts), "reason", "memory_limit")
	}
}

// times lists the moments, counted from the beginning, at which an expression
// holds for each app.
func (r *replay) times(expr string, end, step time.Duration) map[string][]time.Duration {
	r.t.Helper()
	q, err := r.eng.NewRangeQuery(r.t.Context(), r.db, nil, expr, epoch, epoch.Add(end), step)
	if err != nil {
		r.t.Fatal(err)
	}
	defer q.Close()
	m, err := q.Exec(r.t.Context()).Matrix()
	if err != nil {
		r.t.Fatalf("%s: %v", expr, err)
	}
	found := map[string][]time.Duration{}
	for _, s := range m {
		for _, p := range s.Floats {
			app := s.Metric.Get("app")
			found[app] = append(found[app], time.UnixMilli(p.T).Sub(epoch))
		}
	}
	return found
}

// load reads the recordings of hours, or those of days.
func load(t testing.TB, every time.Duration) (all []Recording) {
	t.Helper()
	for _, s := range Scenarios() {
		if s.Every != every {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dataDir(), s.Name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		rec, err := Parse(s, text)
		if err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		all = append(all, rec)
	}
	return all
}

func dataDir() string {
	if d := os.Getenv("LEAKS_DIR"); d != "" {
		return d
	}
	return "testdata"
}
