package rules

import "time"

func daemonDown() Alert {
	return Alert{
		Name:     "PM2DaemonDown",
		Severity: Critical,
		Scope:    ScopeDaemon,
		Expr:     `(max_over_time(pm2_up[30s]) or pm2_up) == 0`,
		For:      5 * time.Second,
		Why: "`pm2 update` and `pm2 kill` with a start right after leave PM2 unreachable for some seconds: half a minute is no update.\n" +
			"The window, not `for`, holds that time, so that neither a missed scrape nor a restart of Prometheus begins it anew.\n" +
			"Where scrapes are further apart than the window, the last one counts.",
		Summary:     `PM2 {{ $labels.daemon }} on {{ or $labels.host $labels.instance }} does not answer`,
		Description: `The PM2 daemon {{ $labels.daemon }} on {{ or $labels.host $labels.instance }} has not answered for half a minute. Its apps may be gone, or run on without anybody to restart them. Do not look with "pm2 list": where no daemon is, it starts an empty one. The runbook says how.`,
	}
}
