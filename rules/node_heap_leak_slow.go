package rules

import "time"

func nodeHeapLeakSlow() Alert {
	return Alert{
		Name:     "NodeHeapLeakSlow",
		Severity: Info,
		Scope:    ScopeProcess,
		Expr: `(
  pm2_process:nodejs_heap_used_after_gc_bytes:min1d
    > 1.05 * (pm2_process:nodejs_heap_used_after_gc_bytes:min1d offset 1d)
  and
  (pm2_process:nodejs_heap_used_after_gc_bytes:min1d offset 1d)
    > 1.05 * (pm2_process:nodejs_heap_used_after_gc_bytes:min1d offset 2d)
  and
  pm2_process:nodejs_heap_used_after_gc_bytes:min1d - pm2_process:nodejs_heap_used_after_gc_bytes:min1d offset 1d
    > 0.7 * (pm2_process:nodejs_heap_used_after_gc_bytes:min1d offset 1d - pm2_process:nodejs_heap_used_after_gc_bytes:min1d offset 2d)
  and time() - pm2_process_start_time_seconds > 3.5 * 86400
)
or
(
  pm2_process:nodejs_heap_used_after_gc_bytes:last + 7 * 86400 * pm2_process:nodejs_heap_used_after_gc_bytes:slope1d
    > ${heap_growth_ratio} * nodejs_heap_size_limit_bytes
  and pm2_process:nodejs_heap_used_after_gc_bytes:fit1d > 0.9
  and deriv(pm2_process:nodejs_heap_used_after_gc_bytes:last[8h:10m])
    > 0.75 * pm2_process:nodejs_heap_used_after_gc_bytes:slope1d
  and pm2_process:nodejs_heap_used_after_gc_bytes:last offset 1d
  and time() - pm2_process_start_time_seconds > 25 * 3600
)`,
		For:           6 * time.Hour,
		KeepFiringFor: time.Hour,
		Why: "The least that the heap was within a day is above that of the day before, twice, and by no less the second time: no daily\n" +
			"cycle does that, nor a cache that fills. Three days to compare, and half a day in which caches fill.\n" +
			"Or a straight line fits a whole day, its last third is hardly flatter, and the limit is less than a week away: too slow\n" +
			"for NodeHeapLeakFast, and full before three days could be compared. Data that is kept on purpose grows as well, hence info.",
		Summary: Text{
			EN: `{{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }} keeps more heap every day`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（id {{ $labels.pm_id }}）每天占用更多堆内存`,
		},
		Description: Text{
			EN: `The least heap that process {{ $labels.pm_id }} of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} had within a day rose by more than 5 % two days running, or it has risen evenly for a whole day. It leaks slowly, or keeps data that grows.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的进程 {{ $labels.pm_id }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）每日最低堆内存连续两天上升超过 5%，或一整天均匀上升。可能是缓慢泄漏，也可能是保存的数据在增长。`,
		},
	}
}
