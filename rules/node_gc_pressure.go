package rules

import "time"

func nodeGCPressure() Alert {
	return Alert{
		Name:     "NodeGCPressure",
		Severity: Warning,
		Scope:    ScopeProcess,
		Expr: `sum without (kind) (rate(nodejs_gc_duration_seconds_sum[5m])) > ${gc_ratio}
and ` + upFor("420"),
		For:           10 * time.Minute,
		KeepFiringFor: 5 * time.Minute,
		Why:           "Time in which nothing else runs. A boot and a cache that warms up collect much for some minutes, hence uptime and `for`.",
		Summary: Text{
			EN: `{{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }} spends its time on garbage collection`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（id {{ $labels.pm_id }}）大量时间用于垃圾回收`,
		},
		Description: Text{
			EN: `Garbage collection has taken much of the time of process {{ $labels.pm_id }} of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} for ten minutes. Either its heap is nearly full (a leak, or --max-old-space-size is too low), or it makes garbage faster than it should.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的进程 {{ $labels.pm_id }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）十分钟来大量时间用于垃圾回收。可能是堆几乎已满（泄漏，或 --max-old-space-size 太小），也可能是产生临时对象过快。`,
		},
	}
}
