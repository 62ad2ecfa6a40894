package rules

import "time"

func cronJobFailed() Alert {
	return Alert{
		Name:     "PM2CronJobFailed",
		Severity: Warning,
		Scope:    ScopeProcess,
		Expr: `(
  pm2_process_last_exit_code > 0
  and
  pm2_process_last_exit_code < 128
)
and on (job, instance, daemon, pm2_namespace, app, pm_id)
pm2_process_cron_next_run_timestamp_seconds
and on (job, instance, daemon, pm2_namespace, app, pm_id)
pm2_process_state{state="stopped"} == 1`,
		KeepFiringFor: 10 * time.Minute,
		Why: "The last run of a process with cron_restart ended with a code, and it rests: a service that the clock restarts is online again.\n" +
			"Codes of 128 and more are signals: what people and PM2 stop has those, and PM2ProcessKilled tells of the others.\n" +
			"While the job runs once more it is not known how that will end: keep_firing_for bridges runs of up to ten minutes.",
		Summary: Text{
			EN: `The job {{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }} failed`,
			ZH: `{{ or $labels.host $labels.instance }} 上的定时任务 {{ $labels.app }}（id {{ $labels.pm_id }}）失败`,
		},
		Description: Text{
			EN: `The last run of {{ $labels.app }} (process {{ $labels.pm_id }}, namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }}, which PM2 starts by its clock, ended with a code other than 0. "pm2 logs {{ $labels.app }} --lines 50" shows that run; "pm2 restart {{ $labels.pm_id }}" runs it now.`,
			ZH: `{{ or $labels.host $labels.instance }} 上由 PM2 定时启动的 {{ $labels.app }}（进程 {{ $labels.pm_id }}，命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）最近一次运行以非 0 状态码结束。"pm2 logs {{ $labels.app }} --lines 50" 显示该次运行的日志；"pm2 restart {{ $labels.pm_id }}" 立即运行一次。`,
		},
	}
}
