package rules

import "time"

func cronJobMissed() Alert {
	return Alert{
		Name:     "PM2CronJobMissed",
		Severity: Warning,
		Scope:    ScopeProcess,
		Expr: `(
  ` + since("pm2_process_cron_next_run_timestamp_seconds") + ` > ${cron_late_seconds}
)
and on (job, instance, daemon) pm2_up == 1`,
		For:           time.Minute,
		KeepFiringFor: time.Minute,
		Why: "PM2 should have started it minutes ago, by the clock of its host. `for` leaves the agent a minute to see a start after it was away; a scrape\n" +
			"that fails takes all series away, hence keep_firing_for.",
		Summary: Text{
			EN: `The job {{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }} was not started when it was due`,
			ZH: `{{ or $labels.host $labels.instance }} 上的定时任务 {{ $labels.app }}（id {{ $labels.pm_id }}）未按时启动`,
		},
		Description: Text{
			EN: `{{ $labels.app }} (process {{ $labels.pm_id }}, namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} has a cron_restart, and PM2 did not start it at the last time that it names. "grep -i cron ~/.pm2/pm2.log | tail" shows what PM2 did with it; "pm2 restart {{ $labels.pm_id }}" runs it now and sets its clock again.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（进程 {{ $labels.pm_id }}，命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）设置了 cron_restart，但 PM2 没有在最近一次应有的时间启动它。"grep -i cron ~/.pm2/pm2.log | tail" 显示 PM2 的处理情况；"pm2 restart {{ $labels.pm_id }}" 立即运行一次，并重新设置定时。`,
		},
	}
}
