package dashboards

// application is one app over all hosts: requests, instances, memory, why it ended,
// which versions run, and what it threw.
func application(o Options) board {
	return board{
		uid: appUID, title: titleOf(appUID), variables: toApps, annotations: marksOfService, from: "now-3h",
		about: text{
			"One app over all hosts it runs on: is it up, is it slow, does it throw, what changed. Marks show restarts, crashes, deploys and alerts.",
			"一个应用在所有主机上的情况：是否在线、是否变慢、是否抛异常、有何变更。标记显示重启、崩溃、发布和告警。",
		},
		rows: []row{
			{title: text{"Now", "当前"}, panels: appNow(o)},
			{title: text{"Instances", "实例"}, panels: appInstances()},
			{title: text{"Requests", "请求"}, panels: requestsOfApp(o)},
			{title: text{"Resources by process", "各进程的资源"}, panels: appResources(o)},
			{title: text{"Versions and deploys", "版本与发布"}, panels: appVersions()},
			{title: text{"Exceptions and events", "异常与事件"}, panels: []panel{topExceptions(24, 7), lifeLog(12, 10), exceptionLog(12, 10)}},
		},
	}
}

func appNow(o Options) []panel {
	t := o.Thresholds
	return []panel{
		{
			kind: stat, w: 3, h: 4, unit: count, steps: bad1(), title: text{"Online", "在线"},
			about:   text{"Instances that are online.", "在线实例数。"},
			targets: []target{{expr: `sum(pm2_process_state{@app, state="online"})`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: count, steps: bad(once), title: text{"Errored", "错误"},
			about:   text{"Instances that PM2 has given up on.", "PM2 已放弃重启的实例。"},
			targets: []target{{expr: `sum(pm2_process_state{@app, state="errored"})`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: count, steps: worse(once, t.CrashLoopEnds-once), spark: true, title: text{"Crashes in 10 min", "10 分钟内崩溃"},
			about:   text{"Ends that nobody asked for in ten minutes; red is a crash loop.", "十分钟内非预期的退出；红色即崩溃循环。"},
			targets: []target{{expr: `sum(increase(pm2_app_exits_total{@app, @unwanted}[10m]))`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: count, steps: worse(once, t.ExceptionSpike), spark: true, title: text{"Exceptions, 5 min", "5 分钟内异常"},
			about:   text{"Exceptions in five minutes, handled and not.", "五分钟内的异常，含已处理和未处理。"},
			targets: []target{{expr: `sum(increase(pm2_app_exceptions_total{@app}[5m]))`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: requestsS, spark: true, title: text{"Requests", "请求"}, empty: text{"no requests", "无请求"},
			about:   text{"Requests a second. Only apps with pm25-ext tell of theirs.", "每秒请求数。仅装有 pm25-ext 的应用提供。"},
			targets: []target{{expr: `sum(` + appRequests + `{@app})`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: share, steps: worse(0.01, 0.05), spark: true, title: text{"Failed", "失败"}, empty: text{"no requests", "无请求"},
			about:   text{"Share of requests that were answered with 5xx in five minutes.", "五分钟内返回 5xx 的请求占比。"},
			targets: []target{{expr: failed(`sum`, appRequests, `@app`)}},
		},
		{
			kind: stat, w: 3, h: 4, unit: seconds, steps: worse(t.RouteWarnSeconds, t.RouteSlowSeconds), spark: true, title: text{"p95", "p95"}, empty: text{"no requests", "无请求"},
			about:   text{"95th percentile of the duration of requests in five minutes.", "五分钟内请求耗时的 95 百分位。"},
			targets: []target{{expr: o.quantile(`0.95`, ofApps, `{@app}`, ``)}},
		},
		{
			kind: stat, w: 3, h: 4, unit: share, steps: worse(t.MemoryNearLimitRatio-0.1, t.MemoryNearLimitRatio), spark: true, title: text{"Memory of its limit", "内存占上限"}, empty: text{"no limit", "无上限"},
			about:   text{"Memory of the process that is nearest to its max_memory_restart. At 100% PM2 restarts it.", "最接近 max_memory_restart 的进程的内存占比，达到 100% 时 PM2 会重启它。"},
			targets: []target{{expr: `max(pm2_process_resident_memory_bytes{@app} / pm2_process_memory_limit_bytes{@app})`}},
		},
	}
}

func appInstances() []panel {
	return []panel{
		{
			kind: timeline, w: 16, h: 8, unit: count, title: text{"Which instances run", "各实例的运行情况"}, links: []link{toProcessOnHost(), toProcess()},
			about: text{"Whether each instance runs, of up to 30: those with most restarts. What is short between two points is not seen here; the marks and the log show each end.", "各实例是否运行，最多 30 个（重启最多的优先）。两个采样点之间的短暂变化不可见，见标记和日志。"},
			values: []value{
				{is: "0", text: text{"not running", "未运行"}, color: gray},
				{is: "1", text: text{"running", "运行中"}, color: green},
				{is: "2", text: text{"errored", "错误"}, color: red},
			},
			targets: []target{{legend: "{{host}} {{app}} {{pm_id}}", expr: `
(
  (pm2_process_pid{@app} > bool 0)
  + ignoring (state)
  2 * pm2_process_state{@app, state="errored"}
)
and
topk(30, pm2_process_restarts_total{@app} @ end())`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, title: text{"Ends by reason", "按原因统计的退出"},
			about:   text{"Why processes ended. operator, reload, cron, watch and clean were asked for; crash, signal, oom_kill and errored were not; memory_limit is PM2's restart at max_memory_restart.", "进程退出的原因。operator、reload、cron、watch、clean 为预期；crash、signal、oom_kill、errored 为非预期；memory_limit 为达到 max_memory_restart。"},
			styles:  reasonStyles(),
			targets: []target{{legend: "{{reason}}", expr: `sum by (reason) (increase(pm2_app_exits_total{@app}[$__rate_interval])) > 0`}},
			empty:   text{"no process ended", "没有进程退出"},
		},
	}
}

func reasonStyles() []style {
	return []style{
		{match: "/^(crash|oom_kill|errored|signal)$/", color: red},
		{match: "/^(memory_limit|unknown)$/", color: orange},
		{match: "/^(operator|reload)$/", color: blue},
		{match: "/^(cron|watch|clean)$/", color: gray},
	}
}

func requestsOfApp(o Options) []panel {
	t := o.Thresholds
	return []panel{
		{
			kind: graph, w: 8, h: 9, unit: requestsS, stacked: true, title: text{"Requests by code", "按状态码的请求"},
			about:   text{"Requests a second by class of their status code. aborted: the client went away first.", "按状态码类别的每秒请求数。aborted：客户端提前断开。"},
			styles:  codeStyles(),
			targets: []target{{legend: "{{code}}", expr: `sum by (code) (` + appRequests + `{@app})`}},
			empty:   text{"no requests", "无请求"},
		},
		{
			kind: graph, w: 8, h: 9, unit: share, limits: true, steps: worse(0.01, 0.05), title: text{"Failed requests", "失败请求"},
			about:   text{"Share of requests that were answered with 5xx.", "返回 5xx 的请求占比。"},
			targets: []target{{legend: text{"failed", "失败"}.in(o.Language), expr: failed(`sum`, appRequests, `@app`)}},
			empty:   text{"no requests", "无请求"},
		},
		{
			kind: graph, w: 8, h: 9, unit: seconds, limits: true, steps: worse(t.RouteWarnSeconds, t.RouteSlowSeconds), title: text{"Duration", "耗时"},
			about: text{"Percentiles of the duration of requests, with lines where boards turn orange and red. Points are single slow requests, with the record_id of their record.", "请求耗时的百分位，虚线为变橙和变红的界限。点为单个慢请求，附其记录的 record_id。"},
			targets: []target{
				o.slowRequest(),
				{legend: "p50", expr: o.quantile(`0.5`, ofApps, `{@app}`, ``)},
				{legend: "p95", expr: o.quantile(`0.95`, ofApps, `{@app}`, ``)},
				{legend: "p99", expr: o.quantile(`0.99`, ofApps, `{@app}`, ``)},
			},
			empty: text{"no requests", "无请求"},
		},
		slowestHosts(o),
		hostsThatFail(o),
	}
}

// slowestHosts tells whether a slow app is slow everywhere.
func slowestHosts(o Options) panel {
	t := o.Thresholds
	return panel{
		kind: bars, w: 12, h: 7, unit: seconds, steps: worse(t.RouteWarnSeconds, t.RouteSlowSeconds), title: text{"Slowest hosts (p95)", "最慢的主机（p95）"}, empty: text{"no requests", "无请求"},
		about:   text{"95th percentile by host, of the ten slowest. One host alone: the cause is on the host; all of them: it is in the app or behind it.", "各主机的 95 百分位，取最慢的十台。只有一台慢：问题在主机；全部都慢：问题在应用或其依赖。"},
		targets: []target{{legend: "{{host}} {{instance}}", expr: `topk(10, ` + o.quantile(`0.95`, ofApps, `{@app}`, `host, instance`) + ` >= 0)`}},
	}
}

// hostsThatFail tells the same of errors.
func hostsThatFail(o Options) panel {
	return panel{
		kind: bars, w: 12, h: 7, unit: share, steps: worse(0.01, 0.05), title: text{"Hosts that fail", "失败的主机"}, empty: text{"no requests", "无请求"},
		about:   text{"Share of requests with 5xx by host, of the ten where it is highest.", "各主机 5xx 请求占比，取最高的十台。"},
		targets: []target{{legend: "{{host}} {{instance}}", expr: `topk(10, ` + failed(`sum by (host, instance) `, appRequests, `@app`) + `)`}},
	}
}

func codeStyles() []style {
	return []style{{match: "5xx", color: red}, {match: "4xx", color: orange}, {match: "2xx", color: green}, {match: "3xx", color: blue}, {match: "aborted", color: purple}}
}

func appResources(o Options) []panel {
	t := o.Thresholds
	legend := "{{host}} {{app}} {{pm_id}}"
	return []panel{
		{
			kind: graph, w: 12, h: 8, unit: share, title: text{"CPU by process", "各进程的 CPU"}, links: []link{toProcessOnHost(), toProcess()},
			about: text{"Share of one CPU, of the 20 processes that use most.", "占用单核的比例，取最高的 20 个进程。"},
			targets: []target{{legend: legend, expr: `
sum by (host, instance, pm2_namespace, app, pm_id) (rate(pm2_process_cpu_seconds_total{@app}[$__rate_interval]))
and
topk(20, sum by (host, instance, pm2_namespace, app, pm_id) (rate(pm2_process_cpu_seconds_total{@app}[10m] @ end())))`}},
		},
		{
			kind: graph, w: 12, h: 8, unit: bytesize, title: text{"Memory by process", "各进程的内存"}, links: []link{toProcessOnHost(), toProcess()},
			about:  text{"Resident memory of the 20 processes that use most, and the lowest limit at which PM2 restarts one (dashed).", "常驻内存最高的 20 个进程；虚线为其中最低的 PM2 重启上限。"},
			styles: []style{{match: "/^(limit|上限)$/", color: red, dashed: true}},
			targets: []target{
				{legend: legend, expr: `
sum by (host, instance, pm2_namespace, app, pm_id) (pm2_process_resident_memory_bytes{@app})
and
topk(20, sum by (host, instance, pm2_namespace, app, pm_id) (pm2_process_resident_memory_bytes{@app} @ end()))`},
				{legend: text{"limit", "上限"}.in(o.Language), expr: `min(pm2_process_memory_limit_bytes{@app})`},
			},
		},
		{
			kind: graph, w: 12, h: 8, unit: share, top: ptr(1.0), limits: true, steps: worse(t.EventLoopUtilization, t.EventLoopUtilizationCritical),
			title: text{"Event loop in use", "事件循环利用率"}, links: []link{toProcessOnHost(), toProcess()},
			about: text{"Share of time in which the event loop is busy, of the 20 processes where it is highest.", "事件循环忙碌的时间占比，取最高的 20 个进程。"},
			empty: text{"no pm25-ext", "无 pm25-ext"},
			targets: []target{{legend: legend, expr: loopInUse(`{@app}`) + `
and
topk(20, ` + loopInUseAtEnd(`{@app}`) + `)`}},
		},
		{
			kind: graph, w: 12, h: 8, unit: bytesize, title: text{"Heap after collections", "GC 后的堆"}, links: []link{toProcessOnHost(), toProcess()},
			about: text{"Heap that the last major collection left, of the 20 processes where it is highest. What grows here for hours is kept: a leak.", "上次主 GC 后仍在使用的堆，取最高的 20 个进程。持续数小时增长即为泄漏。"},
			empty: text{"no full collection yet, or no pm25-ext", "尚无完整 GC，或无 pm25-ext"},
			targets: []target{{legend: legend, expr: `
sum by (host, instance, pm2_namespace, app, pm_id) (nodejs_heap_used_after_gc_bytes{@app})
and
topk(20, sum by (host, instance, pm2_namespace, app, pm_id) (nodejs_heap_used_after_gc_bytes{@app} @ end()))`}},
		},
	}
}

// loopInUse is the share of time in which the event loop is active.
func loopInUse(match string) string {
	return sprintf(`
sum by (host, instance, pm2_namespace, app, pm_id) (rate(nodejs_eventloop_time_seconds_total%[1]s[$__rate_interval]))
`, activeOf(match)) + `/
` + sprintf(`(sum by (host, instance, pm2_namespace, app, pm_id) (rate(nodejs_eventloop_time_seconds_total%s[$__rate_interval])) > 0)`, match)
}

func loopInUseAtEnd(match string) string {
	return sprintf(`
  sum by (host, instance, pm2_namespace, app, pm_id) (rate(nodejs_eventloop_time_seconds_total%[1]s[10m] @ end()))
  /
  sum by (host, instance, pm2_namespace, app, pm_id) (rate(nodejs_eventloop_time_seconds_total%[2]s[10m] @ end()))
`, activeOf(match), match)
}

func activeOf(match string) string { return match[:len(match)-1] + `, state="active"}` }

func appVersions() []panel {
	return []panel{
		{
			kind: table, w: 12, h: 7, unit: count, title: text{"Versions that run", "运行中的版本"}, sort: "-#A",
			about:   text{"How many processes run which version. More than one row for an app: a deploy is under way, or a host was left out.", "各版本运行的进程数。一个应用有多行：正在发布，或有主机被遗漏。"},
			targets: []target{{expr: `topk(100, count by (pm2_namespace, app, version, revision, node_version) (pm2_process_info{@app}))`}},
			fields: []field{
				{name: "pm2_namespace", title: text{"Namespace", "命名空间"}, width: 110},
				{name: "app", title: text{"App", "应用"}, links: []link{toApp()}},
				{name: "version", title: text{"Version", "版本"}, width: 110},
				{name: "revision", title: text{"Revision", "修订"}, width: 100},
				{name: "node_version", title: text{"Node.js", "Node.js"}, width: 90},
				cell("A", text{"Processes", "进程"}, count),
			},
		},
		{
			kind: graph, w: 12, h: 7, unit: count, columns: true, title: text{"Exceptions by version", "按版本的异常"},
			about:   text{"Exceptions by the version that threw them: whether a deploy brought or ended them.", "按版本统计的异常：是否由某次发布引入或修复。"},
			targets: []target{{loki: true, legend: "{{app}} {{version}}", expr: `topk(20, sum by (app, version) (sum_over_time({kind="exception", @app} | unwrap occurrences [$__auto])))`}},
			empty:   text{"no exceptions", "无异常"},
		},
	}
}
