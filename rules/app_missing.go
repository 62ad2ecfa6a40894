package rules

import "time"

func appMissing() Alert {
	return Alert{
		Name:     "PM2AppMissing",
		Severity: Critical,
		Scope:    ScopeApp,
		Expr: `(
  pm2_app_expected_instances > 0
  unless
  sum without (reason) (pm2_app_exits_total)
)
and on (job, instance, daemon) pm2_up == 1`,
		For:           3 * time.Minute,
		KeepFiringFor: time.Minute,
		Why: "Each app that PM2 lists has counters of its ends, so one that was saved and has none is not there. A deploy that deletes and starts\n" +
			"again, and a daemon that resurrects its list, take less than three minutes. Who removes an app for good saves the list.\n" +
			"A scrape that fails takes all series away: keep_firing_for bridges it.",
		Summary: Text{
			EN: `{{ $labels.app }} is missing on {{ or $labels.host $labels.instance }}: it was saved, and PM2 does not list it`,
			ZH: `{{ or $labels.host $labels.instance }} 上缺少 {{ $labels.app }}：已保存，但不在 PM2 的列表中`,
		},
		Description: Text{
			EN: `{{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) is in the list that "pm2 save" wrote on {{ or $labels.host $labels.instance }}, and PM2 does not have it. It was deleted, or the daemon started without its list. "pm2 resurrect" starts what was saved; if the app was removed on purpose, "pm2 save" ends this alert.`,
			ZH: `{{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）在 {{ or $labels.host $labels.instance }} 上由 "pm2 save" 保存的列表中，但 PM2 里没有它：可能被删除，或守护进程启动时没有恢复列表。"pm2 resurrect" 会启动已保存的应用；如果是有意移除，执行 "pm2 save" 即可结束此告警。`,
		},
	}
}
