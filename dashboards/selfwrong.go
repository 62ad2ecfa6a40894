package dashboards

import "strings"

// wrong is something that PM25 counts, and that should not happen.
type wrong struct {
	what   text
	metric string
	detail string // the label that says more, if any
	where  string // what of it: of agents that are chosen, or of any server
}

func wrongs() []wrong {
	const agent = "@target"
	return []wrong{
		{text{"left out by an agent", "agent 丢弃"}, "pm25_agent_dropped_total", "what", agent + `, what!="log_text"`},
		{text{"collector too slow", "采集器超时"}, "pm25_agent_collector_timeouts_total", "collector", agent},
		{text{"PM2 not reached", "无法连接 PM2"}, "pm25_agent_connect_failures_total", "daemon", agent},
		{text{"request to PM2 failed", "对 PM2 的请求失败"}, "pm25_agent_request_failures_total", "daemon", agent},
		{text{"word of PM2 not understood", "PM2 消息无法解析"}, "pm25_agent_decode_errors_total", "daemon", agent},
		{text{"agent's state not kept", "agent 状态未保存"}, "pm25_agent_state_errors_total", "", agent},
		{text{"push without a receipt", "推送未获确认"}, "pm25_agent_ship_retries_total", "reason", agent},
		{text{"record dropped by an agent", "agent 丢弃的记录"}, "pm25_agent_ship_dropped_total", "reason", agent},
		{text{"record refused for good", "被永久拒绝的记录"}, "pm25_agent_ship_dead_letters_total", "reason", agent},
		{text{"push not taken", "推送被拒绝"}, "pm25_server_push_rejected_total", "reason", ""},
		{text{"record not kept", "记录未保存"}, "pm25_server_records_refused_total", "reason", ""},
		{text{"record of the own agent dropped", "本机 agent 的记录被丢弃"}, "pm25_server_local_dropped_total", "kind", ""},
		{text{"store failed", "存储失败"}, "pm25_server_store_failures_total", "operation", ""},
		{text{"query refused", "查询被拒绝"}, "pm25_server_queries_refused_total", "", ""},
		{text{"live tail cut off", "实时跟踪被中断"}, "pm25_server_tails_cut_off_total", "", ""},
		{text{"rule failed", "规则失败"}, "prometheus_rule_evaluation_failures_total", "rule_group", ""},
	}
}

// counted are all of them within a window, by some labels and by what went wrong.
func counted(o Options, window string, labels ...string) string {
	var all []string
	for _, w := range wrongs() {
		by, series := labels, w.metric
		if w.where != "" {
			series += `{` + w.where + `}`
		}
		if w.detail != "" && len(labels) > 0 {
			by = append([]string{w.detail}, labels...)
		}
		one := `sum by (` + strings.Join(by, ", ") + `) (increase(` + series + `[` + window + `])) >= ` + number(once)
		if w.detail != "" && len(labels) > 0 {
			one = `label_join(` + one + `, "detail", "", "` + w.detail + `")`
		}
		all = append(all, `label_replace(`+one+`, "problem", "`+w.what.in(o.Language)+`", "", "")`)
	}
	return strings.Join(all, "\nor\n")
}

var allWell = text{"nothing went wrong", "一切正常"}

// whatWentWrong is empty while all is well.
func whatWentWrong(o Options) panel {
	return panel{
		kind: table, w: 12, h: 8, unit: count, title: text{"What PM25 lost, refused or failed to do", "PM25 丢失、拒绝或失败的操作"}, sort: "-#A", empty: allWell,
		about: text{
			"What was left out, dropped, refused or failed in the time range, and where; empty while all is well. The last row of the board has each over time.",
			"时间范围内被丢弃、拒绝或失败的操作及其位置；正常时为空。看板最后一行提供随时间变化的明细。",
		},
		targets: []target{{expr: "topk(200,\n" + counted(o, "$__range", "host", "instance") + "\n)"}},
		fields: []field{
			{name: "problem", title: text{"What", "问题"}, width: 230},
			{name: "detail", title: text{"Which, or why", "对象或原因"}},
			{name: "host", title: text{"Host", "主机"}, width: 110, links: []link{toHost()}},
			{name: "instance", title: text{"Target", "采集目标"}, width: 150},
			{name: "#A", title: text{"Times", "次数"}, unit: count, width: 80, steps: []step{{0, orange}}, plain: true},
		},
	}
}

