package rules

import "time"

func deployRegression() Alert {
	return Alert{
		Name:     "PM2DeployRegression",
		Severity: Critical,
		Scope:    ScopeApp,
		Expr: `(
  (
    pm2_app:exceptions:increase5m > ${exception_spike}
    and
    pm2_app:exceptions:increase5m > ${exception_spike_times} * pm2_app:exceptions:increase5m_max1h_before_deploy * pm2_app:http_requests:growth_since_deploy
  )
  or
  (
    pm2_app:http_requests_failed:increase5m > ${slo_min_bad} - 0.5
    and
    pm2_app:http_requests_failed:increase5m > ${deploy_failed_ratio} * pm2_app:http_requests:increase5m
    and
    pm2_app:http_requests_failed:increase5m > ${exception_spike_times} * (pm2_app:http_requests_failed:increase5m_max1h_before_deploy or pm2_app:http_requests_failed:increase5m * 0) * pm2_app:http_requests:growth_since_deploy
  )
  or
  (
    pm2_app:crashes:increase5m > ${deploy_crash_ends} - 0.1
    and
    pm2_app:crashes:increase5m > ${exception_spike_times} * pm2_app:crashes:increase5m_max1h_before_deploy
  )
)
and ` + recentDeploy() + `
and on (job, instance, daemon, pm2_namespace, app) (pm2_app_exits_total{reason="crash"} offset 1h)`,
		For:           time.Minute,
		KeepFiringFor: 10 * time.Minute,
		Why: "Exceptions, failed requests or crashes that are three times what they were before, for as many requests, soon after the app's\n" +
			"version or revision changed. A restart without a change is no deploy, nor is that of another app.\n" +
			"An app that was not there an hour ago has nothing to get worse than. The few requests that fail while processes change places are\n" +
			"a small share of five minutes.\n" +
			"It ends with the time in which a deploy is to blame, by the clock of the host; what goes on is told by other alerts.",
		Summary: Text{
			EN: `The last deploy of {{ $labels.app }} on {{ or $labels.host $labels.instance }} made it worse`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的最近一次部署使其变差`,
		},
		Description: Text{
			EN: `{{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} got another version within the last ${deploy_window_seconds:duration}, and has had {{ $value | humanize }} exceptions, failed requests or crashes in five minutes since, more than ${exception_spike_times} times as many, for as many requests, as in any five minutes of the hour before. Go back first, look for the reason then.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）在最近 ${deploy_window_seconds:duration}内更换了版本，此后五分钟内出现 {{ $value | humanize }} 次异常、失败请求或崩溃，按请求量折算超过之前一小时内任何五分钟的 ${exception_spike_times} 倍。请先回退，再查原因。`,
		},
	}
}
