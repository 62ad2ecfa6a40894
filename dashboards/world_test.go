package dashboards

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	kitlog "github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	promodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/pm25/pm25/internal/simagent"
	"github.com/pm25/pm25/rules"
)

// A world is an hour of some hosts in a Prometheus of its own, and the records of
// the same hour in PM25's store behind Loki's API. One app is in a crash loop, one
// errored, one host is down at the end, alerts fire, and exceptions were pushed.
type world struct {
	size       size
	rules      rules.Config
	start, end time.Time
	db         *tsdb.DB
	engine     *promql.Engine
	records    http.Handler
}

// size of a world, and whether its targets have the labels of service discovery.
type size struct {
	hosts, processes int
	copies           int // how many targets show the same host; 0: 1
	last             time.Duration
	labeled          bool
	well             bool // nothing of PM25 itself goes wrong
	// pace is how far scrapes are apart, 30 s unless said, recorded how far
	// evaluations of recording rules are.
	pace, recorded time.Duration
	rules          func(*rules.Config) // changes the default ones
}

// endOfWorlds is when worlds end, so that tests are the same each time.
var endOfWorlds = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, s size) *world {
	t.Helper()
	s.pace, s.recorded = cmp.Or(s.pace, 30*time.Second), cmp.Or(s.recorded, 30*time.Second)
	db, err := tsdb.Open(t.TempDir(), slog.New(slog.DiscardHandler), nil, storageOptions(s), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	config := rules.Default()
	if s.rules != nil {
		s.rules(&config)
	}
	w := &world{size: s, rules: config, start: endOfWorlds.Add(-s.last), end: endOfWorlds, db: db, engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: 2 * time.Minute, LookbackDelta: 5 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
		Parser: parser.NewParser(parser.Options{}), NoStepSubqueryIntervalFn: func(int64) int64 { return 60_000 },
	})}
	now := w.start
	clock := func() time.Time { return now }
	fleet, err := simagent.New(simagent.Options{Hosts: s.hosts, ProcessesPerHost: s.processes, Seed: 25, Logger: kitlog.NewNopLogger(), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	central, registry, secret := newCentral(t, clock)
	w.records = central.Handler()
	tell := &teller{w.records, secret}
	recorded := records(t, config)
	targets, self := targetsOf(s), []*scraped{newScraped("job", "pm25", "instance", "pm25:9725")}
	for ; !now.After(w.end); now = now.Add(s.pace) {
		w.trouble(fleet, now)
		tell.push(t, now, w)
		if !s.well && w.end.Sub(now) == 20*time.Minute {
			tell.refused(t)
		}
		for i, host := range fleet.Hosts() {
			w.scrape(t, targets[i], host, now)
		}
		w.scrape(t, self, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), now)
		w.alarms(t, targets[0][0].labels, now)
		if now.Sub(w.start)%s.recorded == 0 {
			w.record(t, recorded, now)
		}
	}
	return w
}

func storageOptions(s size) *tsdb.Options {
	o := tsdb.DefaultOptions()
	o.RetentionDuration = int64(30 * 24 * time.Hour / time.Millisecond)
	o.EnableExemplarStorage, o.MaxExemplars = true, 10_000
	return o
}

// targetsOf are the targets of each host.
func targetsOf(s size) [][]*scraped {
	out := make([][]*scraped, s.hosts)
	for n := range s.hosts * max(1, s.copies) {
		labels := []string{"job", "pm2", "instance", fmt.Sprintf("10.0.%d.%d:9209", n/250, n%250+1)}
		if s.labeled {
			labels = append(labels, "host", fmt.Sprintf("web-%02d", n+1), "bucket", fmt.Sprintf("bucket-%d", n%2))
		}
		out[n%s.hosts] = append(out[n%s.hosts], newScraped(labels...))
	}
	return out
}

// trouble begins half an hour before the end; the last host is down in the last
// three minutes.
func (w *world) trouble(fleet *simagent.Fleet, now time.Time) {
	hosts := fleet.Hosts()
	switch left := w.end.Sub(now); left {
	case 30 * time.Minute:
		hosts[0].Set("payments", simagent.CrashLoop)
		hosts[min(1, len(hosts)-1)].Set("mailer", simagent.Errored)
	case 3 * time.Minute:
		if len(hosts) > 1 {
			hosts[len(hosts)-1].Switch(false)
		}
	}
}

// alarms are what Prometheus and Alertmanager tell of themselves: two alerts fire
// since the trouble began, and one notification failed.
func (w *world) alarms(t testing.TB, host []string, now time.Time) {
	t.Helper()
	a := w.db.Appender(context.Background())
	since := w.end.Add(-28 * time.Minute)
	failed, sent := 0.0, 0.0
	appendTo(t, a, now, 1, promodel.MetricNameLabel, "ALERTS", "alertname", "PM25Watchdog", "alertstate", "firing", "severity", "none")
	if !now.Before(since) {
		failed, sent = 1, 5
		for _, alert := range [][]string{
			{"alertname", "PM2CrashLoop", "severity", "critical", "daemon", "deploy", "pm2_namespace", "default", "app", "payments"},
			{"alertname", "PM2RouteSlow", "severity", "warning", "daemon", "deploy", "pm2_namespace", "default", "app", "shop-web", "route", "/orders"},
		} {
			alert = append(alert, host...)
			appendTo(t, a, now, 1, append(alert, promodel.MetricNameLabel, "ALERTS", "alertstate", "firing")...)
			appendTo(t, a, now, float64(since.Unix()), append(alert, promodel.MetricNameLabel, "ALERTS_FOR_STATE")...)
		}
	}
	self := func(value float64, name string, pairs ...string) {
		appendTo(t, a, now, value, append(pairs, promodel.MetricNameLabel, name, "job", "pm25", "instance", "pm25:9725")...)
	}
	self(sent, "alertmanager_notifications_total", "integration", "webhook")
	self(failed, "alertmanager_notifications_failed_total", "integration", "webhook", "reason", "serverError")
	robot := []string{"robot_kind", "dingtalk", "robot", "ding"}
	self(sent, "pm25_notify_messages_total", append(robot, "result", "delivered")...)
	self(failed, "pm25_notify_failures_total", append(robot, "reason", "keyword")...)
	self(0, "pm25_notify_waiting", robot...)
	self(2, "alertmanager_alerts", "state", "active")
	self(1, "alertmanager_silences", "state", "active")
	self(0, "prometheus_rule_evaluation_failures_total", "rule_group", "pm25-availability")
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
}
