package rules

import "time"

func serverDown() Alert {
	return Alert{
		Name:     "PM25ServerDown",
		Severity: Critical,
		Scope:    ScopePM25,
		Expr:     `(max_over_time(up{job="${server_job}"}[1m]) or up{job="${server_job}"}) == 0`,
		For:      time.Minute,
		Why: "An upgrade of the server takes seconds. Agents keep what they have meanwhile, so two minutes are soon enough.\n" +
			"Inside `pm25 up` the server is the one that asks: only another Prometheus, or the receiver of PM25Watchdog, can tell that it\n" +
			"is gone.",
		Summary: Text{
			EN: `PM25's server {{ $labels.instance }} does not answer`,
			ZH: `PM25 服务器 {{ $labels.instance }} 无响应`,
		},
		Description: Text{
			EN: `Nobody can look at exceptions and logs, and messages of chat robots do not go out. Agents keep their records until their spools are full. "systemctl status pm25" on {{ or $labels.host $labels.instance }} says more.`,
			ZH: `无法查看异常和日志，聊天机器人消息也发不出去。代理会保留记录，直到缓存写满。在 {{ or $labels.host $labels.instance }} 上用 "systemctl status pm25" 查看。`,
		},
	}
}
