package rules

import "time"

func memoryGrowth() Alert {
	return Alert{
		Name:          "PM2MemoryGrowth",
		Severity:      Warning,
		Scope:         ScopeProcess,
		Expr:          leakFast(trough, "pm2_process:memory_limit_bytes:min"),
		For:           30 * time.Minute,
		KeepFiringFor: time.Hour,
		Why: leakWhy + "\nIt is the resident memory with children's, so it also sees buffers, native code and programs that are not Node.js;\n" +
			"against max_memory_restart, or else a share of the host's memory. An allocator that can not use its holes looks the same.",
		Summary: Text{
			EN: `Memory of {{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }} grows towards its limit`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }}（id {{ $labels.pm_id }}）的内存正在逼近上限`,
		},
		Description: Text{
			EN: `Resident memory of process {{ $labels.pm_id }} of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }}, with its children, has grown in a straight line for five hours and at this pace is near its limit within 15 hours: max_memory_restart, or a share of the host's memory where none is set. If NodeHeapLeakFast is silent, look outside of the heap: buffers, native modules, children.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的进程 {{ $labels.pm_id }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）及其子进程的常驻内存已连续五小时直线增长，照此速度 15 小时内将接近上限：max_memory_restart，未设置时为主机内存的一定比例。如果 NodeHeapLeakFast 没有告警，请查看堆以外的内存：Buffer、原生模块、子进程。`,
		},
	}
}
