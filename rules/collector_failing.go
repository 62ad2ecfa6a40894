package rules

import "time"

func collectorFailing() Alert {
	return Alert{
		Name:     "PM25CollectorFailing",
		Severity: Warning,
		Scope:    ScopeExporter,
		Expr: `(
  avg_over_time(pm25_agent_collector_success[10m]) < 0.5
  or
  increase(pm25_agent_collector_timeouts_total[10m]) > 3
)
and
count_over_time(pm25_agent_collector_success[10m]) > 3`,
		For:           5 * time.Minute,
		KeepFiringFor: 10 * time.Minute,
		Why: "One scrape without a collector is a busy moment; half of them in ten minutes are none, nor is being too slow again and again.\n" +
			"An agent that started just now has not been asked often enough to tell.",
		Summary: Text{
			EN: `The agent on {{ or $labels.host $labels.instance }} can not collect {{ $labels.collector }}`,
			ZH: `{{ or $labels.host $labels.instance }} 上的代理无法采集 {{ $labels.collector }}`,
		},
		Description: Text{
			EN: `The collector "{{ $labels.collector }}" of pm25-agent on {{ or $labels.host $labels.instance }} fails or is too slow in many scrapes, so what it measures is missing, and alerts that need it are silent. The agent's log says why.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 pm25-agent 的采集器 "{{ $labels.collector }}" 多次采集失败或过慢，因此缺少其指标，依赖这些指标的告警也不会触发。代理日志说明了原因。`,
		},
	}
}
