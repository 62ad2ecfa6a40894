package rules

import "time"

func daemonDown() Alert {
	return Alert{
		Name:     "PM2DaemonDown",
		Severity: Critical,
		Scope:    ScopeDaemon,
		Expr: `(
  (max_over_time(pm2_up[30s]) and count_over_time(pm2_up[30s]) > 1)
  or
  max_over_time(pm2_up[2m])
  or
  pm2_up
) == 0`,
		For: 5 * time.Second,
		Why: "`pm2 update` and `pm2 kill` with a start right after leave PM2 unreachable for some seconds: half a minute is no update.\n" +
			"The window, not `for`, holds that time, so that neither a missed scrape nor a restart of Prometheus begins it anew.\n" +
			"Where scrapes are so far apart that it holds one of them, two minutes count: one unlucky scrape is no outage.",
		Summary: Text{
			EN: `PM2 {{ $labels.daemon }} on {{ or $labels.host $labels.instance }} does not answer`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 PM2 {{ $labels.daemon }} 无响应`,
		},
		Description: Text{
			EN: `The PM2 daemon {{ $labels.daemon }} on {{ or $labels.host $labels.instance }} has not answered for half a minute. Its apps may be gone, or run on without anybody to restart them. Do not look with "pm2 list": where no daemon is, it starts an empty one. The runbook says how.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 PM2 守护进程 {{ $labels.daemon }} 已有半分钟没有响应。它的应用可能已经不在，或者还在运行但没人会重启它们。不要用 "pm2 list" 查看：没有守护进程时，它会启动一个空的。处理手册说明了怎么做。`,
		},
	}
}
