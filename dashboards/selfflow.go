package dashboards

// agents are what agents do while all is well.
func agents() []panel {
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
			kind: graph, w: 16, h: 8, unit: seconds, title: text{"Slowest collectors", "最慢的采集器"},
			about:   text{"Duration of each collector in a scrape, of the slowest agent. What the scrape's timeout cuts off is missing on all boards.", "各采集器的耗时（最慢的 agent）。超时被截断的部分在所有看板中缺失。"},
			targets: []target{{legend: "{{collector}}", expr: `max by (collector) (pm25_agent_collector_duration_seconds{@target})`}},
		},
		{
			kind: graph, w: 24, h: 7, unit: perSecond, title: text{"Messages of PM2's bus", "PM2 总线消息"},
			about:   text{"Messages a second that agents read from PM2's buses, by kind.", "agent 每秒从 PM2 总线读取的消息，按类型。"},
			targets: []target{{legend: "{{kind}}", expr: `sum by (kind) (rate(pm25_agent_bus_messages_total{@target}[$__rate_interval]))`}},
		},
	}
}

// shipping is how far records are on their way.
func shipping() []panel {
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
			kind: graph, w: 8, h: 8, unit: bytesize, empty: none, title: text{"Spools", "缓冲区"}, links: []link{toHost()},
			about: text{"Size of the ten largest spools.", "最大的十个缓冲区。"},
			targets: []target{{legend: "{{host}} {{instance}}", expr: `
sum by (host, instance) (pm25_agent_spool_bytes{@target})
and
topk(10, sum by (host, instance) (pm25_agent_spool_bytes{@target} @ end()))`}},
		},
	}
}

// server is what the server takes and answers.
func server(o Options) []panel {
	none := text{"no server", "无服务器"}
	return []panel{
		{
			kind: graph, w: 8, h: 8, unit: perSecond, stacked: true, empty: none, title: text{"Pushes by code", "推送（按状态码）"},
			about:   text{"Pushes of agents a second, by the status of the answer.", "agent 每秒推送次数，按应答状态码。"},
			targets: []target{{legend: "{{code}}", expr: `sum by (code) (rate(pm25_server_push_requests_total[$__rate_interval]))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: seconds, empty: text{"no pushes", "无推送"}, title: text{"Duration of a push", "推送耗时"},
			about: text{"Percentiles of how long a push takes, until it is on disk and answered for.", "推送直到落盘并应答的耗时百分位。"},
			targets: []target{
				{legend: "p50", expr: `histogram_quantile(0.5, sum by (le) (rate(pm25_server_push_duration_seconds_bucket[$__rate_interval]))) >= 0`},
				{legend: "p99", expr: `histogram_quantile(0.99, sum by (le) (rate(pm25_server_push_duration_seconds_bucket[$__rate_interval]))) >= 0`},
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
			kind: graph, w: 12, h: 8, unit: bytesize, empty: none, title: text{"Size of the store", "存储大小"},
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
	}
}

// scrapes are what Prometheus makes of agents.
func scrapes() []panel {
	return []panel{
		{
			kind: graph, w: 12, h: 8, unit: seconds, title: text{"Duration of scrapes", "采集耗时"}, links: []link{toHost()},
			about: text{"How long scrapes of agents take, of the ten slowest.", "采集 agent 的耗时，取最慢的十个。"},
			targets: []target{{legend: "{{host}} {{instance}}", expr: `
sum by (host, instance) (scrape_duration_seconds{@agents})
and
topk(10, sum by (host, instance) (scrape_duration_seconds{@agents} @ end()))`}},
		},
		{
			kind: graph, w: 12, h: 8, unit: count, title: text{"Samples of a scrape", "每次采集的样本"}, links: []link{toHost()},
			about: text{"Samples that agents expose, of the ten with most.", "agent 暴露的样本数，取最多的十个。"},
			targets: []target{{legend: "{{host}} {{instance}}", expr: `
sum by (host, instance) (scrape_samples_scraped{@agents})
and
topk(10, sum by (host, instance) (scrape_samples_scraped{@agents} @ end()))`}},
		},
	}
}
