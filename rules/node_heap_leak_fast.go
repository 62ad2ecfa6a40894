package rules

import "time"

func nodeHeapLeakFast() Alert {
	return Alert{
		Name:          "NodeHeapLeakFast",
		Severity:      Warning,
		Scope:         ScopeProcess,
		Expr:          leakFast(heap, "nodejs_heap_size_limit_bytes"),
		For:           30 * time.Minute,
		KeepFiringFor: time.Hour,
		Why: leakWhy + "\nIt is the heap that garbage collection leaves, against the limit at which V8 gives up.\n" +
			"Half an hour of `for`: where memory rises and falls the conditions may hold for minutes.",
		Summary: Text{
			EN: `{{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }} leaks heap`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（id {{ $labels.pm_id }}）堆内存泄漏`,
		},
		Description: Text{
			EN: `The heap that garbage collection leaves in process {{ $labels.pm_id }} of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} has grown in a straight line for five hours and at this pace is near its limit within 15 hours, at which Node.js ends the process. "pm2 reload {{ $labels.app }}" gives time; the runbook says how to find what is kept.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的进程 {{ $labels.pm_id }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）垃圾回收后的堆内存已连续五小时直线增长，照此速度 15 小时内将接近上限，届时 Node.js 会结束进程。"pm2 reload {{ $labels.app }}" 可以争取时间；处理手册说明了如何找出未释放的对象。`,
		},
	}
}
