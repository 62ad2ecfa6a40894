package rules

import "time"

func nodeProcessHung() Alert {
	return Alert{
		Name:     "NodeProcessHung",
		Severity: Critical,
		Scope:    ScopeProcess,
		Expr: `nodejs_last_report_timestamp_seconds
  == (nodejs_last_report_timestamp_seconds offset ${hung_seconds}s)
and
timestamp(nodejs_last_report_timestamp_seconds)
  > timestamp(nodejs_last_report_timestamp_seconds offset ${hung_seconds}s)
and on (job, instance, daemon, pm2_namespace, app, pm_id)
  pm2_process_state{state="online"} == 1
and on (job, instance, daemon, pm2_namespace, app, pm_id)
  time() - pm2_process_start_time_seconds > 2 * ${hung_seconds}`,
		For:           15 * time.Second,
		KeepFiringFor: 30 * time.Second,
		Why: "A process reports every few seconds. The last report is compared with itself a while ago, not with time(): clocks of hosts\n" +
			"may be wrong; and not with the same sample, where scrapes are further apart than that. An agent that restarts knows of no report until the next, and a process that ends takes the series along.\n" +
			"Two evaluations: after a host slept, the first may come before the first report. A process that was stopped (SIGSTOP) or waits\n" +
			"in a debugger is told, and so is a script that computes for minutes without a break: they answer nobody.",
		Summary: Text{
			EN: `{{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }} is online but hangs`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（id {{ $labels.pm_id }}）显示在线，但已卡死`,
		},
		Description: Text{
			EN: `PM2 shows process {{ $labels.pm_id }} of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} as online, but its event loop has not turned for ${hung_seconds:duration}: it answers nobody, and PM2 will not restart it. The runbook says how to see where it hangs; then "pm2 restart {{ $labels.pm_id }}".`,
			ZH: `PM2 显示 {{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的进程 {{ $labels.pm_id }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）在线，但它的事件循环已有 ${hung_seconds:duration}没有运转：不响应任何请求，PM2 也不会重启它。处理手册说明了如何查看卡在哪里；之后执行 "pm2 restart {{ $labels.pm_id }}"。`,
		},
	}
}
