package rules

import "time"

func rulesFailing() Alert {
	return Alert{
		Name:     "PM25RulesFailing",
		Severity: Warning,
		Scope:    ScopePM25,
		Expr: `increase(prometheus_rule_evaluation_failures_total{job="${server_job}"}[10m]) > 0
or
increase(prometheus_rule_group_iterations_missed_total{job="${server_job}"}[15m]) > 3
or
prometheus_config_last_reload_successful{job="${server_job}"} == 0`,
		For:           time.Minute,
		KeepFiringFor: 15 * time.Minute,
		Why: "A rule that fails is an alert that can not fire. A group that is late now and then is a busy machine; four times in a quarter of\n" +
			"an hour it takes longer than its interval.",
		Summary: Text{
			EN: `Rules are not evaluated{{ with $labels.rule_group }}: {{ . }}{{ end }}`,
			ZH: `规则未能执行{{ with $labels.rule_group }}：{{ . }}{{ end }}`,
		},
		Description: Text{
			EN: `Prometheus on {{ or $labels.host $labels.instance }} failed to evaluate rules{{ with $labels.rule_group }} of {{ . }}{{ end }}, is late with them again and again, or could not load its configuration. Alerts may be missing.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 Prometheus 执行规则{{ with $labels.rule_group }} {{ . }} {{ end }}失败、多次延迟，或无法加载配置。可能漏报告警。`,
		},
	}
}
