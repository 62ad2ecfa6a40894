package rules

import "time"

func saveStale() Alert {
	return Alert{
		Name:     "PM2SaveStale",
		Severity: Info,
		Scope:    ScopeApp,
		Expr: `(
  count without (pm_id) (pm2_process_pid{app!~"pm2-.+|[(]other[)]"})
  unless
  pm2_app_expected_instances
  and on (job, instance, daemon)
  pm2_app_expected_instances
)
or
(
  count without (pm_id) (pm2_process_pid) != pm2_app_expected_instances
)`,
		For: time.Hour,
		Why: "What runs and what was saved differ: after a reboot the host would not be as it is now. (Saved, and not there at all: PM2AppMissing.)\n" +
			"Modules of PM2, whose names begin with pm2-, are not saved but come back. A daemon that has nothing saved, as in containers, is\n" +
			"started by other means. An hour is enough to save the list after a deploy.",
		Summary: Text{
			EN: `{{ $labels.app }} on {{ or $labels.host $labels.instance }} would not come back from a reboot as it is now`,
			ZH: `主机重启后，{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }} 不会恢复成现在的样子`,
		},
		Description: Text{
			EN: `PM2 {{ $labels.daemon }} on {{ or $labels.host $labels.instance }} runs {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}) with another number of processes than the list that "pm2 save" wrote, or the list lacks it. If it is right as it runs now, "pm2 save" makes it last.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 PM2 {{ $labels.daemon }} 运行的 {{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}）与 "pm2 save" 保存的列表不一致：进程数不同，或列表中没有它。如果现在的状态正确，执行 "pm2 save" 保存。`,
		},
	}
}
