package rules

import "time"

func agentDropping() Alert {
	return Alert{
		Name:     "PM25AgentDropping",
		Severity: Warning,
		Scope:    ScopeExporter,
		Expr: `increase(pm25_agent_dropped_total{what!="log_text"}[15m]) > 0
or
increase(pm25_agent_ship_dropped_total[15m]) > 0
or
increase(pm25_agent_ship_dead_letters_total[15m]) > 0
or
increase(pm25_agent_spool_damaged_bytes_total{cause="corrupt"}[15m]) > 0
or
increase(pm25_agent_decode_errors_total[15m]) > 0
or
increase(pm25_agent_state_errors_total[15m]) > 0`,
		For:           time.Minute,
		KeepFiringFor: 30 * time.Minute,
		Why: "Of lines that an app writes by the ten thousand the agent keeps the last ones only (log_text): nobody would read the others.\n" +
			"All counters are there at 0 from the agent's start, and each step is something that nobody gets to see.\n" +
			"What was torn in the spool when the host crashed was promised to nobody.\n" +
			"Bounds are reached again and again, hence keep_firing_for: one alert, not one for each time.",
		Summary: Text{
			EN: `The agent on {{ or $labels.host $labels.instance }} loses something{{ with or $labels.what $labels.kind }}: {{ . }}{{ end }}`,
			ZH: `{{ or $labels.host $labels.instance }} 上的代理有数据丢失{{ with or $labels.what $labels.kind }}：{{ . }}{{ end }}`,
		},
		Description: Text{
			EN: `pm25-agent on {{ or $labels.host $labels.instance }} left out or lost something in the last 15 minutes{{ with $labels.what }}, of the kind {{ . }}{{ end }}{{ with $labels.kind }}, records of the kind {{ . }}{{ end }}{{ with $labels.reason }}, reason {{ . }}{{ end }}: what is seen of its apps is not all. The runbook says what each means.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 pm25-agent 在最近 15 分钟内省略或丢失了数据{{ with $labels.what }}，类型 {{ . }}{{ end }}{{ with $labels.kind }}，记录类型 {{ . }}{{ end }}{{ with $labels.reason }}，原因 {{ . }}{{ end }}：看到的应用数据并不完整。处理手册说明了各项含义。`,
		},
	}
}
