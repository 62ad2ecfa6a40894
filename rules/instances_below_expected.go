package rules

import "time"

func instancesBelowExpected() Alert {
	return Alert{
		Name:     "PM2InstancesBelowExpected",
		Severity: Warning,
		Scope:    ScopeApp,
		Expr: `(
  count without (pm_id) (pm2_process_pid)
  > sum without (pm_id) (
    max without (state) (
      max_over_time(pm2_process_state{state=~"online|one_launch|stopped|errored"}[5m])
    )
  )
  and
  sum without (pm_id, state) (pm2_process_state{state=~"online|one_launch"}) > 0
)
or
(
  count without (pm_id) (pm2_process_pid) < pm2_app_expected_instances
  and on (job, instance, daemon)
  time() - pm2_daemon_start_time_seconds < 3600
)`,
		For:           5 * time.Minute,
		KeepFiringFor: time.Minute,
		Why: "Either a process is stuck: neither online, nor stopped by somebody, nor errored (PM2ProcessErrored tells that), while others of the\n" +
			"app run. Or a daemon that was started within the hour has fewer processes of the app than were saved. Later on, who has fewer than\n" +
			"were saved has scaled down: PM2SaveStale tells. Reloads, deploys and starts take less than ten minutes a process.",
		Summary: Text{
			EN: `{{ $labels.app }} on {{ or $labels.host $labels.instance }} runs with fewer processes than it should`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }} 运行的进程少于应有数量`,
		},
		Description: Text{
			EN: `Some processes of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} are stuck while starting or stopping, or did not come back when PM2 was started. The others carry the load. "pm2 list" shows their states.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）的部分进程卡在启动或停止阶段，或在 PM2 启动后没有恢复，负载由其余进程承担。"pm2 list" 显示各进程的状态。`,
		},
	}
}
