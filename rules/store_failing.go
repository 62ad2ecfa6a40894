package rules

import "time"

func storeFailing() Alert {
	return Alert{
		Name:     "PM25StoreFailing",
		Severity: Critical,
		Scope:    ScopePM25,
		Expr: `increase(pm25_server_store_failures_total[10m]) > 0
or
increase(pm25_server_push_rejected_total{reason=~"full|failed"}[10m]) > 0
or
pm25_storage_low_disk == 1
or
pm25_storage_free_bytes < ${storage_free_bytes}
or
increase(pm25_storage_refused_appends_total[10m]) > 0
or
increase(prometheus_tsdb_compactions_failed_total{job="${server_job}"}[30m]) > 0
or
increase(pm25_alertmanager_journal_failures_total[10m]) > 0`,
		For:           time.Minute,
		KeepFiringFor: 30 * time.Minute,
		Why: "Each is a write that did not reach the disk. When the disk is nearly full no sample is taken any more, not even the one that says\n" +
			"so: hence the warning before that, and keep_firing_for while nothing is known.",
		Summary: Text{
			EN: `PM25 on {{ or $labels.host $labels.instance }} can not write what it has to keep`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 PM25 无法写入数据`,
		},
		Description: Text{
			EN: `The store, the time series or Alertmanager's notes of PM25 on {{ or $labels.host $labels.instance }} could not be written, or their disk is nearly full. Without room no sample is taken, and alerts fall silent. "df -h" on its data folder first.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 PM25 的记录库、时间序列或 Alertmanager 日志无法写入，或磁盘即将写满。空间不足时不再采集样本，告警也会失效。请先对数据目录执行 "df -h"。`,
		},
	}
}
