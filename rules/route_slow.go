package rules

import "time"

func routeIsSlow() Alert {
	return Alert{
		Name:     "PM2RouteSlow",
		Severity: Warning,
		Scope:    ScopeRoute,
		Expr: `(
  avg_over_time(pm2_route:http_requests_very_slow:increase5m{route!~"\\(other\\)|\\(unmatched\\)"}[10m])
  / (avg_over_time(pm2_route:http_requests_answered:increase5m[10m]) > 0)
) > ${route_slow_ratio}
and
avg_over_time(pm2_route:http_requests_answered:increase5m[10m]) * 2 > ${route_min_requests} - 0.5
and
pm2_route:http_requests_very_slow:increase5m > 0`,
		For:           5 * time.Minute,
		KeepFiringFor: 10 * time.Minute,
		Why: "Of the requests that were answered: those that failed burn the budget.\nThe 95th percentile is above a second where more than one in twenty took longer than a second. That says the same, needs two\n" +
			"series of a route in place of fourteen, and knows no last bucket behind which all are 10 s.\n" +
			"A percentile of a few requests says nothing. What has no route of its own may be anything, and nobody could mend it.\n" +
			"With nothing slow in the last five minutes it is over, also where the ten before were bad.",
		Summary: Text{
			EN: `{{ $labels.method }} {{ $labels.route }} of {{ $labels.app }} on {{ or $labels.host $labels.instance }} is slow`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的 {{ $labels.method }} {{ $labels.route }} 响应缓慢`,
		},
		Description: Text{
			EN: `{{ $value | humanizePercentage }} of the requests for {{ $labels.method }} {{ $labels.route }} of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} took too long in the last ten minutes. The runbook says how to find out where the time goes.`,
			ZH: `最近十分钟内，{{ or $labels.host $labels.instance }} 上 {{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）的 {{ $labels.method }} {{ $labels.route }} 有 {{ $value | humanizePercentage }} 的请求耗时过长。处理手册说明了如何找出时间花在哪里。`,
		},
	}
}
