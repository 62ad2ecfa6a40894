package routing

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/promtest"
)

// who is told of what, in the world of all kinds.
var who = []struct{ labels, want string }{
	{"alertname=PM2CrashLoop severity=critical scope=app bucket=prod-eu pm2_namespace=default app=payments", "lark+pager"},
	{"alertname=PM2FrequentRestarts severity=warning scope=app bucket=prod-eu pm2_namespace=default app=payments", "lark"},
	{"alertname=PM2NewException severity=warning scope=exception bucket=prod-eu pm2_namespace=default app=pay", "lark"},
	{"alertname=PM2SaveStale severity=info scope=app bucket=prod-eu pm2_namespace=default app=pay", "ops"}, // the digest
	{"alertname=PM2CrashLoop severity=critical scope=app bucket=staging pm2_namespace=default app=payments", "ops+wx+pager"},
	{"alertname=PM2CrashLoop severity=critical scope=app bucket=prod- pm2_namespace=default app=repay", "ops+wx+pager"},
	{"alertname=PM2CrashLoop severity=critical scope=app pm2_namespace=shop app=web-1", "slack+teams"}, // page: []
	{"alertname=PM2CrashLoop severity=critical scope=app pm2_namespace=shop app=web-12", "ops+wx+pager"},
	{"alertname=PM2CronJobFailed severity=warning scope=process pm2_namespace=default app=cron", "wx"}, // no bucket is local
	{"alertname=PM2NewException severity=warning scope=exception bucket=local pm2_namespace=default app=cron", "wx"},
	{"alertname=PM2CronJobFailed severity=warning scope=process bucket=prod pm2_namespace=default app=cron", "ops+wx"},
	{"alertname=PM2CrashLoop severity=critical scope=app pm2_namespace=default app=api", "ops+wx+pager"}, // receivers of the default
	{"alertname=PM2HostDown severity=critical scope=host host=web-1", "ops+wx+pager"},
	{"alertname=PM2LogDiskFilling severity=warning scope=host host=web-1", "ops+wx"},
	{"alertname=PM25Watchdog severity=none scope=pm25", "deadman"},
	{"alertname=Other severity=none app=api", "(nobody)"},
	{"alertname=ByHand", "ops+wx"},
	{"alertname=ByHand severity=critical", "ops+wx+pager"},
}

