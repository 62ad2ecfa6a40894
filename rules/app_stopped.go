package rules

func appStopped() Alert {
	return Alert{
		Name:     "PM2AppStopped",
		Severity: Info,
		Scope:    ScopeProcess,
		Expr: `max without (state) (
  pm2_process_state{state="stopped"} == 1
  and
  pm2_process_state{state="stopped"} offset ${stopped_seconds}s == 1
)
unless on (job, instance, daemon, pm2_namespace, app, pm_id)
(time() - pm2_process_last_exit_timestamp_seconds < ${stopped_seconds})
unless on (job, instance, daemon, pm2_namespace, app, pm_id)
pm2_process_cron_next_run_timestamp_seconds`,
		Why: "Stopped now and then, and no run that ended in between: stopped for a good while, perhaps by somebody who meant to start it again.\n" +
			"Two looks in place of `for`, so that no missed scrape begins the time anew. Jobs that PM2 starts by its clock rest between runs.",
		Summary: Text{
			EN: `{{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }} has been stopped for a good while`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（id {{ $labels.pm_id }}）已停止较长时间`,
		},
		Description: Text{
			EN: `Process {{ $labels.pm_id }} of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} has been stopped for at least ${stopped_seconds:duration}. Was it forgotten? "pm2 start {{ $labels.pm_id }}" starts it; if nobody needs it, "pm2 delete {{ $labels.pm_id }}" and "pm2 save" take it off the list.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的进程 {{ $labels.pm_id }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）已停止至少 ${stopped_seconds:duration}。是不是忘记启动了？"pm2 start {{ $labels.pm_id }}" 可以启动它；如果不再需要，用 "pm2 delete {{ $labels.pm_id }}" 和 "pm2 save" 移除。`,
		},
	}
}
