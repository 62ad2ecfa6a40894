package dashboards

// Panels of records that several boards have.

// title of an exception: its first line, with digits taken out so that one group
// has few of them.
const titleLabel = "label_format title=`{{ trunc 110 (regexReplaceAllLiteral \"[0-9]+\" (regexReplaceAllLiteral \"(?s)\\n.*\" __line__ \"\") \"#\") }}`"

// topExceptions lists what is thrown most. Counts are of occurrences: each record
// says for how many it stands. The label title is of the record that was most
// frequent; its query returns one for each group.
func topExceptions(w, h uint32) panel {
	return panel{
		kind: table, w: w, h: h, unit: count, title: text{"What is thrown most", "最多的异常"}, sort: "-#A",
		about: text{
			"The 25 exception groups with most occurrences in the time range. PM25's page of exceptions has their stacks, and resolves or mutes them.",
			"时间范围内次数最多的 25 个异常分组。PM25 的异常页面提供堆栈，并可标记解决或静音。",
		},
		empty: text{"no exceptions", "无异常"},
		targets: []target{{loki: true, expr: `
topk(25, sum by (bucket, pm2_namespace, app, fingerprint) (sum_over_time({kind="exception", @app} | unwrap occurrences [$__range])))
* on (bucket, pm2_namespace, app, fingerprint) group_right ()
(
  topk by (bucket, pm2_namespace, app, fingerprint) (1,
    sum by (bucket, pm2_namespace, app, fingerprint, title) (count_over_time({kind="exception", @app} | ` + titleLabel + ` [$__range]))
  )
  > bool 0
)`}},
		fields: []field{
			{name: "bucket", title: text{"Bucket", "分组"}, width: 110},
			{name: "pm2_namespace", title: text{"Namespace", "命名空间"}, width: 110},
			{name: "app", title: text{"App", "应用"}, width: 160, links: []link{toExceptions(), toApp()}},
			{name: "title", title: text{"Exception", "异常"}},
			{name: "#A", title: text{"Times", "次数"}, unit: count, width: 90},
			{name: "fingerprint", title: text{"Fingerprint", "指纹"}, width: 140},
		},
	}
}

// exceptionLog shows exceptions with their stacks.
func exceptionLog(w, h uint32) panel { return exceptionLogOf(``, w, h) }

func exceptionLogOf(filter string, w, h uint32) panel {
	return panel{
		kind: lines, w: w, h: h, unit: plainText, title: text{"Exceptions with their stacks", "异常及堆栈"},
		about:   text{"Exceptions, the newest first. A line opens to its stack, version, route and fingerprint.", "异常，最新在前。展开可见堆栈、版本、路由和指纹。"},
		empty:   text{"no exceptions", "无异常"},
		targets: []target{{loki: true, expr: `{kind="exception", @app} ` + filter}},
	}
}

// lifeLog shows what happened to processes.
func lifeLog(w, h uint32) panel {
	return panel{
		kind: lines, w: w, h: h, unit: plainText, title: text{"Starts, ends and deploys", "启动、退出与发布"},
		about:   text{"What happened to processes, the newest first: each end with its reason and code, each deploy with its version.", "进程事件，最新在前：每次退出含原因和退出码，每次发布含版本。"},
		empty:   text{"nothing happened", "没有事件"},
		targets: []target{{loki: true, expr: `{kind=~"exit|start|restart|stop|reload|delete|deploy", @app}`}},
	}
}
