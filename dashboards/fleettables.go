package dashboards

// appTable has a row for each app, over all its hosts.
func appTable(o Options) panel {
	t := o.Thresholds
	return panel{
		kind: table, w: 24, h: 12, unit: count, title: text{"Apps", "应用"}, sort: "-#D",
		about: text{
			"Each app over all its hosts, those with most crashes first. Restarts, crashes and exceptions are those of the time range; requests, percentile and CPU those of the last five minutes. A click on a name leads to the app.",
			"每个应用（所有主机合计），崩溃最多的在前。重启、崩溃和异常为时间范围内的数量；请求、百分位和 CPU 为最近五分钟。点击名称进入该应用。",
		},
		targets: []target{
			{ref: "A", expr: `sum by (#service) (pm2_process_state{@app, state="online"})`},
			{ref: "B", expr: `sum by (#service) (pm2_app_expected_instances{@app})`},
			{ref: "C", expr: `sum by (#service) (pm2_process_state{@app, state="errored"})`},
			{ref: "D", expr: `sum by (#service) (increase(pm2_app_exits_total{@app, @unwanted}[$__range]))`},
			{ref: "E", expr: `sum by (#service) (increase(pm2_process_restarts_total{@app}[$__range]))`},
			{ref: "F", expr: `sum by (#service) (increase(pm2_app_exceptions_total{@app}[$__range]))`},
			{ref: "G", expr: `sum by (#service) (` + appRequests + `{@app})`},
			{ref: "H", expr: failed(`sum by (#service) `, appRequests, `@app`)},
			{ref: "I", expr: o.quantile(`0.95`, ofApps, `{@app}`, `#service`)},
			{ref: "J", expr: `sum by (#service) (` + appCPU + `{@app})`},
			{ref: "K", expr: `sum by (#service) (` + appMemory + `{@app})`},
			{ref: "L", expr: `max by (#service) (pm2_process_resident_memory_bytes{@app} / pm2_process_memory_limit_bytes{@app})`},
			{ref: "M", expr: `max by (#service) (1000 * pm2_app_deploy_timestamp_seconds{@app})`},
		},
		fields: []field{
			{name: "bucket", title: text{"Bucket", "分组"}, width: 90},
			{name: "pm2_namespace", title: text{"Namespace", "命名空间"}, width: 100},
			{name: "app", title: text{"App", "应用"}, width: 180, links: []link{toApp(), toRoutes(), toExceptions()}},
			cell("A", text{"Online", "在线"}, count),
			cell("B", text{"Saved", "已保存"}, count),
			cell("C", text{"Errored", "错误"}, count, bad(once)...),
			cell("D", text{"Crashes", "崩溃"}, count, worse(once, t.CrashLoopEnds-once)...),
			cell("E", text{"Restarts", "重启"}, count),
			cell("F", text{"Exceptions", "异常"}, count, look(once)...),
			cell("G", text{"Requests", "请求"}, requestsS),
			cell("H", text{"Failed", "失败"}, share, worse(0.01, 0.05)...),
			cell("I", text{"p95", "p95"}, seconds, worse(t.RouteWarnSeconds, t.RouteSlowSeconds)...),
			cell("J", text{"CPUs", "CPU 核"}, fraction),
			cell("K", text{"Memory", "内存"}, bytesize),
			{name: "#L", title: text{"Of its limit", "占上限"}, unit: share, width: 130, steps: worse(t.MemoryNearLimitRatio-0.1, t.MemoryNearLimitRatio), gauge: true, max: 1},
			cell("M", text{"Deployed", "发布"}, ago),
		},
	}
}

// hostTable has a row for each host, and keeps those that are down.
func hostTable(o Options) panel {
	t := o.Thresholds
	return panel{
		kind: table, w: 24, h: 12, unit: count, title: text{"Hosts", "主机"}, sort: "#A",
		about: text{
			"Each host, those that are down first. What a host that is down said last, within the time range, stays.",
			"每台主机，宕机的在前。宕机主机保留其在时间范围内的最后数值。",
		},
		targets: []target{
			{ref: "A", expr: `min by (#target) (up{@agents})`},
			{ref: "B", expr: `1000 * max by (#target) (max_over_time(timestamp(pm2_host_boot_time_seconds{@target})[$__range:1m]))`},
			{ref: "C", expr: `sum by (#target) (last_over_time(pm2_up{@target}[$__range]))`},
			{ref: "D", expr: `count by (#target) (last_over_time(pm2_process_pid{@target}[$__range]))`},
			{ref: "E", expr: `count by (#target) (last_over_time(pm2_process_pid{@target}[$__range]) == 0) or 0 * max by (#target) (last_over_time(pm2_up{@target}[$__range]))`},
			{ref: "F", expr: `max by (#target) (last_over_time(pm2_host_cpus{@target}[$__range]))`},
			{ref: "G", expr: `max by (#target) (last_over_time(pm2_host_load1{@target}[$__range]))`},
			{ref: "H", expr: `max by (#target) (last_over_time(pm2_host_load5{@target}[$__range]))`},
			{ref: "I", expr: `max by (#target) (last_over_time(pm2_host_load15{@target}[$__range]))`},
			{ref: "J", expr: `max by (#target) (1 - last_over_time(pm2_host_memory_available_bytes{@target}[$__range]) / last_over_time(pm2_host_memory_total_bytes{@target}[$__range]))`},
			{ref: "K", expr: `max by (#target) (last_over_time(pm2_host_memory_total_bytes{@target}[$__range]))`},
			{ref: "L", expr: `max by (#target) (1 - last_over_time(pm2_host_filesystem_avail_bytes{@target}[$__range]) / last_over_time(pm2_host_filesystem_size_bytes{@target}[$__range]))`},
			{ref: "M", expr: `1000 * max by (#target) (last_over_time(pm2_host_boot_time_seconds{@target}[$__range]))`},
		},
		fields: []field{
			{name: "bucket", title: text{"Bucket", "分组"}, width: 90},
			{name: "host", title: text{"Host", "主机"}, width: 150, links: []link{toHost()}},
			{name: "instance", title: text{"Target", "采集目标"}, width: 160},
			{name: "#A", title: text{"Agent", "Agent"}, unit: count, width: 80, values: upOrDown()},
			cell("B", text{"Seen last", "最后在线"}, ago),
			cell("C", text{"PM2 daemons", "PM2 守护进程"}, count, bad1()...),
			cell("D", text{"Processes", "进程"}, count),
			cell("E", text{"Not running", "未运行"}, count),
			cell("F", text{"CPUs", "CPU"}, count),
			cell("G", text{"Load 1", "负载 1"}, fraction),
			cell("H", text{"Load 5", "负载 5"}, fraction),
			cell("I", text{"Load 15", "负载 15"}, fraction),
			{name: "#J", title: text{"Memory in use", "内存使用"}, unit: share, width: 130, steps: worse(1-2*t.HostMemoryAvailableRatio, 1-t.HostMemoryAvailableRatio), gauge: true, max: 1},
			cell("K", text{"of", "总内存"}, bytesize),
			{name: "#L", title: text{"Fullest disk", "最满磁盘"}, unit: share, width: 130, steps: worse(1-2*t.DiskAvailableRatio, 1-t.DiskAvailableRatio), gauge: true, max: 1},
			cell("M", text{"Booted", "开机"}, ago),
		},
	}
}

