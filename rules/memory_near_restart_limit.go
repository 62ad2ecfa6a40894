package rules

import "time"

func memoryNearRestartLimit() Alert {
	return Alert{
		Name:     "PM2MemoryNearRestartLimit",
		Severity: Warning,
		Scope:    ScopeProcess,
		Expr: `avg_over_time(pm2_process_resident_memory_bytes[10m])
  > ${memory_near_limit_ratio} * pm2_process_memory_limit_bytes
and on (job, instance, daemon, pm2_namespace, app, pm_id)
  time() - pm2_process_start_time_seconds > 600`,
		For:           10 * time.Minute,
		KeepFiringFor: 10 * time.Minute,
		Why: "PM2 looks every 30 s at the memory of the process itself, without children, and restarts it above max_memory_restart:\n" +
			"the mean of ten minutes, so that the peaks between two garbage collections tell nothing; ten minutes of uptime, so that the\n" +
			"mean is that of this process.",
		Summary: Text{
			EN: `{{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }} is near its memory limit`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（id {{ $labels.pm_id }}）接近内存上限`,
		},
		Description: Text{
			EN: `Process {{ $labels.pm_id }} of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} uses nearly as much memory as max_memory_restart allows. PM2 will restart it soon. If it has always used as much, raise the limit; if it grew, it leaks.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的进程 {{ $labels.pm_id }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）的内存已接近 max_memory_restart，PM2 很快会重启它。如果一直用这么多，请调高上限；如果是逐渐增长的，说明有泄漏。`,
		},
	}
}
