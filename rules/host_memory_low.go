package rules

import "time"

func hostMemoryLow() Alert {
	return Alert{
		Name:     "PM2HostMemoryLow",
		Severity: Warning,
		Scope:    ScopeHost,
		Expr: `avg_over_time(pm2_host_memory_available_bytes[5m])
/ pm2_host_memory_total_bytes < ${host_memory_available_ratio}`,
		For: 2 * time.Minute,
		Why: "What the kernel could give without swapping, caches included. The mean of five minutes leaves out a build or a deploy that runs two\n" +
			"versions for a moment.",
		Summary: Text{
			EN: `{{ or $labels.host $labels.instance }} is short of memory`,
			ZH: `{{ or $labels.host $labels.instance }} 内存不足`,
		},
		Description: Text{
			EN: `Hardly any memory is available on {{ or $labels.host $labels.instance }}: soon the kernel will kill a process. "ps -eo pid,rss,args --sort=-rss | head" shows the largest.`,
			ZH: `{{ or $labels.host $labels.instance }} 的可用内存所剩无几，内核很快会杀死某个进程。"ps -eo pid,rss,args --sort=-rss | head" 显示占用最多的进程。`,
		},
	}
}