func upOrDown() []value {
	return []value{{is: "1", text: text{"up", "正常"}, color: green}, {is: "0", text: text{"down", "宕机"}, color: red}}
}

// bad1 is red below one.
func bad1() []step { return []step{{0, red}, {1, green}} }

// fleetTrends show the ten apps that stand out at the end of the time range.
func fleetTrends(o Options) []panel {
	t := o.Thresholds
	legend := "{{pm2_namespace}}/{{app}}"
	return []panel{
		{
			kind: graph, w: 12, h: 8, unit: count, columns: true, title: text{"Crashes by app", "各应用的崩溃"}, links: []link{toApp()},
			about: text{"The ten apps with most ends that nobody asked for in the time range.", "时间范围内非预期退出最多的十个应用。"},
			targets: []target{{legend: legend, expr: `
sum by (pm2_namespace, app) (increase(pm2_app_exits_total{@app, @unwanted}[$__rate_interval]))
and
topk(10, sum by (pm2_namespace, app) (increase(pm2_app_exits_total{@app, @unwanted}[$__range] @ end())) > 0)`}},
		},
		{
			kind: graph, w: 12, h: 8, unit: count, columns: true, title: text{"Exceptions by app", "各应用的异常"}, links: []link{toExceptions()},
			about: text{"The ten apps with most exceptions in the time range.", "时间范围内异常最多的十个应用。"},
			targets: []target{{legend: legend, expr: `
sum by (pm2_namespace, app) (increase(pm2_app_exceptions_total{@app}[$__rate_interval]))
and
topk(10, sum by (pm2_namespace, app) (increase(pm2_app_exceptions_total{@app}[$__range] @ end())) > 0)`}},
		},
		{
			kind: graph, w: 12, h: 8, unit: requestsS, title: text{"Requests by app", "各应用的请求"}, links: []link{toRoutes()},
			about: text{"Requests a second of the ten apps with most, on all hosts.", "每秒请求最多的十个应用（所有主机）。"},
			targets: []target{{legend: legend, expr: `
sum by (pm2_namespace, app) (` + routeCount + `{@service})
and
topk(10, sum by (pm2_namespace, app) (` + routeCount + `{@service} @ end()))`}},
		},
		{
			kind: graph, w: 12, h: 8, unit: seconds, limits: true, steps: worse(t.RouteWarnSeconds, t.RouteSlowSeconds), links: []link{toRoutes()},
			title: text{"Slowest apps (p95)", "最慢的应用（p95）"},
			about: text{"95th percentile of the duration of requests, of the ten apps where it was highest at the end of the time range, on all hosts.", "请求耗时的 95 百分位，取时间范围末尾最高的十个应用（所有主机）。"},
			targets: []target{{legend: legend, expr: o.quantile(`0.95`, ofRoutes, `{@service}`, `pm2_namespace, app`) + `
and
topk(10, ` + o.quantile(`0.95`, ofRoutes, `{@service} @ end()`, `pm2_namespace, app`) + `)`}},
		},
		{
			kind: graph, w: 12, h: 8, unit: fraction, stacked: true, title: text{"CPUs by app", "各应用的 CPU"}, links: []link{toApp()},
			about: text{"CPUs that the ten apps which use most keep busy, over all their processes.", "CPU 使用最多的十个应用占用的核数（所有进程合计）。"},
			targets: []target{{legend: legend, expr: `
sum by (pm2_namespace, app) (` + appCPU + `{@app})
and
topk(10, sum by (pm2_namespace, app) (` + appCPU + `{@app} @ end()))`}},
		},
		{
			kind: graph, w: 12, h: 8, unit: bytesize, stacked: true, title: text{"Memory by app", "各应用的内存"}, links: []link{toApp()},
			about: text{"Resident memory of the ten apps that use most, over all their processes.", "内存使用最多的十个应用的常驻内存（所有进程合计）。"},
			targets: []target{{legend: legend, expr: `
sum by (pm2_namespace, app) (` + appMemory + `{@app})
and
topk(10, sum by (pm2_namespace, app) (` + appMemory + `{@app} @ end()))`}},
		},
	}
}
