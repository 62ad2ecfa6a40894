package dashboards

// alerts is what fires, what fired, whether it was told to somebody, and how fast
// error budgets burn.
func alerts(o Options) board {
	return board{
		uid: alertsUID, title: titleOf(alertsUID), variables: toApps, annotations: []string{"deploys", "groups"}, from: "now-24h",
		about: text{
			"Alerts that fire and fired, which of them are noisy, whether they reach people, and how fast apps use up their error budgets.",
			"正在触发和曾触发的告警、哪些最嘈杂、是否送达，以及各应用错误预算的消耗速度。",
		},
		rows: []row{
			{title: text{"Now", "当前"}, panels: alertsNow()},
			{title: text{"What fired", "触发记录"}, panels: []panel{firingTable(o, 12, 10), alertTimeline(), noisy(), alertsBySeverity()}},
			{title: text{"Error budgets", "错误预算"}, panels: budgets(o)},
			{title: text{"Whether they reach people", "是否送达"}, panels: delivery(o)},
			{title: text{"Chat robots", "聊天机器人"}, collapsed: true, panels: robots()},
		},
	}
}

func alertsNow() []panel {
	firing := func(title, about text, steps []step, severity string) panel {
		return panel{
			kind: stat, w: 4, h: 4, unit: count, steps: steps, spark: true, title: title, about: about,
			targets: []target{{expr: `count(ALERTS{alertstate="firing", severity="` + severity + `", @app}) or vector(0)`}},
		}
	}
	return []panel{
		firing(text{"Critical", "严重"}, text{"Alerts that fire and wake people.", "正在触发、需立即处理的告警。"}, bad(once), "critical"),
		firing(text{"Warning", "警告"}, text{"Alerts that fire and wait for the working day.", "正在触发、可等到工作时间处理的告警。"}, look(once), "warning"),
		firing(text{"Info", "通知"}, text{"Alerts that are good to know.", "仅供了解的告警。"}, nil, "info"),
		{
			kind: stat, w: 4, h: 4, unit: count, title: text{"Pending", "待定"},
			about:   text{"Alerts whose condition holds, and not long enough yet.", "条件已满足但持续时间不足的告警。"},
			targets: []target{{expr: `count(ALERTS{alertstate="pending", @app}) or vector(0)`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: count, steps: bad(once), title: text{"Not delivered in 1 h", "1 小时内未送达"}, empty: text{"no Alertmanager", "无 Alertmanager"},
			about:   text{"Notifications that failed within the last hour. Robots that answer 200 with an error inside are counted too where PM25 delivers to them.", "最近一小时内失败的通知。由 PM25 投递的机器人返回 200 但内含错误时同样计入。"},
			targets: []target{{expr: `sum(increase(alertmanager_notifications_failed_total[1h]))`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: count, steps: bad1(), title: text{"Watchdog", "看门狗"}, values: []value{
				{is: "1", text: text{"fires", "正常"}, color: green}, {is: "0", text: text{"silent", "无信号"}, color: red},
			},
			about:   text{"PM25Watchdog always fires. Silent: rules are not evaluated, and nothing else on this board means anything.", "PM25Watchdog 应始终触发。无信号：规则未被评估，本看板其他数据均不可信。"},
			targets: []target{{expr: `max(ALERTS{alertname="PM25Watchdog", alertstate="firing"}) or vector(0)`}},
		},
	}
}

func alertTimeline() panel {
	return panel{
		kind: timeline, w: 12, h: 10, unit: count, title: text{"When alerts fired", "告警时间线"}, empty: text{"no alert fired", "没有告警"},
		about: text{"The 20 alerts that fired longest in the time range, by app: what came first, and what belongs together.", "时间范围内触发时间最长的 20 个告警（按应用）：先后顺序与关联。"},
		values: []value{
			{is: "1", text: text{"fires", "触发"}, color: red},
		},
		targets: []target{{legend: "{{alertname}} {{app}}", expr: `
max by (alertname, app) (ALERTS{alertstate="firing", severity!="none", @app})
and
topk(20, sum by (alertname, app) (count_over_time(ALERTS{alertstate="firing", severity!="none", @app}[$__range] @ end())))`}},
	}
}

func noisy() panel {
	return panel{
		kind: bars, w: 12, h: 8, unit: unit{"s", 0}, title: text{"Noisiest alerts", "最嘈杂的告警"}, empty: text{"no alert fired", "没有告警"},
		about:   text{"How long alerts fired in the time range, all of a name together; the 12 with most. What fires for long and nobody minds is to be changed or removed.", "时间范围内各告警的触发总时长，取最多的 12 个。长期触发却无人处理的应调整或删除。"},
		targets: []target{{legend: "{{alertname}}", expr: `topk(12, 60 * sum by (alertname) (count_over_time(ALERTS{alertstate="firing", severity!="none", @app}[$__range:1m])))`}},
	}
}

func alertsBySeverity() panel {
	return panel{
		kind: graph, w: 12, h: 8, unit: count, stacked: true, title: text{"Alerts that fire", "触发的告警数"}, empty: text{"no alert fired", "没有告警"},
		about:   text{"How many alerts fire, by severity.", "按级别统计的触发告警数。"},
		styles:  []style{{match: "critical", color: red}, {match: "warning", color: orange}, {match: "info", color: gray}},
		targets: []target{{legend: "{{severity}}", expr: `count by (severity) (ALERTS{alertstate="firing", severity!="none", @app})`}},
	}
}

func delivery(o Options) []panel {
	none := text{"no Alertmanager", "无 Alertmanager"}
	return []panel{
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: text{"nothing was sent", "未发送通知"}, title: text{"Notifications", "通知"},
			about:   text{"Notifications that Alertmanager sent, by kind of receiver.", "Alertmanager 发送的通知，按接收类型。"},
			targets: []target{{legend: "{{integration}}", expr: `sum by (integration) (increase(alertmanager_notifications_total[$__rate_interval])) > 0`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: text{"none failed", "没有失败"}, title: text{"Notifications that failed", "失败的通知"},
			about:   text{"Notifications that were not delivered, by kind of receiver and reason.", "未送达的通知，按接收类型和原因。"},
			targets: []target{{legend: "{{integration}} {{reason}}", expr: `sum by (integration, reason) (increase(alertmanager_notifications_failed_total[$__rate_interval])) > 0`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, empty: none, title: text{"Alerts and silences", "告警与静默"},
			about: text{"Alerts that Alertmanager holds back or tells of, and silences that are active.", "Alertmanager 抑制或通知的告警，以及生效的静默。"},
			targets: []target{
				{legend: "{{state}}", expr: `sum by (state) (alertmanager_alerts)`},
				{legend: text{"silences", "静默"}.in(o.Language), expr: `sum(alertmanager_silences{state="active"})`},
			},
		},
	}
}

func robots() []panel {
	return []panel{
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: text{"no robots", "无机器人"}, title: text{"Messages to robots", "机器人消息"},
			about:   text{"What became of notifications to chat robots, by robot. digested: told together with others, because the robot takes only so many.", "发往聊天机器人的通知的结果，按机器人。digested：因限流与其他通知合并发送。"},
			targets: []target{{legend: "{{robot}} {{result}}", expr: `topk(40, sum by (robot, result) (increase(pm25_notify_messages_total[$__rate_interval]))) > 0`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: text{"none failed", "没有失败"}, title: text{"Robots that refuse", "拒绝消息的机器人"},
			about:   text{"Messages that robots did not take, by robot and reason, also those that they answer with 200 and an error inside.", "机器人未接收的消息，按机器人和原因，包括返回 200 但内含错误的。"},
			targets: []target{{legend: "{{robot}} {{reason}}", expr: `topk(40, sum by (robot, reason) (increase(pm25_notify_failures_total[$__rate_interval]))) > 0`}},
		},
		{
			kind: bars, w: 8, h: 8, unit: count, steps: look(once), empty: text{"no robots", "无机器人"}, title: text{"Notifications that wait", "等待中的通知"},
			about:   text{"Notifications that wait until their robot takes messages again, by robot.", "等待机器人恢复接收的通知，按机器人。"},
			targets: []target{{legend: "{{robot}}", expr: `topk(20, sum by (robot) (pm25_notify_waiting))`}},
		},
	}
}
