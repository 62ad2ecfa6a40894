package rules

import "time"

func alertmanagerFailing() Alert {
	return Alert{
		Name:     "PM25AlertmanagerFailing",
		Severity: Critical,
		Scope:    ScopePM25,
		Expr: `increase(alertmanager_notifications_failed_total{job="${server_job}",reason!="contextCanceled"}[10m]) > 0
or
increase(prometheus_notifications_dropped_total{job="${server_job}"}[10m]) > 0
or
increase(prometheus_notifications_errors_total{job="${server_job}"}[10m]) > 0
or
prometheus_notifications_alertmanagers_discovered{job="${server_job}"} == 0
or
alertmanager_config_last_reload_successful{job="${server_job}"} == 0`,
		For:           time.Minute,
		KeepFiringFor: 15 * time.Minute,
		Why: "A notification counts as failed after all tries of its turn, so one is one that nobody got in time; contextCanceled is a reload.\n" +
			"Only of PM25's own Prometheus and Alertmanager: whoever runs others watches those.\n" +
			"It goes through what it complains about; another receiver may work. PM25Watchdog is for when none does.",
		Summary: Text{
			EN: `Alerts do not reach people{{ with $labels.integration }}: {{ . }} fails{{ end }}`,
			ZH: `告警无法送达{{ with $labels.integration }}：{{ . }} 失败{{ end }}`,
		},
		Description: Text{
			EN: `Alertmanager could not deliver notifications{{ with $labels.integration }} by {{ . }}{{ end }}{{ with $labels.reason }} ({{ . }}){{ end }}, or Prometheus could not hand alerts to it, or its configuration does not load. The log of PM25 says which; deliveries are tried again.`,
			ZH: `Alertmanager 无法投递通知{{ with $labels.integration }}（{{ . }}）{{ end }}{{ with $labels.reason }}（{{ . }}）{{ end }}，或 Prometheus 无法把告警交给它，或其配置加载失败。PM25 的日志说明了是哪一种；投递会重试。`,
		},
	}
}
