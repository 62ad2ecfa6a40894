package rules

func processKilled() Alert {
	return Alert{
		Name:     "PM2ProcessKilled",
		Severity: Warning,
		Scope:    ScopeApp,
		Expr:     `increase(pm2_app_exits_total{reason=~"signal|oom_kill"}[5m]) > 0`,
		Why: "One such end is worth a look: somebody or something outside of PM2 ended a process. PM2 kills too, after kill_timeout: those ends are\n" +
			"counted as what PM2 was about (operator, reload, memory_limit, cron, watch). Several become PM2CrashLoop, which inhibits this.\n" +
			"It lasts as long as the window.",
		Summary: Text{
			EN: `{{ $labels.app }} on {{ or $labels.host $labels.instance }} was killed from outside of PM2 ({{ $labels.reason }})`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }} 被 PM2 以外的信号终止（{{ $labels.reason }}）`,
		},
		Description: Text{
			EN: `A process of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} was ended by a signal that PM2 did not send. With reason oom_kill it was the kernel, for want of memory: "dmesg -T | grep -i oom" tells. PM2 has started it again.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）的一个进程被并非由 PM2 发出的信号终止。原因为 oom_kill 时是内核因内存不足所为：用 "dmesg -T | grep -i oom" 查看。PM2 已重新启动它。`,
		},
	}
}
