package dashboards

// fleet is where an on-call person begins: is something wrong, since when, and
// which app is it.
func fleet(o Options) board {
	return board{
		uid: fleetUID, title: titleOf(fleetUID), variables: toApps, annotations: marksOfMany,
		about: text{
			"All hosts and apps that PM25 watches. The first row says whether something is wrong; the tables lead to the host or app that it is.",
			"PM25 监控的所有主机和应用。第一行显示是否有问题；表格可下钻到具体的主机或应用。",
		},
		rows: []row{
			{title: text{"Now", "当前"}, panels: fleetNow(o)},
			{title: text{"Apps", "应用"}, panels: []panel{appTable(o)}},
			{title: text{"Hosts", "主机"}, panels: []panel{hostTable(o)}},
			{title: text{"Trends", "趋势"}, panels: fleetTrends(o)},
		},
	}
}

func fleetNow(o Options) []panel {
	t := o.Thresholds
	return []panel{
		{
			kind: stat, w: 3, h: 4, unit: count, steps: bad(once), title: text{"Hosts down", "宕机主机"},
			about:   text{"Hosts whose agent does not answer. They stay in the table of hosts, red, as long as they are a target.", "agent 无响应的主机。只要仍是采集目标，就以红色保留在主机表中。"},
			targets: []target{{expr: `count(up{@agents} == 0) or vector(0)`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: count, steps: bad(once), title: text{"PM2 down", "PM2 守护进程异常"},
			about:   text{"PM2 daemons that do not answer, on hosts that do: their apps may run on, with nobody to restart them.", "主机正常但 PM2 守护进程无响应：应用可能仍在运行，但崩溃后无人重启。"},
			targets: []target{{expr: `count(pm2_up{@target} == 0) or vector(0)`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: count, steps: bad(once), title: text{"Processes errored", "错误状态进程"},
			about:   text{"Processes that PM2 has given up on. Nothing restarts them.", "PM2 已放弃重启的进程，不会自动恢复。"},
			targets: []target{{expr: `sum(pm2_process_state{@app, state="errored"}) or vector(0)`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: count, steps: look(once), title: text{"Instances missing", "缺少的实例"},
			about: text{"Instances that `pm2 save` wrote down and that are neither online nor stopped, over all apps.", "`pm2 save` 保存过但当前不在线的实例数（所有应用合计，不含已停止的）。"},
			targets: []target{{expr: `
sum(
  clamp_min(
    pm2_app_expected_instances{@app}
    - sum without (pm_id, state) (pm2_process_state{@app, state=~"online|one_launch|stopped"}),
    0
  )
) or vector(0)`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: count, steps: worse(once, t.CrashLoopEnds-once), title: text{"Crashes", "崩溃"},
			about:   text{"Ends that nobody asked for in five minutes: crashes, signals and kills for memory. At red it is as many as a crash loop.", "五分钟内非预期的退出：崩溃、信号和内存不足被杀。红色表示达到崩溃循环的数量。"},
			targets: []target{{expr: `sum(increase(pm2_app_exits_total{@app, @unwanted}[5m])) or vector(0)`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: count, steps: look(once), title: text{"Exceptions", "异常"},
			about:   text{"Exceptions in five minutes, handled and not.", "五分钟内的异常数，包括已处理和未处理的。"},
			targets: []target{{expr: `sum(increase(pm2_app_exceptions_total{@app}[5m])) or vector(0)`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: share, steps: worse(0.01, 0.05), spark: true, title: text{"Failed requests", "失败请求"},
			about:   text{"Share of requests that were answered with 5xx in five minutes.", "五分钟内返回 5xx 的请求占比。"},
			empty:   text{"no requests", "无请求"},
			targets: []target{{expr: failed(`sum`, routeCount, `@service`)}},
		},
		{
			kind: stat, w: 3, h: 4, unit: count, steps: bad(once), title: text{"Firing alerts", "触发的告警"},
			about:   text{"Alerts that fire, but for information and the watchdog.", "正在触发的告警，不含通知级和看门狗。"},
			targets: []target{{expr: `count(ALERTS{alertstate="firing", severity=~"critical|warning", @app}) or vector(0)`}},
		},
		firingTable(o, 12, 9),
		{
			kind: timeline, w: 12, h: 9, unit: count, title: text{"Apps in trouble", "有问题的应用"},
			about: text{
				"The 15 apps with most crashes, or given up by PM2, in the time range: since when, and whether it is over.",
				"时间范围内崩溃最多或被 PM2 放弃的 15 个应用：从何时开始，是否已恢复。",
			},
			values: []value{
				{from: 0, to: 0.001, text: text{"fine", "正常"}, color: green},
				{from: 0.001, to: 1.999, text: text{"crashes", "崩溃"}, color: orange},
				{from: 1.999, to: 2, text: text{"errored", "错误"}, color: red},
			},
			targets: []target{{legend: "{{pm2_namespace}}/{{app}}", expr: troubled}},
		},
	}
}

// troubled is 2 where a process of the app is errored, else up to 1 by its crashes.
const troubled = `
clamp_max(
  2 * max by (pm2_namespace, app) (pm2_process_state{@app, state="errored"})
  + on (pm2_namespace, app)
  clamp_max(sum by (pm2_namespace, app) (pm2_service:pm2_app_exits_unwanted:increase5m{@service}), 1),
  2
)
and on (pm2_namespace, app)
topk(15,
  (
    1e6 * max by (pm2_namespace, app) (pm2_process_state{@app, state="errored"} @ end())
    + on (pm2_namespace, app)
    sum by (pm2_namespace, app) (increase(pm2_app_exits_total{@app, @unwanted}[$__range] @ end()))
  ) > 0
)`

// firingTable answers what fires, and since when.
func firingTable(o Options, w, h uint32) panel {
	return panel{
		kind: table, w: w, h: h, unit: count, title: text{"What fires, and since when", "正在触发的告警及起始时间"}, sort: "#A",
		about: text{
			"Alerts that fire, the newest last: the first one is often the cause of the others.",
			"正在触发的告警，最早的在前：最早的往往是其他告警的原因。",
		},
		empty: text{"no alert fires", "没有告警"},
		targets: []target{{expr: `
topk(200,
  max by (alertname, severity, bucket, host, pm2_namespace, app, pm_id) (
    1000 * ALERTS_FOR_STATE{@app, severity!="none"}
    and ignoring (alertstate)
    ALERTS{alertstate="firing", @app, severity!="none"}
  )
)`}},
		fields: []field{
			{name: "#A", title: text{"Since", "起始"}, unit: ago, width: 130},
			{name: "severity", title: text{"Severity", "级别"}, width: 80, values: severities()},
			{name: "alertname", title: text{"Alert", "告警"}, width: 210, links: toRunbook(o)},
			{name: "host", title: text{"Host", "主机"}, width: 100, links: []link{toHost(), toAppOnHost()}},
			{name: "pm2_namespace", title: text{"Namespace", "命名空间"}, width: 100},
			{name: "app", title: text{"App", "应用"}, width: 150, links: []link{toApp(), toExceptions()}},
		},
	}
}

func severities() []value {
	return []value{
		{is: "critical", text: text{"critical", "严重"}, color: red},
		{is: "warning", text: text{"warning", "警告"}, color: orange},
		{is: "info", text: text{"info", "通知"}, color: gray},
	}
}

// Recorded by the rules, so that boards read tens of series where hosts have
// hundreds of thousands. Those of an app are of each host; those of a route are
// over all hosts.
const (
	appRequests  = "pm2_app:pm2_http_request_duration_seconds_count:rate5m"
	appCPU       = "pm2_app:pm2_process_cpu_seconds:rate5m"
	appMemory    = "pm2_app:pm2_process_resident_memory_bytes:sum"
	routeCount   = "pm2_route:pm2_http_request_duration_seconds_count:rate5m"
	routeTimeSum = "pm2_route:pm2_http_request_duration_seconds_sum:rate5m"
	serviceEnds  = "pm2_service:pm2_app_exits_unwanted:increase5m"

	// Of each service that an SLO is for, with the label slo.
	serviceBudget   = "pm2_service:error_budget:ratio"
	serviceLatency  = "pm2_service:slo_latency:seconds"
	serviceRequests = "pm2_service:http_requests:increase5m"
	serviceBad      = "pm2_service:http_requests_slow_or_failed:increase5m"
)

// failed is the share of requests that were answered with 5xx, 0 where there was
// none and absent where there were no requests. How is the aggregation.
func failed(how, metric, match string) string {
	return sprintf(`
(
  %[1]s(%[2]s{%[3]s, code="5xx"})
  or
  0 * %[1]s(%[2]s{%[3]s})
)
/
(%[1]s(%[2]s{%[3]s}) > 0)`, how, metric, match)
}
