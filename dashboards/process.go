package dashboards

// process is one process, or the ones that stand out of those that are chosen.
func process(o Options) board {
	return board{
		uid: processUID, title: titleOf(processUID), variables: toProcesses, annotations: marksOfApp, from: "now-6h",
		about: text{
			"One process: what it is, its memory and whether it leaks, its event loop, its CPU, and how it ended. Choose one by app and id; of several, graphs show those that stand out.",
			"单个进程：身份、内存及是否泄漏、事件循环、CPU、退出情况。请按应用和编号选择；选择多个时图表显示其中最突出的。",
		},
		rows: []row{
			{title: text{"Now", "当前"}, panels: processNow(o)},
			{title: text{"Memory", "内存"}, panels: processMemory(o)},
			{title: text{"Event loop and CPU", "事件循环与 CPU"}, panels: processLoop(o)},
			{title: text{"Handles, files and children", "句柄、文件与子进程"}, collapsed: true, panels: processRest()},
			{title: text{"What happened", "发生了什么"}, panels: []panel{processLog(), exceptionLogOf(`| pm_id=~"$pm_id"`, 12, 10)}},
		},
	}
}

func processNow(o Options) []panel {
	t := o.Thresholds
	return []panel{
		{
			kind: stat, w: 4, h: 4, unit: count, steps: bad1(), title: text{"Online", "在线"},
			about:   text{"How many of the chosen processes are online.", "所选进程中在线的数量。"},
			targets: []target{{expr: `sum(pm2_process_state{@process, state="online"})`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: unit{"s", 0}, title: text{"Uptime", "运行时间"}, empty: text{"not running", "未运行"},
			about:   text{"Time since the last start; of several, the shortest.", "自上次启动以来的时间；多个时取最短。"},
			targets: []target{{expr: `time() - max(pm2_process_start_time_seconds{@process})`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: count, steps: worse(once, t.FrequentRestarts-once), title: text{"Restarts in 1 h", "1 小时内重启"},
			about:   text{"Restarts in the last hour, for any reason.", "最近一小时内的重启次数，不论原因。"},
			targets: []target{{expr: `sum(increase(pm2_process_restarts_total{@process}[1h]))`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: share, steps: look(t.CPURatio), spark: true, title: text{"CPU", "CPU"},
			about:   text{"Share of one CPU; of several, the highest.", "占用单核的比例；多个时取最高。"},
			targets: []target{{expr: `max(sum without (mode) (rate(pm2_process_cpu_seconds_total{@process}[5m])))`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: share, steps: worse(t.EventLoopUtilization, t.EventLoopUtilizationCritical), spark: true, title: text{"Event loop in use", "事件循环利用率"}, empty: text{"no pm25-ext", "无 pm25-ext"},
			about: text{"Share of time in which the event loop is busy; of several, the highest.", "事件循环忙碌的时间占比；多个时取最高。"},
			targets: []target{{expr: `
max(
  sum without (state) (rate(nodejs_eventloop_time_seconds_total{@process, state="active"}[5m]))
  /
  sum without (state) (rate(nodejs_eventloop_time_seconds_total{@process}[5m]))
)`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: seconds, steps: worse(t.EventLoopBlockedSeconds/5, t.EventLoopBlockedSeconds), spark: true, title: text{"Longest block", "最长阻塞"}, empty: text{"no pm25-ext", "无 pm25-ext"},
			about:   text{"Longest time that something kept the event loop within the last minute; nothing else was served meanwhile.", "最近一分钟内事件循环被占用的最长时间，期间不处理其他请求。"},
			targets: []target{{expr: `max(nodejs_eventloop_delay_max_seconds{@process})`}},
		},
		{
			kind: table, w: 24, h: 6, unit: count, title: text{"Which process", "进程信息"}, sort: "app",
			about: text{"What the chosen processes are, of up to 200: those with most restarts.", "所选进程的信息，最多 200 个（重启最多的优先）。"},
			targets: []target{
				{ref: "A", expr: `max by (#process, instance_id, exec_mode, interpreter, node_version, version, revision, memory_source) (pm2_process_info{@process}) ` + worstByProcess},
				{ref: "B", expr: `max by (#process) (pm2_process_pid{@process} ` + worst + `)`},
				{ref: "C", expr: `max by (#process, state) ((pm2_process_state{@process} == 1) and ignoring (state) (pm2_process_restarts_total{@process} ` + worst + `))`},
				{ref: "D", expr: `max by (#process) (pm2_process_last_exit_code{@process} ` + worst + `)`},
				{ref: "E", expr: `1000 * max by (#process) (pm2_process_last_exit_timestamp_seconds{@process} ` + worst + `)`},
				{ref: "F", expr: `max by (#process) (pm2_process_restarts_total{@process} ` + worst + `)`},
			},
			fields: []field{
				{name: "host", title: text{"Host", "主机"}, width: 110, links: []link{toHost(), toAppOnHost()}},
				{name: "daemon", title: text{"PM2", "PM2"}, width: 70},
				{name: "pm2_namespace", title: text{"Namespace", "命名空间"}, width: 95},
				{name: "app", title: text{"App", "应用"}, width: 150, links: []link{toApp()}},
				{name: "pm_id", title: text{"Id", "编号"}, width: 50},
				{name: "instance_id", title: text{"Index", "序号"}, width: 60},
				{name: "#B", title: text{"PID", "PID"}, unit: unit{"none", 0}, width: 75},
				{name: "state", title: text{"State", "状态"}, width: 95, values: states()},
				cell("F", text{"Restarts", "重启"}, count), cell("D", text{"Exit code", "退出码"}, count), cell("E", text{"Last exit", "上次退出"}, ago),
				{name: "exec_mode", title: text{"Mode", "模式"}, width: 65},
				{name: "interpreter", title: text{"Interpreter", "解释器"}, width: 85},
				{name: "node_version", title: text{"Node.js", "Node.js"}, width: 80},
				{name: "version", title: text{"Version", "版本"}, width: 80},
				{name: "revision", title: text{"Revision", "修订"}, width: 90},
				{name: "memory_source", title: text{"Memory from", "内存来源"}, width: 100},
			},
		},
	}
}

// each is the sum that keeps one process apart, of the ones that stand out at the
// end of the time range.
func each(n int, expr, rank string) string {
	return sprintf(`
sum by (host, instance, pm2_namespace, app, pm_id) (%s)
and
topk(%d, sum by (host, instance, pm2_namespace, app, pm_id) (%s))`, expr, n, rank)
}

func processMemory(o Options) []panel {
	few := func(metric string) string {
		return each(5, metric+`{@process}`, `pm2_process_resident_memory_bytes{@process} @ end()`)
	}
	name := " {{app}} {{pm_id}}"
	return []panel{
		{
			kind: graph, w: 12, h: 9, unit: bytesize, title: text{"Memory", "内存"},
			about:  text{"Memory of the process and its parts; of several processes, of the five with most. The dashed line is the lowest limit at which PM2 restarts one.", "进程内存及其组成；多个进程时取最高的五个。虚线为最低的 PM2 重启上限。"},
			styles: []style{{match: "/(limit|上限)$/", color: red, dashed: true}},
			targets: []target{
				{legend: text{"resident", "常驻"}.in(o.Language) + name, expr: few(`pm2_process_resident_memory_bytes`)},
				{legend: text{"heap allocated", "堆已分配"}.in(o.Language) + name, expr: few(`nodejs_heap_size_total_bytes`)},
				{legend: text{"heap used", "堆已用"}.in(o.Language) + name, expr: few(`nodejs_heap_size_used_bytes`)},
				{legend: text{"heap after collections", "GC 后的堆"}.in(o.Language) + name, expr: few(`nodejs_heap_used_after_gc_bytes`)},
				{legend: text{"outside of the heap", "堆外"}.in(o.Language) + name, expr: few(`nodejs_external_memory_bytes`)},
				{legend: text{"buffers", "缓冲区"}.in(o.Language) + name, expr: few(`nodejs_array_buffers_bytes`)},
				{legend: text{"limit", "上限"}.in(o.Language), expr: `min(pm2_process_memory_limit_bytes{@process})`},
			},
		},
		{
			kind: graph, w: 6, h: 9, unit: bytesize, title: text{"Growth of the heap per hour", "堆每小时增长"},
			about: text{"Slope of what collections leave, over two hours, of the ten processes where it is steepest. Above 0 for hours is a leak; a cache that fills grows too, and stops.", "两小时内 GC 后堆的斜率，取最陡的十个进程。持续数小时大于 0 为泄漏；缓存填充也会增长，但会停止。"},
			empty: text{"no pm25-ext", "无 pm25-ext"},
			targets: []target{{legend: "{{app}} {{pm_id}}", expr: `3600 * (` + each(10,
				`deriv(nodejs_heap_used_after_gc_bytes{@process}[2h])`, `deriv(nodejs_heap_used_after_gc_bytes{@process}[2h] @ end())`) + `)`}},
		},
		{
			kind: table, w: 6, h: 9, unit: count, title: text{"Time until the limit", "距上限的时间"}, sort: "#A",
			about: text{"When memory reaches the limit of PM2 or of the heap if it grows on as in the last hour; the 20 soonest.", "按最近一小时的增长速度，内存何时达到 PM2 上限或堆上限；取最近的 20 个。"},
			empty: text{"nothing grows", "没有增长"},
			targets: []target{{expr: `
bottomk(20,
  min by (#process) (
    (pm2_process_memory_limit_bytes{@process} - pm2_process_resident_memory_bytes{@process})
    / (deriv(pm2_process_resident_memory_bytes{@process}[1h]) > 0)
    or
    (nodejs_heap_size_limit_bytes{@process} - nodejs_heap_size_used_bytes{@process})
    / (deriv(nodejs_heap_size_used_bytes{@process}[1h]) > 0)
  )
)`}},
			fields: []field{
				{name: "pm2_namespace", title: text{"Namespace", "命名空间"}, width: 95},
				{name: "app", title: text{"App", "应用"}, width: 110, links: []link{toProcess()}},
				{name: "pm_id", title: text{"Id", "编号"}, width: 50},
				{name: "#A", title: text{"Time left", "剩余时间"}, width: 105, unit: unit{"s", 0}, steps: []step{{0, red}, {3600, orange}, {43200, green}}, plain: true},
			},
		},
	}
}

func processLoop(o Options) []panel {
	t := o.Thresholds
	legend := "{{host}} {{app}} {{pm_id}}"
	noExt := text{"no pm25-ext", "无 pm25-ext"}
	return []panel{
		{
			kind: graph, w: 8, h: 8, unit: share, top: ptr(1.0), limits: true, steps: worse(t.EventLoopUtilization, t.EventLoopUtilizationCritical), empty: noExt,
			title:   text{"Event loop by process", "各进程事件循环利用率"},
			about:   text{"Share of time in which the event loop is busy, of the ten processes where it is highest.", "事件循环忙碌的时间占比，取最高的十个进程。"},
			targets: []target{{legend: legend, expr: loopInUse(`{@process}`) + "\nand\ntopk(10, " + loopInUseAtEnd(`{@process}`) + ")"}},
		},
		{
			kind: graph, w: 8, h: 8, unit: seconds, limits: true, steps: worse(t.EventLoopBlockedSeconds/5, t.EventLoopBlockedSeconds), empty: noExt,
			title:   text{"Longest block of the event loop", "事件循环最长阻塞"},
			about:   text{"Longest time within a minute that something kept the event loop, of the ten processes where it is longest. Percentiles do not show these.", "一分钟内事件循环被占用的最长时间，取最长的十个进程。百分位看不到这些阻塞。"},
			targets: []target{{legend: legend, expr: each(10, `nodejs_eventloop_delay_max_seconds{@process}`, `nodejs_eventloop_delay_max_seconds{@process} @ end()`)}},
		},
		{
			kind: graph, w: 8, h: 8, unit: seconds, empty: noExt, title: text{"Usual delay of the event loop (p99)", "事件循环通常延迟（p99）"},
			about:   text{"99th percentile of the event loop's delay over five seconds, of the ten processes where it is highest.", "五秒内事件循环延迟的 99 百分位，取最高的十个进程。"},
			targets: []target{{legend: legend, expr: each(10, `nodejs_eventloop_lag_p99_seconds{@process}`, `nodejs_eventloop_lag_p99_seconds{@process} @ end()`)}},
		},
		{
			kind: graph, w: 8, h: 8, unit: share, stacked: true, title: text{"CPU by mode", "按模式的 CPU"},
			about: text{"Share of one CPU by mode, and that of child processes; of several processes together.", "按模式统计的单核占用比例及子进程占用；多个进程时合计。"},
			targets: []target{
				{legend: "{{mode}}", expr: `sum by (mode) (rate(pm2_process_cpu_seconds_total{@process}[$__rate_interval]))`},
				{legend: text{"children", "子进程"}.in(o.Language), expr: `sum(rate(pm2_process_children_cpu_seconds_total{@process}[$__rate_interval]))`},
			},
		},
		{
			kind: graph, w: 8, h: 8, unit: share, limits: true, steps: look(t.GCRatio), empty: noExt, title: text{"Time in garbage collection", "GC 时间占比"},
			about: text{"Share of time that collections take, of the ten processes where it is highest. Above the line the process works for its memory more than for users.", "GC 占用的时间比例，取最高的十个进程。超过虚线说明进程过多地忙于内存。"},
			targets: []target{{legend: legend, expr: each(10,
				`rate(nodejs_gc_duration_seconds_sum{@process}[$__rate_interval])`, `rate(nodejs_gc_duration_seconds_sum{@process}[10m] @ end())`)}},
		},
		{
			kind: graph, w: 8, h: 8, unit: seconds, empty: noExt, title: text{"Mean pause by kind of collection", "各类 GC 的平均停顿"},
			about: text{"Mean duration of collections by kind, over the chosen processes.", "所选进程各类 GC 的平均停顿时间。"},
			targets: []target{{legend: "{{kind}}", expr: `
sum by (kind) (rate(nodejs_gc_duration_seconds_sum{@process}[$__rate_interval]))
/
(sum by (kind) (rate(nodejs_gc_duration_seconds_count{@process}[$__rate_interval])) > 0)`}},
		},
	}
}

func processRest() []panel {
	legend := "{{host}} {{app}} {{pm_id}}"
	one := func(metric string, title, about text) panel {
		return panel{
			kind: graph, w: 8, h: 7, unit: count, title: title, about: about,
			targets: []target{{legend: legend, expr: each(10, metric+`{@process}`, metric+`{@process} @ end()`)}},
		}
	}
	children := one(`pm2_process_children_resident_memory_bytes`, text{"Memory of children", "子进程内存"}, text{"Resident memory of descendants, of the ten processes with most. For `script: npm` this is the app.", "后代进程的常驻内存，取最高的十个。`script: npm` 时即为应用本身。"})
	children.unit = bytesize
	return []panel{
		one(`pm2_process_open_fds`, text{"Open files", "打开的文件"}, text{"Open file descriptors, of the ten processes with most. What only grows is a leak of sockets or files.", "打开的文件描述符，取最多的十个进程。只增不减为套接字或文件泄漏。"}),
		one(`nodejs_active_handles`, text{"Active handles", "活动句柄"}, text{"Handles that keep the process alive: sockets, timers, servers; of the ten processes with most.", "使进程保持存活的句柄（套接字、定时器、服务器），取最多的十个进程。"}),
		one(`nodejs_active_requests`, text{"Requests to the system", "系统请求"}, text{"Requests to the system that are under way, of the ten processes with most.", "进行中的系统请求，取最多的十个进程。"}),
		one(`pm2_process_threads`, text{"Threads", "线程"}, text{"Threads, of the ten processes with most.", "线程数，取最多的十个进程。"}),
		one(`pm2_process_children`, text{"Children", "子进程"}, text{"Living descendants, of the ten processes with most.", "存活的后代进程数，取最多的十个进程。"}),
		children,
		{
			kind: table, w: 24, h: 8, unit: count, title: text{"What apps publish", "应用自定义指标"}, sort: "name",
			about:   text{"Values that apps publish through @pm2/io, up to 300.", "应用通过 @pm2/io 发布的指标，最多 300 个。"},
			empty:   text{"nothing published", "没有发布"},
			targets: []target{{expr: `topk(300, max by (#process, name, unit) (pm2_custom_metric{@process}))`}},
			fields: []field{
				{name: "host", title: text{"Host", "主机"}},
				{name: "app", title: text{"App", "应用"}},
				{name: "pm_id", title: text{"Id", "编号"}, width: 60},
				{name: "name", title: text{"Name", "名称"}},
				cell("A", text{"Value", "值"}, fraction),
				{name: "unit", title: text{"Unit", "单位"}},
			},
		},
	}
}

func processLog() panel {
	return panel{
		kind: lines, w: 12, h: 10, unit: plainText, title: text{"Starts, ends and deploys", "启动、退出与发布"},
		about:   text{"What happened to the chosen processes, the newest first: each line with its reason and code.", "所选进程发生的事件，最新在前：每行含原因和退出码。"},
		empty:   text{"nothing happened", "没有事件"},
		targets: []target{{loki: true, expr: `{kind=~"exit|start|restart|stop|reload|delete|deploy", @app} | pm_id=~"$pm_id"`}},
	}
}
