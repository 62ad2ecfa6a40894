package dashboards

// exceptions is what apps throw, and all else that they and PM2 tell of.
func exceptions(o Options) board {
	return board{
		uid: exceptionsUID, title: titleOf(exceptionsUID), variables: toApps, annotations: marksOfMany, from: "now-24h",
		about: text{
			"What apps throw: how much, what is new, since which version, on which hosts, with stacks; and what else happened. Needs PM25's server, or a Loki with its records, as second data source.",
			"应用抛出的异常：数量、新出现的、从哪个版本开始、在哪些主机、堆栈；以及其他事件。需要 PM25 服务器（或存有其记录的 Loki）作为第二数据源。",
		},
		rows: []row{
			{title: text{"Now", "当前"}, panels: exceptionsNow()},
			{title: text{"What, since when, who else", "是什么、从何时、还有谁"}, panels: append([]panel{newGroups(), topExceptions(24, 7)}, exceptionGraphs(o)...)},
			{title: text{"Records", "记录"}, panels: exceptionRecords()},
		},
	}
}

func exceptionsNow() []panel {
	groups := func(title, about text, steps []step, states string) panel {
		return panel{
			kind: stat, w: 4, h: 4, unit: count, steps: steps, title: title, about: about, empty: text{"no server", "无服务器"},
			targets: []target{{expr: `sum(pm25_server_exception_groups{state=~"` + states + `"})`}},
		}
	}
	return []panel{
		{
			kind: stat, w: 4, h: 4, unit: count, steps: look(once), title: text{"Exceptions in 5 min", "5 分钟内异常"},
			about:   text{"Exceptions of the chosen apps in five minutes, handled and not.", "所选应用五分钟内的异常，含已处理和未处理。"},
			targets: []target{{expr: `sum(increase(pm2_app_exceptions_total{@app}[5m]))`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: count, steps: bad(once), title: text{"Not handled", "未处理"},
			about:   text{"Uncaught exceptions and unhandled rejections in five minutes: these end processes.", "五分钟内未捕获的异常和未处理的 rejection：会导致进程退出。"},
			targets: []target{{expr: `sum(increase(pm2_app_exceptions_total{@app, handled="false"}[5m]))`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: count, steps: look(once), title: text{"New within 1 h", "1 小时内新出现"},
			about:   text{"Exception groups of the chosen apps that were seen first, or came back after they were resolved, within the last hour.", "所选应用最近一小时内首次出现或复发的异常分组。"},
			targets: []target{{expr: `count(pm25_server_new_exception_group_info{@service}) or vector(0)`}},
		},
		groups(text{"Regressed groups", "复发分组"}, text{"Groups that somebody resolved and that were seen again, of all apps.", "已标记解决后再次出现的分组（所有应用）。"}, bad(once), "regressed"),
		groups(text{"Open groups", "未解决分组"}, text{"Groups that are new, ongoing or regressed, of all apps.", "新出现、持续和复发的分组（所有应用）。"}, nil, "new|ongoing|regressed"),
		groups(text{"Muted groups", "静音分组"}, text{"Groups that somebody muted, of all apps.", "已静音的分组（所有应用）。"}, nil, "muted"),
	}
}

func newGroups() panel {
	return panel{
		kind: table, w: 24, h: 6, unit: count, title: text{"New and regressed within 1 h", "1 小时内新出现与复发"}, sort: "app",
		about:   text{"Exception groups that were seen first or came back within the last hour, at most 100.", "最近一小时内首次出现或复发的异常分组，最多 100 个。"},
		empty:   text{"nothing new", "没有新异常"},
		targets: []target{{expr: `max by (bucket, pm2_namespace, app, group, state, title) (pm25_server_new_exception_group_info{@service})`}},
		fields: []field{
			{name: "state", title: text{"State", "状态"}, width: 90, values: []value{
				{is: "new", text: text{"new", "新出现"}, color: orange}, {is: "regressed", text: text{"regressed", "复发"}, color: red},
			}},
			{name: "pm2_namespace", title: text{"Namespace", "命名空间"}, width: 100},
			{name: "app", title: text{"App", "应用"}, width: 140, links: []link{toExceptions(), toApp()}},
			{name: "title", title: text{"Exception", "异常"}},
			{name: "group", title: text{"Group", "分组编号"}, width: 140},
		},
	}
}

func exceptionGraphs(o Options) []panel {
	none := text{"no exceptions", "无异常"}
	return []panel{
		{
			kind: graph, w: 12, h: 8, unit: count, columns: true, empty: none, title: text{"Exceptions by app", "各应用的异常"}, links: []link{toExceptions()},
			about: text{"The ten apps with most exceptions in the time range.", "时间范围内异常最多的十个应用。"},
			targets: []target{{legend: "{{pm2_namespace}}/{{app}}", expr: `
sum by (pm2_namespace, app) (increase(pm2_app_exceptions_total{@app}[$__rate_interval]))
and
topk(10, sum by (pm2_namespace, app) (increase(pm2_app_exceptions_total{@app}[$__range] @ end())) > 0)`}},
		},
		{
			kind: graph, w: 12, h: 8, unit: count, columns: true, empty: none, title: text{"Handled or not", "是否已处理"},
			about:  text{"Exceptions by whether the app handled them. Those that it did not end the process.", "按应用是否处理统计的异常；未处理的会使进程退出。"},
			styles: []style{{match: "/^(not handled|未处理)$/", color: red}, {match: "/^(handled|已处理)$/", color: blue}},
			targets: []target{
				{legend: text{"not handled", "未处理"}.in(o.Language), expr: `sum(increase(pm2_app_exceptions_total{@app, handled="false"}[$__rate_interval]))`},
				{legend: text{"handled", "已处理"}.in(o.Language), expr: `sum(increase(pm2_app_exceptions_total{@app, handled="true"}[$__rate_interval]))`},
			},
		},
		{
			kind: graph, w: 12, h: 8, unit: count, columns: true, empty: none, title: text{"Which release", "哪个版本"},
			about:   text{"Exceptions by the version that threw them, of the 20 with most: whether a deploy brought them.", "按抛出版本统计的异常（最多 20 个）：是否由某次发布引入。"},
			targets: []target{{loki: true, legend: "{{app}} {{version}}", expr: `topk(20, sum by (app, version) (sum_over_time({kind="exception", @app} | unwrap occurrences [$__auto])))`}},
		},
		{
			kind: bars, w: 12, h: 8, unit: count, empty: none, title: text{"Who else", "还有谁"},
			about:   text{"Hosts by the exceptions of the chosen apps in the time range, of the 12 with most. One host alone: the cause is on the host; all of them: it is in the app or behind it.", "时间范围内各主机的异常数，取最多的 12 台。只有一台：问题在主机；全部都有：问题在应用或其依赖。"},
			targets: []target{{loki: true, legend: "{{host}}", expr: `topk(12, sum by (host) (sum_over_time({kind="exception", @app} | unwrap occurrences [$__range])))`}},
		},
	}
}

func exceptionRecords() []panel {
	return []panel{
		exceptionLog(12, 12),
		{
			kind: lines, w: 12, h: 12, unit: plainText, title: text{"Groups that changed state", "分组状态变化"}, empty: text{"no change", "无变化"},
			about:   text{"When groups appeared, came back, were resolved or muted, and by whom.", "分组何时出现、复发、被解决或静音，以及由谁操作。"},
			targets: []target{{loki: true, expr: `{kind="group", @service}`}},
		},
		lifeLog(12, 10),
		{
			kind: lines, w: 12, h: 10, unit: plainText, title: text{"Events of apps", "应用事件"}, empty: text{"no events", "无事件"},
			about:   text{"Events that apps send themselves, through pm25-ext or PM2's bus.", "应用通过 pm25-ext 或 PM2 总线自行发送的事件。"},
			targets: []target{{loki: true, expr: `{kind="event", @app}`}},
		},
	}
}
