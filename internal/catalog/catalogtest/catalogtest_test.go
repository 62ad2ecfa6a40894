package catalogtest

import (
	"strings"
	"testing"
)

func TestForeign(t *testing.T) {
	for expr, want := range map[string]string{
		`pm2_upp`:                           "no metric pm2_upp",
		`pm2_up{app="a"}`:                   "no label app of pm2_up",
		`pm2_process_state{state="broken"}`: "no value broken",
		`pm2_app_exits_total{reason=~"crash|sigterm"}`:         "no value sigterm",
		`sum by (pm_id) (pm2_up)`:                              "no label pm_id",
		`sum by (route) (rate(pm2_up[5m]))`:                    "no label route",
		`{job="pm2"}`:                                          "no metric ",
		`pm2_up_count`:                                         "no metric pm2_up_count",
		`pm2_http_request_duration_seconds_count{le="1"}`:      "no label le",
		`sum by (integration) (alertmanager_alerts)`:           "no label integration",
		`pm2_up * on (daemon, pm_id) group_left () pm2_up`:     "no label pm_id",
		`sum by (le) (rate(nodejs_gc_duration_seconds_x[1m]))`: "no metric",
	} {
		got, err := Foreign(expr, nil)
		if err != nil || !strings.Contains(strings.Join(got, "; "), want) {
			t.Errorf("%s: %q %v, want %q in it", expr, got, err, want)
		}
	}
	for _, expr := range []string{
		`sum by (host, daemon) (pm2_process_state{state!="online",app=~"a.*"}) > 0`,
		`sum by (app, le) (rate(pm2_http_request_duration_seconds_bucket{code!="5xx", le="0.5"}[5m]))`,
		`count by (severity, app) (ALERTS{alertstate="firing"})`, `min by (host) (up{job="pm2"})`,
		`sum by (at) (label_replace(pm2_up, "at", "$1", "instance", "(.*)"))`,
	} {
		if got, err := Foreign(expr, nil); err != nil || len(got) > 0 {
			t.Errorf("found fault with a good one: %s: %q %v", expr, got, err)
		}
	}
	if _, err := Foreign(`sum(`, nil); err == nil {
		t.Error("took what does not parse")
	}
}

func TestForeignKnowsWhatIsRecorded(t *testing.T) {
	recorded := map[string][]string{"app:a": {"app"}, "app:b": nil}
	for expr, want := range map[string]string{
		`sum by (app) (app:a)`:           "",
		`sum by (pm_id) (app:a)`:         "no label pm_id",
		`sum by (pm_id) (app:b)`:         "",
		`sum by (pm_id) (app:b + app:c)`: "no metric app:c",
	} {
		if got, err := Foreign(expr, recorded); err != nil || strings.Join(got, "; ") != want {
			t.Errorf("%s: %q %v, want %q", expr, got, err, want)
		}
	}
}
