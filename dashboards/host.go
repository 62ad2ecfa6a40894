package dashboards

// host is one host, or those that are chosen: what it has, what uses it, and all of
// its processes.
func host(o Options) board {
	return board{
		uid: hostUID, title: titleOf(hostUID), variables: toHosts, annotations: marksOfMany,
		about: text{
			"A host with its PM2 daemons and all of their processes, also those that are stopped or errored. With several hosts chosen, the first row shows the worst of them.",
			"一台主机及其 PM2 守护进程和全部进程（含已停止和错误的）。选择多台主机时，第一行显示其中最差的值。",
		},
		rows: []row{
			{title: text{"Now", "当前"}, panels: hostNow(o)},
			{title: text{"Processes", "进程"}, panels: []panel{processTable(o)}},
			{title: text{"What uses it", "资源占用"}, panels: hostUse(o)},
			{title: text{"Disks, logs and PM2", "磁盘、日志与 PM2"}, panels: hostRest(o)},
		},
	}
}

func hostNow(o Options) []panel {
	t := o.Thresholds
	return []panel{
		{
			kind: stat, w: 3, h: 4, unit: count, values: upOrDown(), steps: bad1(), title: text{"Agent", "Agent"},
			about:   text{"Whether the agent answers. Down: the host, the network or pm25-agent is.", "agent 是否响应。宕机：主机、网络或 pm25-agent 异常。"},
			empty:   text{"no such target", "无此目标"},
			targets: []target{{expr: `min(up{@agents})`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: count, values: upOrDown(), steps: bad1(), title: text{"PM2", "PM2"},
			about:   text{"Whether each PM2 daemon answers.", "每个 PM2 守护进程是否响应。"},
			targets: []target{{expr: `min(pm2_up{@target})`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: count, steps: bad(once), title: text{"Errored", "错误"},
			about:   text{"Processes that PM2 has given up on.", "PM2 已放弃重启的进程。"},
			targets: []target{{expr: `sum(pm2_process_state{@target, state="errored"})`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: count, title: text{"Online", "在线进程"},
			about:   text{"Processes that are online.", "在线进程数。"},
			targets: []target{{expr: `sum(pm2_process_state{@target, state="online"})`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: fraction, steps: worse(t.HostLoadPerCPU/2, t.HostLoadPerCPU), spark: true, title: text{"Load per CPU", "每核负载"},
			about:   text{"Load of 15 minutes for each CPU.", "15 分钟负载除以 CPU 数。"},
			targets: []target{{expr: `max(pm2_host_load15{@target} / pm2_host_cpus{@target})`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: share, steps: atLeast(t.HostMemoryAvailableRatio, 2*t.HostMemoryAvailableRatio), spark: true, title: text{"Memory available", "可用内存"},
			about:   text{"Share of the host's memory that is available without swapping.", "无需交换即可使用的内存占比。"},
			targets: []target{{expr: `min(pm2_host_memory_available_bytes{@target} / pm2_host_memory_total_bytes{@target})`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: share, steps: atLeast(t.DiskAvailableRatio, 2*t.DiskAvailableRatio), title: text{"Disk free", "磁盘可用"},
			about:   text{"Free share of the fullest file system that holds a PM2 home or logs.", "存放 PM2 数据或日志的最满文件系统的可用占比。"},
			targets: []target{{expr: `min(pm2_host_filesystem_avail_bytes{@target} / pm2_host_filesystem_size_bytes{@target})`}},
		},
		{
			kind: stat, w: 3, h: 4, unit: unit{"s", 0}, title: text{"Uptime", "运行时间"},
			about:   text{"Time since the host booted; the shortest of several.", "主机开机以来的时间；多台时取最短。"},
			targets: []target{{expr: `time() - max(pm2_host_boot_time_seconds{@target})`}},
		},
	}
}

// worst chooses the processes that a table shows where there are too many: those
// that do not run first, then those with most restarts.
const worst = `and topk(200,
  pm2_process_restarts_total{@process} + 1e6 * max without (state) (pm2_process_state{@process, state!="online"})
)`

const worstByProcess = `and on (#process) topk(200,
  max by (#process) (
    pm2_process_restarts_total{@process} + 1e6 * max without (state) (pm2_process_state{@process, state!="online"})
  )
)`

// ofApp spreads a value of an app over its processes, which is what their rows show.
func ofApp(value string) string {
	return `
max by (#process) (
  0 * pm2_process_restarts_total{@process} + on (job, instance, daemon, pm2_namespace, app) group_left ()
  ` + value + `
)
` + worstByProcess
}

// processTable has a row for each process, whatever its state.
func processTable(o Options) panel {
	t := o.Thresholds
	return panel{
		kind: table, w: 24, h: 13, unit: count, title: text{"Processes", "进程"}, sort: "-#C",
		about: text{
			"Each process that PM2 lists, also those that are stopped or errored; of more than 200 those that do not run, and then those with most restarts. Exceptions and requests are counted for each app on its host: rows of the same app show the same.",
			"PM2 列出的每个进程，包括已停止和错误的；超过 200 个时优先显示未运行的，其次是重启最多的。异常和请求按主机上的应用计数：同一应用的各行数值相同。",
		},
		targets: []target{
			{ref: "A", expr: `max by (#process, state) ((pm2_process_state{@process} == 1) and ignoring (state) (pm2_process_restarts_total{@process} ` + worst + `))`},
			{ref: "B", expr: `max by (#process) (pm2_process_pid{@process} ` + worst + `)`},
			{ref: "C", expr: `max by (#process) (pm2_process_restarts_total{@process} ` + worst + `)`},
			{ref: "D", expr: `1000 * max by (#process) (pm2_process_start_time_seconds{@process} ` + worst + `)`},
			{ref: "E", expr: `sum by (#process) (rate(pm2_process_cpu_seconds_total{@process}[5m])) ` + worstByProcess},
			{ref: "F", expr: `max by (#process) (pm2_process_resident_memory_bytes{@process} ` + worst + `)`},
			{ref: "G", expr: ofApp(`sum by (job, instance, daemon, pm2_namespace, app) (increase(pm2_app_exceptions_total{@app}[$__range]))`)},
			{ref: "H", expr: ofApp(`sum by (job, instance, daemon, pm2_namespace, app) (` + appRequests + `{@app})`)},
			{ref: "I", expr: `max by (#process) (pm2_process_last_exit_code{@process} ` + worst + `)`},
		},
		fields: []field{
			{name: "host", title: text{"Host", "主机"}, links: []link{toProcessOnHost(), toAppOnHost()}},
			{name: "daemon", title: text{"PM2", "PM2"}, width: 90},
			{name: "pm2_namespace", title: text{"Namespace", "命名空间"}, width: 110},
			{name: "app", title: text{"App", "应用"}, width: 170, links: []link{toProcess(), toApp(), toExceptions()}},
			{name: "pm_id", title: text{"Id", "编号"}, width: 60, links: []link{toProcess()}},
			{name: "#B", title: text{"PID", "PID"}, unit: unit{"none", 0}, width: 90},
			{name: "state", title: text{"State", "状态"}, width: 120, values: states()},
			cell("C", text{"Restarts", "重启"}, count, look(once)...),
			cell("D", text{"Started", "启动"}, ago),
			{name: "#E", title: text{"CPU", "CPU"}, unit: share, steps: look(t.CPURatio), plain: true},
			cell("F", text{"Memory", "内存"}, bytesize),
			cell("G", text{"App's exceptions", "应用异常"}, count, look(once)...),
			cell("H", text{"App's requests", "应用请求"}, requestsS),
			cell("I", text{"Last exit code", "上次退出码"}, count),
		},
	}
}

// states are those of PM2, as everywhere on the boards.
func states() []value {
	return []value{
		{is: "online", text: text{"online", "在线"}, color: green},
		{is: "launching", text: text{"launching", "启动中"}, color: blue},
		{is: "stopping", text: text{"stopping", "停止中"}, color: blue},
		{is: "stopped", text: text{"stopped", "已停止"}, color: gray},
		{is: "errored", text: text{"errored", "错误"}, color: red},
		{is: "waiting_restart", text: text{"waiting restart", "等待重启"}, color: orange},
		{is: "one_launch", text: text{"one launch", "单次启动"}, color: blue},
		{is: "other", text: text{"other", "其他"}, color: orange},
	}
}

func hostUse(o Options) []panel {
	t := o.Thresholds
	return []panel{
		{
			kind: graph, w: 12, h: 8, unit: fraction, stacked: true, title: text{"CPUs by app", "各应用的 CPU"}, links: []link{toApp()},
			about:  text{"CPUs that the ten apps which use most keep busy, stacked; the dashed line is how many there are.", "占用 CPU 最多的十个应用（堆叠）；虚线为 CPU 总数。"},
			styles: []style{{match: "/^(CPUs|CPU 总数)$/", color: gray, dashed: true}},
			targets: []target{
				{legend: "{{app}}", expr: `
sum by (pm2_namespace, app) (` + appCPU + `{@target})
and
topk(10, sum by (pm2_namespace, app) (` + appCPU + `{@target} @ end()))`},
				{legend: text{"CPUs", "CPU 总数"}.in(o.Language), expr: `sum(pm2_host_cpus{@target})`},
			},
		},
		{
			kind: graph, w: 12, h: 8, unit: bytesize, stacked: true, title: text{"Memory by app", "各应用的内存"}, links: []link{toApp()},
			about:  text{"Resident memory of the ten apps that use most, stacked; the dashed line is all that the host has in use.", "内存使用最多的十个应用（堆叠）；虚线为主机已用内存。"},
			styles: []style{{match: "/^(in use|已用)$/", color: gray, dashed: true}},
			targets: []target{
				{legend: "{{app}}", expr: `
sum by (pm2_namespace, app) (` + appMemory + `{@target})
and
topk(10, sum by (pm2_namespace, app) (` + appMemory + `{@target} @ end()))`},
				{legend: text{"in use", "已用"}.in(o.Language), expr: `sum(pm2_host_memory_total_bytes{@target} - pm2_host_memory_available_bytes{@target})`},
			},
		},
		{
			kind: graph, w: 12, h: 8, unit: fraction, limits: true, steps: worse(t.HostLoadPerCPU/2, t.HostLoadPerCPU), title: text{"Load per CPU by host", "各主机每核负载"},
			about: text{"Load of one minute for each CPU, of the ten hosts where it is highest.", "一分钟负载除以 CPU 数，取最高的十台主机。"}, links: []link{toHost()},
			targets: []target{{legend: "{{host}} {{instance}}", expr: `
sum by (host, instance) (pm2_host_load1{@target} / pm2_host_cpus{@target})
and
topk(10, sum by (host, instance) (pm2_host_load1{@target} @ end() / pm2_host_cpus{@target} @ end()))`}},
		},
		{
			kind: graph, w: 12, h: 8, unit: share, top: ptr(1.0), limits: true, title: text{"Memory in use by host", "各主机内存使用率"}, links: []link{toHost()},
			steps: worse(1-2*t.HostMemoryAvailableRatio, 1-t.HostMemoryAvailableRatio),
			about: text{"Share of the host's memory that is in use, of the ten hosts where it is highest.", "已用内存占比，取最高的十台主机。"},
			targets: []target{{legend: "{{host}} {{instance}}", expr: `
1 - (
  sum by (host, instance) (pm2_host_memory_available_bytes{@target} / pm2_host_memory_total_bytes{@target})
  and
  bottomk(10, sum by (host, instance) (pm2_host_memory_available_bytes{@target} @ end() / pm2_host_memory_total_bytes{@target} @ end()))
)`}},
		},
	}
}

func hostRest(o Options) []panel {
	t := o.Thresholds
	return []panel{
		{
			kind: graph, w: 8, h: 8, unit: share, top: ptr(1.0), limits: true, steps: atLeast(t.DiskAvailableRatio, 2*t.DiskAvailableRatio),
			title: text{"Disk free by mount", "各挂载点磁盘可用"},
			about: text{"Free share of the file systems that hold PM2's homes or logs, of the ten fullest.", "存放 PM2 数据或日志的文件系统可用占比，取最满的十个。"},
			targets: []target{{legend: "{{host}} {{instance}} {{mountpoint}}", expr: `
sum by (host, instance, mountpoint) (pm2_host_filesystem_avail_bytes{@target} / pm2_host_filesystem_size_bytes{@target})
and
bottomk(10, sum by (host, instance, mountpoint) (pm2_host_filesystem_avail_bytes{@target} @ end() / pm2_host_filesystem_size_bytes{@target} @ end()))`}},
		},
		{
			kind: bars, w: 8, h: 8, unit: bytesize, steps: bad(t.LogFileBytes), title: text{"Largest logs", "最大的日志"},
			about:   text{"Log files of the ten apps whose are largest. Red: rotation does not hold them (pm2-logrotate).", "日志文件最大的十个应用。红色：未被轮转（pm2-logrotate）控制。"},
			targets: []target{{legend: "{{host}} {{app}}", expr: `topk(10, sum by (host, pm2_namespace, app) (pm2_app_log_file_bytes{@target}))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: perSecond, title: text{"Log lines by app", "各应用的日志行"},
			about: text{"Lines that apps write a second, to standard output and error, of the ten that write most.", "每秒写出的日志行数（标准输出与错误），取最多的十个应用。"},
			targets: []target{{legend: "{{app}}", expr: `
sum by (app) (rate(pm2_app_log_lines_total{@target}[$__rate_interval]))
and
topk(10, sum by (app) (rate(pm2_app_log_lines_total{@target}[10m] @ end())))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: share, title: text{"CPU of PM2 itself", "PM2 自身的 CPU"},
			about: text{"Share of one CPU that PM2 daemons use, of the ten that use most. PM2 that is busy answers late and restarts late.", "PM2 守护进程占用单核的比例，取最高的十个。PM2 繁忙时响应和重启都会变慢。"},
			targets: []target{{legend: "{{host}} {{instance}} {{daemon}}", expr: `
sum by (host, instance, daemon) (rate(pm2_daemon_cpu_seconds_total{@target}[$__rate_interval]))
and
topk(10, sum by (host, instance, daemon) (rate(pm2_daemon_cpu_seconds_total{@target}[10m] @ end())))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: bytesize, title: text{"Memory of PM2 itself", "PM2 自身的内存"},
			about: text{"Resident memory of PM2 daemons, of the ten that use most.", "PM2 守护进程的常驻内存，取最高的十个。"},
			targets: []target{{legend: "{{host}} {{instance}} {{daemon}}", expr: `
sum by (host, instance, daemon) (pm2_daemon_resident_memory_bytes{@target})
and
topk(10, sum by (host, instance, daemon) (pm2_daemon_resident_memory_bytes{@target} @ end()))`}},
		},
		{
			kind: table, w: 8, h: 8, unit: count, title: text{"PM2 daemons and versions", "PM2 守护进程及版本"}, sort: "daemon",
			about:   text{"PM2 daemons with their versions, of up to 200.", "PM2 守护进程及版本，最多 200 个。"},
			targets: []target{{expr: `topk(200, max by (#daemon, version, node_version) (pm2_daemon_info{@target}))`}},
			fields: []field{
				{name: "host", title: text{"Host", "主机"}},
				{name: "daemon", title: text{"PM2", "PM2"}},
				{name: "version", title: text{"Version", "版本"}},
				{name: "node_version", title: text{"Node.js", "Node.js"}},
			},
		},
	}
}
