package rules

import "time"

func exceptionSpike() Alert {
	return Alert{
		Name:     "PM2ExceptionSpike",
		Severity: Warning,
		Scope:    ScopeApp,
		Expr: `(
  (
    pm2_app:exceptions:increase5m > ${exception_spike}
    and
    pm2_app:exceptions:increase5m > ${exception_spike_times} * pm2_app:exceptions:increase5m_p95_1d
    and
    pm2_app:exceptions:increase5m > ${exception_spike_times} * (max_over_time(pm2_app:exceptions:increase5m[30m] offset 1425m) or pm2_app:exceptions:increase5m * 0)
  )
  or
  (
    pm2_app:exceptions:increase5m > ${exception_spike} * ${exception_spike_times}
    unless
    pm2_app:exceptions:increase5m_p95_1d
  )
)
unless
` + givenUp(),
		For:           time.Minute,
		KeepFiringFor: 5 * time.Minute,
		Why: "Three times what the app has in all but the worst hour of a day, and three times what it had at this time yesterday (a quarter\n" +
			"of an hour either way), for batches by the clock. An app that is new has nothing to compare with, and needs more.\n" +
			"An exception stays in the window for five minutes, so `for` waits for no second one; it lets a crash loop be told first.\n" +
			"Of an app that PM2 gave up PM2ProcessErrored tells, and PM2NewException what it threw.",
		Summary: Text{
			EN: `{{ $labels.app }} on {{ or $labels.host $labels.instance }} has many more exceptions than usual`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }} 异常数远超平常`,
		},
		Description: Text{
			EN: `{{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} had {{ $value | humanize }} exceptions in five minutes, handled ones included. The list of exceptions says which.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）五分钟内出现 {{ $value | humanize }} 次异常（包括已处理的）。异常列表会说明是哪些。`,
		},
	}
}
