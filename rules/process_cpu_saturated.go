package rules

import "time"

func processCPUSaturated() Alert {
	return Alert{
		Name:     "PM2ProcessCPUSaturated",
		Severity: Warning,
		Scope:    ScopeProcess,
		Expr: `pm2_process:cpu_seconds:rate5m > ${cpu_ratio}
unless ` + elu + `
and ` + upFor("420"),
		For:           15 * time.Minute,
		KeepFiringFor: 5 * time.Minute,
		Why: "For processes that cannot be seen into. Where the event loop is measured, NodeEventLoopSaturated says the same more exactly,\n" +
			"and worker threads may use more than a CPU while the loop is idle. A quarter of an hour: builds and batches are done by then.",
		Summary: Text{
			EN: `{{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }} uses a whole CPU all the time`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（id {{ $labels.pm_id }}）持续占满一个 CPU`,
		},
		Description: Text{
			EN: `Process {{ $labels.pm_id }} of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} has used a whole CPU for a quarter of an hour, which is all that one JavaScript thread can. Add workers, or look for an endless loop.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的进程 {{ $labels.pm_id }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）一刻钟来一直占满一个 CPU，这已是单个 JavaScript 线程的上限。请增加实例，或检查是否有死循环。`,
		},
	}
}
