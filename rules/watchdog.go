package rules

func watchdog() Alert {
	return Alert{
		Name:     "PM25Watchdog",
		Severity: None,
		Scope:    ScopePM25,
		Expr:     `vector(1)`,
		Why:      "Always fires, to a receiver that tells people when it falls silent: then Prometheus, Alertmanager or the way out is gone.",
		Summary: Text{
			EN: `Alerts are evaluated and delivered`,
			ZH: `告警链路正常`,
		},
		Description: Text{
			EN: `This alert always fires. Send it to a dead man's switch outside of this network, which tells you when it stops.`,
			ZH: `此告警始终触发。请将其发送到本网络之外的心跳检测服务，当它停止时由该服务通知您。`,
		},
	}
}
