package rules

import "time"

// nodeEventLoopSaturated has two variants: the critical one inhibits the warning.
func nodeEventLoopSaturated(severity Severity) Alert {
	threshold := "${eventloop_utilization}"
	if severity == Critical {
		threshold = "${eventloop_utilization_critical}"
	}
	return Alert{
		Name:          "NodeEventLoopSaturated",
		Severity:      severity,
		Scope:         ScopeProcess,
		Expr:          elu + " > " + threshold + "\nand " + upFor("420"),
		For:           10 * time.Minute,
		KeepFiringFor: 5 * time.Minute,
		Why: "The loop has no time left: requests wait for each other. Seven minutes of uptime, so that the window has nothing of the boot;\n" +
			"with `for`, batches of a quarter of an hour are silent. A loop that waits for a child (spawnSync) is busy too, without CPU.",
		Summary: Text{
			EN: `The event loop of {{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }} is busy all the time`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }}（id {{ $labels.pm_id }}）的事件循环一直繁忙`,
		},
		Description: Text{
			EN: `The event loop of process {{ $labels.pm_id }} of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} has had hardly any idle time for ten minutes: requests wait for each other. Add workers ("pm2 scale {{ $labels.app }} +1" in cluster mode), or find what takes the time with a CPU profile.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的进程 {{ $labels.pm_id }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）的事件循环十分钟来几乎没有空闲：请求在互相等待。增加实例（cluster 模式下 "pm2 scale {{ $labels.app }} +1"），或用 CPU 分析找出耗时的代码。`,
		},
	}
}