func TestAmtool(t *testing.T) {
	binary := promtest.Binary(t, "amtool")
	dir := t.TempDir()
	amtool := func(args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, binary, args...)
		cmd.Env = append(os.Environ(), "HOME="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("amtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	for language := range map[string]bool{English: true, Chinese: true} {
		for name, text := range Templates(language) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, files := range worlds() {
		t.Run(name, func(t *testing.T) {
			r, o := world(t, files[0], files[1])
			opts := bridged
			opts.TemplateGlob = filepath.Join(dir, "*.tmpl")
			text, err := Alertmanager(r, o, opts)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "alertmanager.yml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			checked := amtool("check-config", file)
			if !strings.Contains(checked, "SUCCESS") || strings.Contains(strings.ToUpper(checked), "FAILED") {
				t.Error(checked)
			}
			if name != "all" {
				return
			}
			for _, c := range who {
				args := append([]string{"config", "routes", "test", "--config.file=" + file}, strings.Fields(c.labels)...)
				if got := strings.TrimSpace(amtool(args...)); got != c.want {
					t.Errorf("%s: %s is told, not %s", c.labels, got, c.want)
				}
			}
		})
	}
}

// Routes and Find agree on who owns what.
func TestRoutesFollowFind(t *testing.T) {
	r, o := world(t, allKinds, someOwners)
	text, err := Alertmanager(r, o, bridged)
	if err != nil {
		t.Fatal(err)
	}
	root := dispatch.NewRoute(load(t, text).Route, nil)
	for _, bucket := range []string{"", "local", "prod-eu", "staging"} {
		for _, namespace := range []string{"", "default", "shop"} {
			for _, app := range []string{"", "api", "cron", "pay", "payments", "web-1", "web-12"} {
				for _, severity := range []string{"critical", "warning"} {
					labels := model.LabelSet{"bucket": model.LabelValue(bucket), "pm2_namespace": model.LabelValue(namespace), "app": model.LabelValue(app), "severity": model.LabelValue(severity)}
					found := root.Match(labels)
					if len(found) != 1 {
						t.Fatalf("%v has %d routes", labels, len(found))
					}
					owner, _ := o.Find(bucket, namespace, app)
					if got := string(found[0].RouteOpts.Labels["team"]); got != owner.Team {
						t.Errorf("%v goes to team %q, but belongs to %q", labels, got, owner.Team)
					}
				}
			}
		}
	}
}

// A message is about one alert of one app, or of the hosts of a bucket; never
// about one alert each.
func TestTimes(t *testing.T) {
	r, o := world(t, allKinds, someOwners)
	text, err := Alertmanager(r, o, bridged)
	if err != nil {
		t.Fatal(err)
	}
	root := dispatch.NewRoute(load(t, text).Route, nil)
	root.Walk(func(r *dispatch.Route) {
		if r.RouteOpts.GroupByAll || len(r.RouteOpts.GroupBy) == 0 {
			t.Errorf("%s groups by %v", r.Key(), r.RouteOpts.GroupBy)
		}
	})
	for _, c := range []struct{ labels, wait, interval, repeat string }{
		{"severity=critical app=api", "5s", "15s", "1h"},
		{"severity=critical app=nobodys", "5s", "15s", "1h"},
		{"severity=warning app=api", "10s", "5m", "4h"},
		{"severity=warning scope=exception app=api", "1m", "15m", "24h"},
		{"severity=info app=api", "5m", "30m", "24h"},
		{"alertname=PM25Watchdog severity=none", "0s", "1m", "5m"},
	} {
		labels := model.LabelSet{}
		for _, pair := range strings.Fields(c.labels) {
			key, value, _ := strings.Cut(pair, "=")
			labels[model.LabelName(key)] = model.LabelValue(value)
		}
		opts := root.Match(labels)[0].RouteOpts
		want := []time.Duration{duration(t, c.wait), duration(t, c.interval), duration(t, c.repeat)}
		if got := []time.Duration{opts.GroupWait, opts.GroupInterval, opts.RepeatInterval}; got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
			t.Errorf("%s: %v, want %v", c.labels, got, want)
		}
		if hours := len(opts.ActiveTimeIntervals) == 1; hours != strings.Contains(c.labels, "info") || len(opts.MuteTimeIntervals) > 0 {
			t.Errorf("%s is told only %v, and not %v", c.labels, opts.ActiveTimeIntervals, opts.MuteTimeIntervals)
		}
	}
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The hours of digests are those of the time zone, not of UTC.
func TestHours(t *testing.T) {
	for _, c := range []struct {
		info string
		at   string // in UTC; 2026-11-26 is a Thursday
		told bool
	}{
		{`{between: "09:00-18:00", days: "monday:friday"}`, "2026-11-26T00:59:59Z", false},
		{`{between: "09:00-18:00", days: "monday:friday"}`, "2026-11-26T01:00:00Z", true},
		{`{between: "09:00-18:00", days: "monday:friday"}`, "2026-11-26T09:59:59Z", true},
		{`{between: "09:00-18:00", days: "monday:friday"}`, "2026-11-26T10:00:00Z", false},
		{`{between: "09:00-18:00", days: "monday:friday"}`, "2026-11-28T03:00:00Z", false},
		{`{between: "09:00-18:00"}`, "2026-11-28T03:00:00Z", true},
		{`{between: "20:00-24:00"}`, "2026-11-26T15:59:59Z", true},
		{`{days: sunday}`, "2026-11-28T16:00:00Z", true},  // midnight in Shanghai
		{`{days: sunday}`, "2026-11-28T15:59:00Z", false}, // still Saturday there
	} {
		r, _ := world(t, "default: [a]\ntimezone: Asia/Shanghai\nreceivers:\n  a: {slack: {url_file: f}}\ninfo: "+c.info, "")
		text, err := Alertmanager(r, nil, Options{})
		if err != nil {
			t.Fatal(err)
		}
		conf := load(t, text)
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		in, _, err := timeinterval.NewIntervener(map[string][]timeinterval.TimeInterval{digest: conf.TimeIntervals[0].TimeIntervals}).Mutes([]string{digest}, at)
		if err != nil || in != c.told {
			t.Errorf("%s at %s: %t, %v", c.info, c.at, in, err)
		}
		route := dispatch.NewRoute(conf.Route, nil).Match(model.LabelSet{"severity": "info"})[0]
		if got := route.RouteOpts.ActiveTimeIntervals; len(got) != 1 || got[0] != digest {
			t.Errorf("info is told in %v", got)
		}
	}
}
