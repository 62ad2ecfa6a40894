package rules

func memoryRestartLoop() Alert {
	return Alert{
		Name:     "PM2MemoryRestartLoop",
		Severity: Warning,
		Scope:    ScopeApp,
		Expr: `sum without (reason) (increase(pm2_app_exits_total{reason="memory_limit"}[6h]))
  > ${memory_limit_restarts} - 0.1
and
sum without (reason) (pm2_app_exits_total{reason="memory_limit"})`,
		Why: "The most certain sign of a leak under PM2: no `for`. increase() stretches what it sees to the whole window and may fall a\n" +
			"little short of a whole number, hence 0.1 less. An app that was deleted has no counter any more.",
		Summary: Text{
			EN: `{{ $labels.app }} on {{ or $labels.host $labels.instance }} is restarted at its memory limit again and again`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }} 因达到内存上限而反复重启`,
		},
		Description: Text{
			EN: `PM2 restarted processes of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} at max_memory_restart at least ${memory_limit_restarts} times within six hours. It leaks, or the limit is too low. "pm2 describe {{ $labels.app }}" shows the limit.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）在六小时内至少 ${memory_limit_restarts} 次因 max_memory_restart 被 PM2 重启。要么有泄漏，要么上限太低。"pm2 describe {{ $labels.app }}" 可以查看上限。`,
		},
	}
}
