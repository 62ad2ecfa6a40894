package rules

import "time"

func exporterDown() Alert {
	return Alert{
		Name:     "PM2ExporterDown",
		Severity: Critical,
		Scope:    ScopeExporter,
		Expr: `(
  (max_over_time(up{job="${job}"}[1m]) and count_over_time(up{job="${job}"}[1m]) > 1)
  or
  (max_over_time(up{job="${job}"}[2m]) and up{job="${job}"})
  or
  up{job="${job}"}
) == 0`,
		For: 30 * time.Second,
		Why: "A restart of the agent or a reload of the network takes seconds; so the best of a minute counts, and half a minute more.\n" +
			"Where scrapes are so far apart that it holds one of them, two minutes count: one that timed out is no outage.",
		Summary: Text{
			EN: `{{ or $labels.host $labels.instance }} does not answer: neither its apps nor its PM2 are seen`,
			ZH: `{{ or $labels.host $labels.instance }} 无响应：看不到其 PM2 和应用`,
		},
		Description: Text{
			EN: `The agent on {{ or $labels.host $labels.instance }} has not answered for more than a minute, so nothing is known of the apps there. The host may be down, the network broken, or pm25-agent may have ended ("systemctl status pm25-agent").`,
			ZH: `{{ or $labels.host $labels.instance }} 上的代理已超过一分钟没有响应，因此那里的应用情况未知。可能是主机宕机、网络中断，或 pm25-agent 已结束（"systemctl status pm25-agent"）。`,
		},
	}
}
