package dashboards

// self is PM25 itself: whether what the other boards show is complete.
func self(o Options) board {
	return board{
		uid: selfUID, title: titleOf(selfUID), variables: toHosts, annotations: []string{"alerts"}, from: "now-3h",
		about: text{
			"PM25's agents, spools and server: whether all that happens is measured, kept and answered for.",
			"PM25 的 agent、缓冲区和服务器：发生的一切是否被采集、保存并确认。",
		},
		rows: []row{
			{title: text{"Now", "当前"}, panels: selfNow(o)},
			{title: text{"What went wrong", "出了什么问题"}, panels: []panel{whatWentWrong(o), wentWrongOverTime(o)}},
			{title: text{"Agents", "Agent"}, panels: agents()},
			{title: text{"From agents to the server", "从 agent 到服务器"}, panels: shipping()},
			{title: text{"Server", "服务器"}, panels: server(o)},
			{title: text{"Scrapes", "采集"}, collapsed: true, panels: scrapes()},
			{title: text{"Details of what went wrong", "问题明细"}, collapsed: true, panels: wrongDetails(o)},
		},
	}
}

func selfNow(o Options) []panel {
	t := o.Thresholds
	noServer := text{"no server", "无服务器"}
	return []panel{
		{
			kind: stat, w: 4, h: 4, unit: count, steps: bad(once), title: text{"Agents down", "宕机 agent"},
			about:   text{"Agents that do not answer.", "无响应的 agent。"},
			targets: []target{{expr: `count(up{@agents} == 0) or vector(0)`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: count, steps: bad(once), title: text{"Collectors failing", "采集失败"},
			about:   text{"Collectors that failed in the last scrape, over all agents.", "最近一次采集失败的采集器数（所有 agent）。"},
			targets: []target{{expr: `count(pm25_agent_collector_success{@target} == 0) or vector(0)`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: count, steps: look(once), title: text{"Left out in 1 h", "1 小时内丢弃"},
			about:   text{"Things that agents left out within an hour because a bound was reached, and records that never get to the server. Of what an app writes by the ten thousand lines only the last are kept; that is not counted here.", "一小时内因达到上限被丢弃的内容，以及永远无法到达服务器的记录。应用大量输出的日志仅保留末尾，不计入此处。"},
			targets: []target{{expr: `sum(increase(pm25_agent_dropped_total{@target, what!="log_text"}[1h])) + (sum(increase(pm25_agent_ship_dropped_total{@target}[1h])) or vector(0))`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: unit{"s", 0}, steps: worse(t.ShipSilentSeconds/2, t.ShipSilentSeconds), title: text{"Oldest receipt", "最久未确认"}, empty: text{"nothing is shipped", "未启用上报"},
			about:   text{"How long ago the server last answered the agent for which that is longest. One comes each minute.", "距服务器上次确认最久的 agent 的时间。正常每分钟一次。"},
			targets: []target{{expr: `time() - min(pm25_agent_ship_last_receipt_timestamp_seconds{@target})`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: share, steps: worse(t.SpoolFullRatio/2, t.SpoolFullRatio), title: text{"Fullest spool", "最满缓冲区"}, empty: text{"nothing is shipped", "未启用上报"},
			about:   text{"How full the fullest spool is. When it is full the oldest records go.", "最满缓冲区的占用率。满后丢弃最旧的记录。"},
			targets: []target{{expr: `max(pm25_agent_spool_bytes{@target} / pm25_agent_spool_max_bytes{@target})`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: bytesize, title: text{"Store", "存储"}, empty: noServer,
			about:   text{"Size of the server's store of records on disk.", "服务器记录存储的磁盘占用。"},
			targets: []target{{expr: `sum(pm25_server_store_size_bytes)`}},
		},
	}
}
