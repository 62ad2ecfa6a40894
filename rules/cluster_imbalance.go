package rules

import "time"

func clusterImbalance() Alert {
	return Alert{
		Name:     "PM2ClusterImbalance",
		Severity: Info,
		Scope:    ScopeApp,
		Expr: `max without (pm_id) (avg_over_time(pm2_process:cpu_seconds:rate5m[15m]))
  > ${cluster_imbalance} * avg without (pm_id) (avg_over_time(pm2_process:cpu_seconds:rate5m[15m]))
and
max without (pm_id) (avg_over_time(pm2_process:cpu_seconds:rate5m[15m])) > 0.5
and
count without (pm_id) (pm2_process:cpu_seconds:rate5m) >= 3`,
		For:           30 * time.Minute,
		KeepFiringFor: 15 * time.Minute,
		Why: "One worker has most of the work: sticky sessions, or a timer that runs in worker 0 only. Of two workers one can have twice\n" +
			"the mean at most, so three; less than half a CPU hurts nobody. Scaling and reloads even out within `for`.",
		Summary: Text{
			EN: `One worker of {{ $labels.app }} on {{ or $labels.host $labels.instance }} does most of the work`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的负载集中在一个实例`,
		},
		Description: Text{
			EN: `One process of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} has used more than ${cluster_imbalance} times the CPU of the mean for half an hour: the others can not help. Look for sticky sessions and for work that runs in one worker only.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）的一个进程半小时来占用的 CPU 超过平均值的 ${cluster_imbalance} 倍，其他进程帮不上忙。请检查会话保持（sticky session）和只在一个实例中运行的任务。`,
		},
	}
}
