package rules

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// BenchmarkRequestRules evaluates the groups that read requests and days, with a
// thousand apps of ten routes on ten hosts that are scraped each five seconds.
func BenchmarkRequestRules(b *testing.B) {
	db := benchDB(b)
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 50e6, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{})})
	for _, g := range Groups(Default()) {
		switch g.Name {
		case "pm25-requests", "pm25-slo", "pm25-slo-days", "pm25-exceptions", "pm25-usual":
		default:
			continue
		}
		b.Run(g.Name, func(b *testing.B) {
			before := cpuSeconds(b)
			defer func() { b.ReportMetric((cpuSeconds(b)-before)/float64(b.N), "cpu-s/op") }()
			for b.Loop() {
				for _, r := range g.Records {
					benchEval(b, engine, db, r.Name, r.Expr)
				}
				for _, a := range g.Alerts {
					benchEval(b, engine, db, a.Name, a.Expr)
				}
			}
		})
	}
}

// cpuSeconds is what this process has used of CPUs, collection of garbage included.
func cpuSeconds(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func benchEval(b *testing.B, engine *promql.Engine, db storage.Queryable, name, expr string) {
	b.Helper()
	q, err := engine.NewInstantQuery(context.Background(), db, nil, Default().expand(expr), benchEnd)
	if err != nil {
		b.Fatal(err)
	}
	defer q.Close()
	start := time.Now()
	res := q.Exec(context.Background())
	if res.Err != nil {
		b.Fatalf("%s: %v", name, res.Err)
	}
	if testing.Verbose() {
		v, _ := res.Vector()
		b.Logf("%s: %d series in %v", name, len(v), time.Since(start).Round(time.Millisecond))
	}
}

var benchEnd = time.Unix(1_000_000_000, 0).Truncate(2 * time.Hour)

// benchDB holds what the groups read, raw and recorded.
func benchDB(b *testing.B) *tsdb.DB {
	b.Helper()
	opts := tsdb.DefaultOptions()
	opts.MinBlockDuration, opts.MaxBlockDuration = (10 * 24 * time.Hour).Milliseconds(), (10 * 24 * time.Hour).Milliseconds()
	opts.RetentionDuration = 0
	db, err := tsdb.Open(b.TempDir(), nil, nil, opts, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	fill := func(every, back time.Duration, value func(i int) float64, series ...labels.Labels) {
		refs := make([]storage.SeriesRef, len(series))
		for i, at := 0, benchEnd.Add(-back); !at.After(benchEnd); i, at = i+1, at.Add(every) {
			app := db.Appender(context.Background())
			for j, l := range series {
				if refs[j], err = app.Append(refs[j], l, at.UnixMilli(), value(i)); err != nil {
					b.Fatal(err)
				}
			}
			if err := app.Commit(); err != nil {
				b.Fatal(err)
			}
		}
	}
	grows := func(i int) float64 { return float64(1000 + 7*i) }
	steady := func(int) float64 { return 50 }
	var days, hours, quarter, raw []labels.Labels
	for n := range 1000 {
		service := []string{"job", "pm2", "pm2_namespace", "default", "app", fmt.Sprint("app", n), "env", "prod"}
		app := append([]string{"instance", fmt.Sprint("web-", n%10), "host", fmt.Sprint("web-", n%10), "daemon", "deploy"}, service...)
		named := func(name string, base []string, more ...string) labels.Labels {
			return labels.FromStrings(append(append([]string{"__name__", name}, base...), more...)...)
		}
		for _, name := range []string{serviceBad1h, serviceRequests1h} {
			days = append(days, named(name, service, "slo", "default"))
		}
		for _, name := range []string{serviceBad, serviceRequests, serviceBudget} {
			hours = append(hours, named(name, service, "slo", "default"))
		}
		for _, name := range []string{appExceptions, appCrashes, appRequests, appFailed} {
			quarter = append(quarter, named(name, app))
		}
		raw = append(raw, named("pm2_http_routes_collapsed_total", app), named("pm2_app_exits_total", app, "reason", "crash"),
			named("pm2_app_exceptions_total", app, "handled", "true"), named("pm2_app_exceptions_total", app, "handled", "false"))
		for route := range 10 {
			r := append(app[:len(app):len(app)], "method", "GET", "route", fmt.Sprint("/route", route))
			quarter = append(quarter, named(routeRequests, r), named(routeAnswered, r), named(routeTold, r), named(routeSlow, r, "slo", "default"), named(routeFailed, r), named(routeBad, r, "slo", "default"))
			for _, code := range []string{"2xx", "4xx", "5xx"} {
				r := append(r[:len(r):len(r)], "code", code)
				raw = append(raw, named("pm2_http_request_duration_seconds_count", r),
					named("pm2_http_request_duration_seconds_bucket", r, "le", "0.5"), named("pm2_http_request_duration_seconds_bucket", r, "le", "1.0"))
			}
		}
	}
	fill(2*time.Minute, 73*time.Hour, steady, days...)
	fill(30*time.Second, 7*time.Hour, steady, hours...)
	fill(15*time.Second, time.Hour, steady, quarter...)
	fill(5*time.Second, 11*time.Minute, grows, raw...)
	return db
}
