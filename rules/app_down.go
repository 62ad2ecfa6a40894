package rules

import "time"

func appDown() Alert {
	return Alert{
		Name:     "PM2AppDown",
		Severity: Critical,
		Scope:    ScopeApp,
		Expr: `(
  sum without (pm_id, state) (
    max_over_time(pm2_process_state{state=~"online|one_launch"}[2m])
  ) == 0
  and
  sum without (pm_id, state) (
    pm2_process_state{state!~"stopped|errored"}
    unless on (job, instance, daemon, pm2_namespace, app, pm_id)
    (
      pm2_process_state{state="waiting_restart"} == 1
      and on (job, instance, daemon, pm2_namespace, app, pm_id)
      pm2_process_last_exit_code == 0
    )
  ) > 0
)
unless
sum without (event) (
  increase(pm2_app_events_total{event=~"start|restart|reload"}[3m])
) > 0`,
		For:           30 * time.Second,
		KeepFiringFor: time.Minute,
		Why: "None of its processes was online for two minutes, and not because all were stopped: they wait for a restart, or do not get past their\n" +
			"start. (Where all are errored, PM2ProcessErrored has told that of each. A job whose restart_delay is its clock rests\n" +
			"between runs that end with 0.) The window holds the time, so that a missed scrape does not begin it anew.\n" +
			"While somebody restarts or deploys it there is nothing to tell: PM2's events of the last three minutes say so.",
		Summary: Text{
			EN: `{{ $labels.app }} on {{ or $labels.host $labels.instance }} is down: none of its processes is online`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }} 不可用：没有进程在线`,
		},
		Description: Text{
			EN: `None of the processes of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} was online in the last two minutes, though nobody stopped them all. "pm2 list" shows their states, "pm2 logs {{ $labels.app }} --err --lines 50" shows why they do not start.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）最近两分钟没有任何进程在线，但并没有人把它们全部停止。"pm2 list" 显示各进程的状态，"pm2 logs {{ $labels.app }} --err --lines 50" 说明它们为什么没有启动。`,
		},
	}
}
