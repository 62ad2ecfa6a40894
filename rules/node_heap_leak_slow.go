package rules

import (
	"strings"
	"time"
)

func nodeHeapLeakSlow() Alert {
	return Alert{
		Name:     "NodeHeapLeakSlow",
		Severity: Info,
		Scope:    ScopeProcess,
		Expr: strings.ReplaceAll(`(
  `+oneDay().leak(heap, "nodejs_heap_size_limit_bytes")+`
)
or
(
  $MIN > 1.05 * ($MIN offset 1d)
  and $MIN offset 1d > 1.05 * ($MIN offset 2d)
  and $MIN - $MIN offset 1d > 0.7 * ($MIN offset 1d - $MIN offset 2d)
  and time() - pm2_process_start_time_seconds > 3.5 * 86400
)`, "$MIN", "pm2_process:nodejs_heap_used_after_gc_bytes:min1d"),
		For:           6 * time.Hour,
		KeepFiringFor: time.Hour,
		Why: "A straight line fits a whole day, does not slow down, and is near the limit in three days: too slow for NodeHeapLeakFast.\n" +
			"Or the least that the heap was within a day is above that of the day before, twice, and by no less the second time: no daily\n" +
			"cycle does that, nor one step, nor a cache that fills. Three days to compare, and half a day in which caches fill.\n" +
			"Six hours of `for`, because none of it is urgent. Data that is kept on purpose grows as well, hence info.",
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
