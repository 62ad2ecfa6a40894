package rules

import "time"

func crashLoop() Alert {
	return Alert{
		Name:     "PM2CrashLoop",
		Severity: Critical,
		Scope:    ScopeApp,
		Expr: `(
  (
    sum without (reason) (
      increase(pm2_app_exits_total{reason=~"crash|signal|oom_kill"}[10m])
    ) > ${crash_loop_ends} - 0.1
    and
    sum without (reason) (
      pm2_app_exits_total{reason=~"crash|signal|oom_kill"}
    )
  )
  or
  (
    sum without (reason) (
      pm2_app_exits_total{reason=~"crash|signal|oom_kill"}
    ) > ${crash_loop_ends} - 0.1
    unless
    sum without (reason) (
      max_over_time(pm2_app_exits_total{reason=~"crash|signal|oom_kill"}[10m] offset 10m)
    )
    and on (job, instance, daemon) (pm2_up offset 10m) == 1
  )
)
unless on (job, instance, daemon, pm2_namespace, app)
(
  pm2_process_cron_next_run_timestamp_seconds
  and on (job, instance, daemon, pm2_namespace, app, pm_id)
  max_over_time(pm2_process_state{state="stopped"}[10m]) == 1
)
unless
min without (pm_id) (
  sum without (state) (pm2_process_state{state=~"errored|stopped"})
) == 1`,
		KeepFiringFor: 5 * time.Minute,
		Why: "Four ends in ten minutes that nobody asked for; what operators, deploys, cron and file watching do has other reasons.\n" +
			"increase() stretches what it sees to the whole window: three ends read as up to 3.75 after four scrapes, hence 3.9.\n" +
			"An app that was deleted has no counter any more, and no loop.\n" +
			"It can not see an app that crashed before its first scrape. The second half can: a counter that was not there ten minutes\n" +
			"ago, nor in the ten before, of a daemon that was. (Of a daemon that is new to Prometheus too, the counter may be old. So may\n" +
			"that of an app which was deleted and started again; after more than five minutes it begins at 0.)\n" +
			"A job that fails each time PM2's clock starts it is no loop either: it rests in between. PM2CronJobFailed tells of it.\n" +
			"An app of which all processes are errored or stopped loops no more: PM2ProcessErrored tells of the first, somebody knows of the second.\n" +
			"A loop that PM2 slows down ends less often than the window needs, hence keep_firing_for.",
		Summary: Text{
			EN: `{{ $labels.app }} on {{ or $labels.host $labels.instance }} is in a crash loop`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }} 反复崩溃`,
		},
		Description: Text{
			EN: `{{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} ended again and again in the last ten minutes by crashes or signals, and was started again. "pm2 logs {{ $labels.app }} --err --lines 50" shows why.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）在最近十分钟内因崩溃或信号反复结束，并被重新启动。用 "pm2 logs {{ $labels.app }} --err --lines 50" 查看原因。`,
		},
	}
}
