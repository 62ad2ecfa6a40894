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
			{title: text{"Agents", "Agent"}, panels: agents(o)},
			{title: text{"From agents to the server", "从 agent 到服务器"}, panels: shipping(o)},
			{title: text{"Server", "服务器"}, panels: server(o)},
			{title: text{"Prometheus", "Prometheus"}, collapsed: true, panels: prometheusPanels()},
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
			about:   text{"Things that agents left out within an hour because a bound was reached, and records that never get to the server.", "一小时内因达到上限被丢弃的内容，以及永远无法到达服务器的记录。"},
			targets: []target{{expr: `sum(increase(pm25_agent_dropped_total{@target}[1h])) + (sum(increase(pm25_agent_ship_dropped_total{@target}[1h])) or vector(0))`}},
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

func agents(o Options) []panel {
	return []panel{
		{
			kind: table, w: 8, h: 8, unit: count, title: text{"Versions of agents", "Agent 版本"}, sort: "-#A",
			about:   text{"How many agents run which version.", "各版本的 agent 数量。"},
			targets: []target{{expr: `topk(50, count by (version, revision, goversion) (pm25_agent_build_info{@target}))`}},
			fields: []field{
				{name: "version", title: text{"Version", "版本"}},
				{name: "revision", title: text{"Revision", "修订"}},
				{name: "goversion", title: text{"Go", "Go"}},
				cell("A", text{"Agents", "数量"}, count),
			},
		},
		{
			kind: graph, w: 8, h: 8, unit: seconds, title: text{"Slowest collectors", "最慢的采集器"},
			about:   text{"Duration of each collector in a scrape, of the slowest agent. What the scrape's timeout cuts off is missing on all boards.", "各采集器的耗时（最慢的 agent）。超时被截断的部分在所有看板中缺失。"},
			targets: []target{{legend: "{{collector}}", expr: `max by (collector) (pm25_agent_collector_duration_seconds{@target})`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: perSecond, title: text{"Messages of PM2's bus", "PM2 总线消息"},
			about:   text{"Messages a second that agents read from PM2's buses, by kind.", "agent 每秒从 PM2 总线读取的消息，按类型。"},
			targets: []target{{legend: "{{kind}}", expr: `sum by (kind) (rate(pm25_agent_bus_messages_total{@target}[$__rate_interval]))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: text{"nothing was left out", "没有丢弃"}, title: text{"Left out", "丢弃"},
			about:   text{"What agents left out because a bound was reached, by what it was.", "agent 因达到上限而丢弃的内容，按类型。"},
			targets: []target{{legend: "{{what}}", expr: `sum by (what) (increase(pm25_agent_dropped_total{@target}[$__rate_interval]))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: text{"none failed", "没有失败"}, title: text{"Failures towards PM2", "与 PM2 通信失败"},
			about: text{"Connections and requests to PM2 that failed, and messages that could not be read.", "与 PM2 的连接和请求失败数，以及无法解析的消息数。"},
			targets: []target{
				{legend: text{"connects", "连接"}.in(o.Language), expr: `sum(increase(pm25_agent_connect_failures_total{@target}[$__rate_interval]))`},
				{legend: text{"requests", "请求"}.in(o.Language), expr: `sum(increase(pm25_agent_request_failures_total{@target}[$__rate_interval]))`},
				{legend: text{"unreadable", "无法解析"}.in(o.Language), expr: `sum(increase(pm25_agent_decode_errors_total{@target}[$__rate_interval]))`},
			},
		},
		{
			kind: bars, w: 8, h: 8, unit: count, title: text{"Sockets that were left alone", "被忽略的套接字"}, empty: text{"none", "无"},
			about:   text{"Sockets named like PM2's that agents did not trust, by reason, over the time range.", "名称类似 PM2 但不受信任而被忽略的套接字，按原因。"},
			targets: []target{{legend: "{{reason}}", expr: `sum by (reason) (increase(pm25_agent_rejected_sockets_total{@target}[$__range]))`}},
		},
	}
}

func shipping(o Options) []panel {
	none := text{"nothing is shipped", "未启用上报"}
	return []panel{
		{
			kind: graph, w: 8, h: 8, unit: perSecond, stacked: true, empty: none, title: text{"Records written to spools", "写入缓冲区的记录"},
			about:   text{"Records a second that agents wrote to their spools, by kind.", "agent 每秒写入缓冲区的记录，按类型。"},
			targets: []target{{legend: "{{kind}}", expr: `sum by (kind) (rate(pm25_agent_ship_records_total{@target}[$__rate_interval]))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, empty: none, title: text{"Records that wait", "等待的记录"}, links: []link{toHost()},
			about: text{"Records in spools that the server has not answered for, of the ten agents with most.", "缓冲区中服务器尚未确认的记录，取最多的十个 agent。"},
			targets: []target{{legend: "{{host}} {{instance}}", expr: `
sum by (host, instance) (pm25_agent_spool_records{@target})
and
topk(10, sum by (host, instance) (pm25_agent_spool_records{@target} @ end()))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: none, title: text{"Tries without a receipt", "未获确认的尝试"},
			about:   text{"Requests to the server that brought no receipt and are made again, by reason.", "未获服务器确认而重试的请求，按原因。"},
			targets: []target{{legend: "{{reason}}", expr: `sum by (reason) (increase(pm25_agent_ship_retries_total{@target}[$__rate_interval]))`}},
		},
		{
			kind: bars, w: 12, h: 8, unit: count, steps: bad(once), empty: none, title: text{"Records that never arrive", "永远无法到达的记录"},
			about: text{"Records that were dropped by agents or refused by the server, by reason, over the time range. It has to stay 0.", "被 agent 丢弃或被服务器拒绝的记录，按原因，时间范围内合计。应始终为 0。"},
			targets: []target{
				{legend: text{"dropped: ", "丢弃："}.in(o.Language) + "{{reason}}", expr: `sum by (reason) (increase(pm25_agent_ship_dropped_total{@target}[$__range]))`},
				{legend: text{"dead letter: ", "死信："}.in(o.Language) + "{{reason}}", expr: `sum by (reason) (increase(pm25_agent_ship_dead_letters_total{@target}[$__range]))`},
			},
		},
		{
			kind: graph, w: 12, h: 8, unit: bytesize, empty: none, title: text{"Spools", "缓冲区"}, links: []link{toHost()},
			about: text{"Size of the ten largest spools.", "最大的十个缓冲区。"},
			targets: []target{{legend: "{{host}} {{instance}}", expr: `
sum by (host, instance) (pm25_agent_spool_bytes{@target})
and
topk(10, sum by (host, instance) (pm25_agent_spool_bytes{@target} @ end()))`}},
		},
	}
}

func server(o Options) []panel {
	none := text{"no server", "无服务器"}
	return []panel{
		{
			kind: graph, w: 8, h: 8, unit: perSecond, stacked: true, empty: none, title: text{"Pushes by code", "推送（按状态码）"},
			about:   text{"Pushes of agents a second, by the status of the answer.", "agent 每秒推送次数，按应答状态码。"},
			targets: []target{{legend: "{{code}}", expr: `sum by (code) (rate(pm25_server_push_requests_total[$__rate_interval]))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: none, title: text{"Pushes that were not taken", "被拒绝的推送"},
			about:   text{"Pushes that were not taken as a whole, by reason. Agents keep what was in them.", "整体未被接收的推送，按原因。agent 会保留其中的记录。"},
			targets: []target{{legend: "{{reason}}", expr: `sum by (reason) (increase(pm25_server_push_rejected_total[$__rate_interval]))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: seconds, empty: text{"no pushes", "无推送"}, title: text{"Duration of a push", "推送耗时"},
			about: text{"Percentiles of how long a push takes, until it is on disk and answered for.", "推送直到落盘并应答的耗时百分位。"},
			targets: []target{
				{legend: "p50", expr: `histogram_quantile(0.5, sum by (le) (rate(pm25_server_push_duration_seconds_bucket[$__rate_interval])))`},
				{legend: "p99", expr: `histogram_quantile(0.99, sum by (le) (rate(pm25_server_push_duration_seconds_bucket[$__rate_interval])))`},
			},
		},
		{
			kind: graph, w: 8, h: 8, unit: perSecond, stacked: true, empty: none, title: text{"Records stored by bucket", "按分组存储的记录"},
			about: text{"Records a second that were stored, of the ten buckets with most.", "每秒存储的记录，取最多的十个分组。"},
			targets: []target{{legend: "{{bucket}}", expr: `
sum by (bucket) (rate(pm25_server_records_stored_total[$__rate_interval]))
and
topk(10, sum by (bucket) (rate(pm25_server_records_stored_total[$__range] @ end())))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: none, title: text{"Duplicates, refusals, failures", "重复、拒绝与失败"},
			about: text{"Records that were there already, were refused, or were dropped by the agent in the same process, and work of the store that failed.", "重复、被拒绝、被同进程 agent 丢弃的记录，以及存储失败的操作。"},
			targets: []target{
				{legend: text{"duplicates", "重复"}.in(o.Language), expr: `sum(increase(pm25_server_records_duplicate_total[$__rate_interval]))`},
				{legend: text{"refused", "拒绝"}.in(o.Language), expr: `sum(increase(pm25_server_records_refused_total[$__rate_interval]))`},
				{legend: text{"dropped", "丢弃"}.in(o.Language), expr: `sum(increase(pm25_server_local_dropped_total[$__rate_interval]))`},
				{legend: text{"failures", "失败"}.in(o.Language), expr: `sum(increase(pm25_server_store_failures_total[$__rate_interval]))`},
			},
		},
		{
			kind: graph, w: 8, h: 8, unit: bytesize, empty: none, title: text{"Size of the store", "存储大小"},
			about:   text{"Size of the store on disk.", "存储的磁盘占用。"},
			targets: []target{{legend: text{"store", "存储"}.in(o.Language), expr: `sum(pm25_server_store_size_bytes)`}},
		},
		{
			kind: graph, w: 12, h: 8, unit: count, empty: none, title: text{"Queries of records", "记录查询"},
			about: text{"Queries that run and wait, and live tails.", "正在运行和等待的查询，以及实时跟踪。"},
			targets: []target{
				{legend: text{"running", "运行"}.in(o.Language), expr: `sum(pm25_server_queries_running)`},
				{legend: text{"waiting", "等待"}.in(o.Language), expr: `sum(pm25_server_queries_waiting)`},
				{legend: text{"tails", "实时跟踪"}.in(o.Language), expr: `sum(pm25_server_tails)`},
			},
		},
		{
			kind: graph, w: 12, h: 8, unit: count, columns: true, empty: none, title: text{"Queries that were refused", "被拒绝的查询"},
			about: text{"Queries and tails that were refused because there were too many, and tails that were cut off.", "因过多而被拒绝的查询和跟踪，以及被中断的跟踪。"},
			targets: []target{
				{legend: text{"refused", "拒绝"}.in(o.Language), expr: `sum(increase(pm25_server_queries_refused_total[$__rate_interval]))`},
				{legend: text{"cut off", "中断"}.in(o.Language), expr: `sum(increase(pm25_server_tails_cut_off_total[$__rate_interval]))`},
			},
		},
	}
}

func prometheusPanels() []panel {
	return []panel{
		{
			kind: graph, w: 8, h: 8, unit: seconds, title: text{"Duration of scrapes", "采集耗时"}, links: []link{toHost()},
			about: text{"How long scrapes of agents take, of the ten slowest.", "采集 agent 的耗时，取最慢的十个。"},
			targets: []target{{legend: "{{host}} {{instance}}", expr: `
sum by (host, instance) (scrape_duration_seconds{@agents})
and
topk(10, sum by (host, instance) (scrape_duration_seconds{@agents} @ end()))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, title: text{"Samples of a scrape", "每次采集的样本"}, links: []link{toHost()},
			about: text{"Samples that agents expose, of the ten with most.", "agent 暴露的样本数，取最多的十个。"},
			targets: []target{{legend: "{{host}} {{instance}}", expr: `
sum by (host, instance) (scrape_samples_scraped{@agents})
and
topk(10, sum by (host, instance) (scrape_samples_scraped{@agents} @ end()))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: text{"none failed", "没有失败"}, title: text{"Rules that fail", "失败的规则"},
			about:   text{"Evaluations of rules that failed, by group. Alerts of such a rule do not fire.", "规则评估失败次数，按规则组。失败的规则不会触发告警。"},
			targets: []target{{legend: "{{rule_group}}", expr: `topk(20, sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[$__rate_interval])))`}},
		},
	}
}
