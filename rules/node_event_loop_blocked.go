package rules

import "time"

func nodeEventLoopBlocked() Alert {
	return Alert{
		Name:     "NodeEventLoopBlocked",
		Severity: Warning,
		Scope:    ScopeProcess,
		Expr: `max_over_time(nodejs_eventloop_delay_max_seconds[1m]) > ${eventloop_blocked_seconds}
and
max_over_time(nodejs_eventloop_delay_max_seconds[10m] offset 3m) > ${eventloop_blocked_seconds}
and ` + upFor("900"),
		KeepFiringFor: 10 * time.Minute,
		Why: "The greatest delay, not a percentile: one stall of 2 s in half a minute leaves the 99th at 12 ms. The gauge shows a stall for\n" +
			"one minute, the first window for up to two, and the second not before three: both hold only where there were two stalls,\n" +
			"so that one heap snapshot tells nothing. A quarter of an hour of uptime, so that a slow boot is not the first of them.",
		Summary: Text{
			EN: `Something blocks the event loop of {{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }}`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }}（id {{ $labels.pm_id }}）的事件循环被阻塞`,
		},
		Description: Text{
			EN: `More than once in the last minutes, one piece of work kept the event loop of process {{ $labels.pm_id }} of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} for so long that every request in it waited. Look for synchronous calls, large JSON, regular expressions on long input, or garbage collection.`,
			ZH: `最近几分钟内，{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的进程 {{ $labels.pm_id }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）的事件循环不止一次被单个任务长时间占用，所有请求都在等待。请检查同步调用、大 JSON、作用于长文本的正则表达式或垃圾回收。`,
		},
	}
}
