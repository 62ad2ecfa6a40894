package rules

import "time"

func agentNotShipping() Alert {
	return Alert{
		Name:     "PM25AgentNotShipping",
		Severity: Warning,
		Scope:    ScopeExporter,
		Expr: `(
  pm25_agent_ship_last_receipt_timestamp_seconds
    == pm25_agent_ship_last_receipt_timestamp_seconds offset ${ship_silent_seconds}s
  and
  timestamp(pm25_agent_ship_last_receipt_timestamp_seconds)
    > timestamp(pm25_agent_ship_last_receipt_timestamp_seconds offset ${ship_silent_seconds}s)
)
or
(pm25_agent_spool_max_bytes and pm25_agent_spool_max_bytes offset 5m unless pm25_agent_ship_last_receipt_timestamp_seconds)
or
pm25_agent_spool_bytes / pm25_agent_spool_max_bytes > ${spool_full_ratio}
or
increase(pm25_agent_spool_write_failures_total[10m]) > 0`,
		For:           2 * time.Minute,
		KeepFiringFor: 2 * time.Minute,
		Why: "A receipt comes at least once a minute, also when there is nothing to send. The last one is compared with itself a while ago, not\n" +
			"with time(): clocks of hosts may be wrong. An agent that never got one has no time to compare\n" +
			"with, but a spool. One that sends nothing at all has neither.\n" +
			"A restart of the server takes seconds, one of the agent begins without a receipt: five minutes hold both.",
		Summary: Text{
			EN: `The agent on {{ or $labels.host $labels.instance }} can not send its records`,
			ZH: `{{ or $labels.host $labels.instance }} 上的代理无法发送记录`,
		},
		Description: Text{
			EN: `pm25-agent on {{ or $labels.host $labels.instance }} has had no receipt of its server for ${ship_silent_seconds:duration}, or its spool fills or can not be written. Exceptions, exits and logs wait on its disk until the spool is full, and are lost then. "journalctl -u pm25-agent" says why.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 pm25-agent 已有 ${ship_silent_seconds:duration}没有收到服务器的回执，或者其缓存正在填满、无法写入。异常、退出和日志暂存在本地磁盘，缓存写满后将会丢失。"journalctl -u pm25-agent" 说明了原因。`,
		},
	}
}
