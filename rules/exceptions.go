package rules

import (
	"fmt"
	"time"
)

// Recorded series of apps on their hosts. All count five minutes.
const (
	appExceptions = "pm2_app:exceptions:increase5m"
	appRequests   = "pm2_app:http_requests:increase5m"
	appFailed     = "pm2_app:http_requests_failed:increase5m"
	appCrashes    = "pm2_app:crashes:increase5m"
	appGrowth     = "pm2_app:http_requests:growth_since_deploy"

	usualExceptions = "pm2_app:exceptions:increase5m_p95_1d"
)

func exceptions() Group {
	g := Group{
		Name:     "pm25-exceptions",
		Interval: 15 * time.Second,
		Why:      "Exceptions and deploys are counted in windows of minutes.",
		Records: []Record{
			{Name: appExceptions, Expr: "sum without (handled) (increase(pm2_app_exceptions_total[5m]))", Why: "What an app on a host had in five minutes."},
			{Name: appCrashes, Expr: "sum without (reason) (increase(pm2_app_exits_total{reason=~\"crash|signal|oom_kill|errored\"}[5m]))"},
			{Name: appRequests, Expr: "sum without (method, route) (" + routeRequests + ")"},
			{Name: appFailed, Expr: "sum without (method, route) (" + routeFailed + ")"},
		},
		Alerts: []Alert{exceptionSpike(), newException(), deployRegression()},
	}
	for _, of := range []string{appExceptions, appCrashes, appRequests, appFailed} {
		g.Records = append(g.Records, beforeDeploy(of))
	}
	g.Records[len(g.Records)-4].Why = "The most of these in the hour before a deploy. While a deploy is recent, the value of the time before it is carried on from\n" +
		"evaluation to evaluation; a second deploy meanwhile is compared with what was before the first.\n" +
		"The most, not the mean: trouble that a deploy was to mend is not blamed on it."
	g.Records = append(g.Records, Record{
		Name: appGrowth,
		Expr: "clamp_min(" + appRequests + " / (" + before(appRequests) + " > 0), 1)\nor\n" + before(appExceptions) + " * 0 + 1",
		Why:  "How many times the requests of before a deploy there are. More of them have more exceptions; where nobody knows, as many.",
	})
	return g
}

// before is the name of the recorded most of a series in the hour before a deploy.
func before(recorded string) string { return recorded + "_max1h_before_deploy" }

// recentDeploy is true of apps whose version changed a short while ago; for the
// right side of `and` and `unless`.
func recentDeploy() string {
	return onApp + " (" + since("pm2_app_deploy_timestamp_seconds") + " < ${deploy_window_seconds})"
}

func beforeDeploy(recorded string) Record {
	return Record{
		Name: before(recorded),
		Expr: fmt.Sprintf("(max_over_time(%s[1h]) unless %s)\nor\n(%s and %s)", recorded, recentDeploy(), before(recorded), recentDeploy()),
	}
}

// usual is what is usual: a day is read seldom.
func usual() Group {
	return Group{
		Name:     "pm25-usual",
		Interval: 2 * time.Minute,
		Why:      "What is usual changes in hours, and a day of it is much to read.",
		Records: []Record{{
			Name: usualExceptions,
			Expr: "quantile_over_time(0.95, " + appExceptions + "[1d:5m] offset 10m)",
			Why:  "What an app had in all but the worst hour of the last day. The last ten minutes may be the spike itself.",
		}},
	}
}
