package dashboards

// badRatio is the recorded share of a service's requests that failed or were slow to
// its SLO, within a window.
func badRatio(window string) string {
	return "pm2_service:http_requests_slow_or_failed:ratio_rate" + window
}

// burn is how many times too fast a service's budget burns within a window: what
// the rules alert on.
func burn(window string) string {
	return `max by (#slo) (` + badRatio(window) + `{@service} / ` + serviceBudget + `{@service})`
}

// burns are factors, such as 14.4×.
var burns = unit{"suffix:×", 1}

// budgets are how fast services use up what their SLOs allow. Objectives are those
// that the rules were made of, so each service has its own.
func budgets(o Options) []panel {
	none := text{"no requests", "无请求"}
	return []panel{burnGraph(none), budgetTable(none)}
}

func burnGraph(none text) panel {
	return panel{
		kind: graph, w: 11, h: 9, unit: burns, limits: true, steps: worse(6, 14.4), empty: none, title: text{"Budgets burn, over 1 h", "预算消耗（1 小时）"}, links: []link{toRoutes()},
		about: text{
			"How many times too fast services use up the failed and slow requests that their SLOs allow, over an hour, of the ten where it was worst. 1: a budget of 30 days lasts just as long; 14.4: it is gone in two days.",
			"各服务在一小时窗口内消耗 SLO 所允许的失败和过慢请求的倍数，取最差的十个。1 表示 30 天的预算恰好用满 30 天；14.4 表示两天耗尽。",
		},
		targets: []target{{legend: "{{pm2_namespace}}/{{app}}", expr: burn("1h") + `
and
topk(10, max by (#slo) (
  max_over_time(` + badRatio("1h") + `{@service}[$__range] @ end())
  / ` + serviceBudget + `{@service} @ end()
))`}},
	}
}

func budgetTable(none text) panel {
	ofBudget := `max by (#slo) (last_over_time(` + serviceBudget + `{@service}[$__range]))`
	inRange := func(metric string) string { return `sum by (#slo) (sum_over_time(` + metric + `{@service}[$__range]))` }
	return panel{
		kind: table, w: 13, h: 9, unit: count, title: text{"Budgets", "预算"}, sort: "-#A", empty: none,
		about: text{
			"What each service has to keep, how many times too fast it burns its budget over five minutes, an hour and six hours, and what is left of the budget of the time range. Red burns wake people: 14.4 over an hour, 6 over six.",
			"各服务的 SLO 目标、在 5 分钟、1 小时、6 小时窗口的预算消耗倍数，以及时间范围内预算的剩余。红色需立即处理：1 小时超过 14.4，6 小时超过 6。",
		},
		targets: []target{
			{ref: "A", expr: burn("1h")},
			{ref: "B", expr: burn("5m")},
			{ref: "C", expr: burn("6h")},
			{ref: "D", expr: "clamp_min(1 - " + inRange(serviceBad) + " / (" + inRange(serviceRequests) + " > 0) / " + ofBudget + ", 0)"},
			{ref: "E", expr: "1 - " + ofBudget},
			{ref: "F", expr: `max by (#slo) (last_over_time(` + serviceLatency + `{@service}[$__range]))`},
		},
		fields: []field{
			{name: "bucket", title: text{"Bucket", "分组"}, width: 80},
			{name: "pm2_namespace", title: text{"Namespace", "命名空间"}, width: 95},
			{name: "app", title: text{"App", "应用"}, links: []link{toApp(), toRoutes()}},
			{name: "slo", title: text{"SLO", "SLO"}, width: 85},
			{name: "#E", title: text{"Objective", "目标"}, unit: unit{"percentunit", 2}, width: 90},
			cell("F", text{"Within", "时限"}, seconds),
			cell("B", text{"5 min", "5 分钟"}, burns, worse(6, 14.4)...), cell("A", text{"1 h", "1 小时"}, burns, worse(6, 14.4)...),
			cell("C", text{"6 h", "6 小时"}, burns, worse(1, 6)...),
			{
				name: "#D", title: text{"Left", "剩余"}, unit: share, width: 85, steps: atLeast(0, 0.5), plain: true,
				values: []value{{is: "0", text: text{"used up", "已用完"}, color: red}},
			},
		},
	}
}