func wentWrongOverTime(o Options) panel {
	return panel{
		kind: graph, w: 12, h: 8, unit: count, columns: true, title: text{"When it went wrong", "问题发生的时间"}, empty: allWell,
		about:   text{"The same over time, on all hosts together.", "同样的内容随时间的变化，所有主机合计。"},
		targets: []target{{legend: "{{problem}}", expr: counted(o, "$__rate_interval")}},
	}
}

// wrongDetails are each of them over time, mostly zeros.
func wrongDetails(o Options) []panel {
	none, noServer := text{"nothing is shipped", "未启用上报"}, text{"no server", "无服务器"}
	return []panel{
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
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: none, title: text{"Tries without a receipt", "未获确认的尝试"},
			about:   text{"Requests to the server that brought no receipt and are made again, by reason.", "未获服务器确认而重试的请求，按原因。"},
			targets: []target{{legend: "{{reason}}", expr: `sum by (reason) (increase(pm25_agent_ship_retries_total{@target}[$__rate_interval]))`}},
		},
		{
			kind: bars, w: 8, h: 8, unit: count, steps: bad(once), empty: none, title: text{"Records that never arrive", "永远无法到达的记录"},
			about: text{"Records that were dropped by agents or refused by the server, by reason, over the time range. It has to stay 0.", "被 agent 丢弃或被服务器拒绝的记录，按原因，时间范围内合计。应始终为 0。"},
			targets: []target{
				{legend: text{"dropped: ", "丢弃："}.in(o.Language) + "{{reason}}", expr: `sum by (reason) (increase(pm25_agent_ship_dropped_total{@target}[$__range]))`},
				{legend: text{"dead letter: ", "死信："}.in(o.Language) + "{{reason}}", expr: `sum by (reason) (increase(pm25_agent_ship_dead_letters_total{@target}[$__range]))`},
			},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: noServer, title: text{"Pushes that were not taken", "被拒绝的推送"},
			about:   text{"Pushes that were not taken as a whole, by reason. Agents keep what was in them.", "整体未被接收的推送，按原因。agent 会保留其中的记录。"},
			targets: []target{{legend: "{{reason}}", expr: `sum by (reason) (increase(pm25_server_push_rejected_total[$__rate_interval]))`}},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: noServer, title: text{"Duplicates, refusals, failures", "重复、拒绝与失败"},
			about: text{"Records that were there already, were refused, or were dropped by the agent in the same process, and work of the store that failed.", "重复、被拒绝、被同进程 agent 丢弃的记录，以及存储失败的操作。"},
			targets: []target{
				{legend: text{"duplicates", "重复"}.in(o.Language), expr: `sum(increase(pm25_server_records_duplicate_total[$__rate_interval]))`},
				{legend: text{"refused", "拒绝"}.in(o.Language), expr: `sum(increase(pm25_server_records_refused_total[$__rate_interval]))`},
				{legend: text{"dropped", "丢弃"}.in(o.Language), expr: `sum(increase(pm25_server_local_dropped_total[$__rate_interval]))`},
				{legend: text{"failures", "失败"}.in(o.Language), expr: `sum(increase(pm25_server_store_failures_total[$__rate_interval]))`},
			},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: noServer, title: text{"Queries that were refused", "被拒绝的查询"},
			about: text{"Queries and tails that were refused because there were too many, and tails that were cut off.", "因过多而被拒绝的查询和跟踪，以及被中断的跟踪。"},
			targets: []target{
				{legend: text{"refused", "拒绝"}.in(o.Language), expr: `sum(increase(pm25_server_queries_refused_total[$__rate_interval]))`},
				{legend: text{"cut off", "中断"}.in(o.Language), expr: `sum(increase(pm25_server_tails_cut_off_total[$__rate_interval]))`},
			},
		},
		{
			kind: graph, w: 8, h: 8, unit: count, columns: true, empty: text{"none failed", "没有失败"}, title: text{"Rules that fail", "失败的规则"},
			about:   text{"Evaluations of rules that failed, by group. Alerts of such a rule do not fire.", "规则评估失败次数，按规则组。失败的规则不会触发告警。"},
			targets: []target{{legend: "{{rule_group}}", expr: `topk(20, sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[$__rate_interval])))`}},
		},
	}
}
