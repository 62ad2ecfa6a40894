package dashboards

// routes are the HTTP routes of apps: which one is slow, which one fails, and which
// is worth the work.
func routes(o Options) board {
	return board{
		uid: routesUID, title: titleOf(routesUID), variables: toRoute, annotations: marksOfMany,
		about: text{
			"Routes that apps with pm25-ext serve, on all hosts: rates, errors and durations of each, and which of them take the time. Orange from 600 ms, red from 1 s, unless thresholds say otherwise.",
			"装有 pm25-ext 的应用的路由（所有主机合计）：速率、错误和耗时，以及时间花在哪些路由。默认 600 毫秒变橙，1 秒变红，可由阈值修改。",
		},
		rows: []row{
			{title: text{"Now", "当前"}, panels: routesNow(o)},
			{title: text{"Routes", "路由"}, panels: []panel{routeTable(o), routeTime()}},
			{title: text{"Over time", "随时间变化"}, panels: routesOverTime(o)},
			{title: text{"Slow requests", "慢请求"}, panels: slowRequests(o)},
			{title: text{"Old extensions, and too many routes", "旧扩展与路由过多"}, collapsed: true, panels: oldAndFolded()},
		},
	}
}

func routesNow(o Options) []panel {
	t := o.Thresholds
	none := text{"no requests", "无请求"}
	return []panel{
		{
			kind: stat, w: 4, h: 4, unit: requestsS, spark: true, empty: none, title: text{"Requests", "请求"},
			about:   text{"Requests a second.", "每秒请求数。"},
			targets: []target{{expr: `sum(` + routeCount + `{@served})`}},
		},
		{
			kind: stat, w: 4, h: 4, unit: share, steps: worse(0.01, 0.05), spark: true, empty: none, title: text{"Failed", "失败"},
			about:   text{"Share of requests that were answered with 5xx in five minutes.", "五分钟内返回 5xx 的请求占比。"},
			targets: []target{{expr: failed(`sum`, routeCount, `@served`)}},
		},
		{
			kind: stat, w: 4, h: 4, unit: seconds, steps: worse(t.RouteWarnSeconds, t.RouteSlowSeconds), spark: true, empty: none, title: text{"p95", "p95"},
			about:   text{"95th percentile of the duration of requests in five minutes.", "五分钟内请求耗时的 95 百分位。"},
			targets: []target{{expr: o.quantile(`0.95`, ofRoutes, `{@served}`, ``)}},
		},
		{
			kind: stat, w: 4, h: 4, unit: share, steps: worse(0.01, 0.05), spark: true, empty: none, title: text{"Slower than 600 ms", "慢于 600 毫秒"},
			about:   text{"Share of requests that took longer than 600 ms in five minutes.", "五分钟内耗时超过 600 毫秒的请求占比。"},
			targets: []target{{expr: o.slowerThan("0.6")}},
		},
		{
			kind: stat, w: 4, h: 4, unit: share, steps: worse(0.005, 0.02), spark: true, empty: none, title: text{"Slower than 1 s", "慢于 1 秒"},
			about:   text{"Share of requests that took longer than a second in five minutes.", "五分钟内耗时超过 1 秒的请求占比。"},
			targets: []target{{expr: o.slowerThan("1")}},
		},
		{
			kind: stat, w: 4, h: 4, unit: count, spark: true, empty: none, title: text{"In flight", "处理中"},
			about:   text{"Requests that the chosen apps are serving, on all routes.", "所选应用正在处理的请求（所有路由）。"},
			targets: []target{{expr: `sum(pm2_http_requests_in_flight{@app})`}},
		},
	}
}

func routeTable(o Options) panel {
	t := o.Thresholds
	top := `and on (#route) topk(100, sum by (#route) (` + routeTimeSum + `{@served}))`
	quantile := func(q string) string {
		return o.quantile(q, ofRoutes, `{@served}`, `#route`) + "\n" + top
	}
	return panel{
		kind: table, w: 16, h: 12, unit: count, title: text{"Routes", "路由"}, sort: "-#F",
		about: text{
			"The 100 routes that take most time of all (requests times duration), over the last five minutes, on all hosts together. The one at the top is worth the work.",
			"占用总时间（请求数乘耗时）最多的 100 条路由，最近五分钟，所有主机合计。排在最前的最值得优化。",
		},
		empty: text{"no requests", "无请求"},
		targets: []target{
			{ref: "A", expr: "sum by (#route) (" + routeCount + "{@served})\n" + top},
			{ref: "B", expr: failed(`sum by (#route) `, routeCount, `@served`) + "\n" + top},
			{ref: "C", expr: quantile("0.5")},
			{ref: "D", expr: quantile("0.95")},
			{ref: "E", expr: quantile("0.99")},
			{ref: "F", expr: "sum by (#route) (" + routeTimeSum + "{@served}) / on () group_left () sum(" + routeTimeSum + "{@served})\n" + top},
		},
		fields: []field{
			{name: "bucket", title: text{"Bucket", "分组"}},
			{name: "pm2_namespace", title: text{"Namespace", "命名空间"}, width: 95},
			{name: "app", title: text{"App", "应用"}, width: 140, links: []link{toApp(), toExceptions()}},
			{name: "method", title: text{"Method", "方法"}, width: 80},
			{name: "route", title: text{"Route", "路由"}, links: []link{{
				title: text{"Only this route", "仅此路由"}, board: routesUID, set: []string{"pm2_namespace", "app", "route"},
				url: "/d/" + routesUID + "?${datasource:queryparam}&${loki:queryparam}&${bucket:queryparam}&${host:queryparam}&var-pm2_namespace=${__data.fields.pm2_namespace:percentencode}&var-app=${__data.fields.app:percentencode}&var-route=${__data.fields.route:percentencode}&${__url_time_range}",
			}}},
			cell("A", text{"Requests", "请求"}, requestsS),
			cell("B", text{"Failed", "失败"}, share, worse(0.01, 0.05)...),
			cell("C", text{"p50", "p50"}, seconds, worse(t.RouteWarnSeconds, t.RouteSlowSeconds)...),
			cell("D", text{"p95", "p95"}, seconds, worse(t.RouteWarnSeconds, t.RouteSlowSeconds)...),
			cell("E", text{"p99", "p99"}, seconds, worse(t.RouteWarnSeconds, t.RouteSlowSeconds)...),
			{name: "#F", title: text{"Of all time", "时间占比"}, unit: share, gauge: true, max: 1, width: 140},
		},
	}
}

// routeTime is the same as a picture.
func routeTime() panel {
	return panel{
		kind: bars, w: 8, h: 12, unit: fraction, title: text{"Where the time goes", "时间花在哪里"}, empty: text{"no requests", "无请求"},
		about:   text{"Seconds that requests take in each second, of the 12 routes that take most: how many of them are under way on average.", "每秒钟内请求占用的秒数（即平均并发数），取最多的 12 条路由。"},
		targets: []target{{legend: "{{app}} {{method}} {{route}}", expr: `topk(12, sum by (app, method, route) (` + routeTimeSum + `{@served}))`}},
	}
}

func routesOverTime(o Options) []panel {
	t := o.Thresholds
	legend := "{{app}} {{method}} {{route}}"
	return []panel{
		{
			kind: graph, w: 12, h: 8, unit: seconds, limits: true, steps: worse(t.RouteWarnSeconds, t.RouteSlowSeconds), title: text{"Slowest routes (p95)", "最慢的路由（p95）"},
			about: text{"95th percentile of the ten routes where it is highest, of those with some requests.", "95 百分位最高的十条路由（有一定请求量的）。"},
			empty: text{"no requests", "无请求"},
			targets: []target{{legend: legend, expr: o.quantile(`0.95`, ofRoutes, `{@served}`, `app, method, route`) + `
and
topk(10,
  ` + o.quantile(`0.95`, ofRoutes, `{@served} @ end()`, `app, method, route`) + `
  and sum by (app, method, route) (` + routeCount + `{@served} @ end()) * 600 >= ` + number(t.RouteMinRequests) + `
)`}},
		},
		{
			kind: graph, w: 12, h: 8, unit: requestsS, stacked: true, title: text{"Busiest routes", "最繁忙的路由"}, empty: text{"no requests", "无请求"},
			about: text{"Requests a second of the ten routes with most, stacked.", "每秒请求最多的十条路由（堆叠）。"},
			targets: []target{{legend: legend, expr: `
sum by (app, method, route) (` + routeCount + `{@served})
and
topk(10, sum by (app, method, route) (` + routeCount + `{@served} @ end()))`}},
		},
		{
			kind: heat, w: 12, h: 9, unit: seconds, title: text{"How long requests take", "请求耗时分布"}, empty: text{"no requests", "无请求"},
			about:   text{"How many requests took how long: two bands are two kinds of requests, and a percentile between them is neither.", "各耗时区间的请求数：两条带意味着两类请求，介于其间的百分位不代表任何一类。"},
			targets: []target{{heat: true, legend: "{{le}}", expr: o.histogram(ofRoutes, `{@served}`, ``)}},
		},
		{
			kind: graph, w: 6, h: 9, unit: requestsS, stacked: true, title: text{"By code", "按状态码"}, empty: text{"no requests", "无请求"},
			about:  text{"Requests a second by class of their status code. aborted: the client went away first.", "按状态码类别的每秒请求数。aborted：客户端提前断开。"},
			styles: codeStyles(),
			targets: []target{{
				legend: "{{code}}", expr: `sum by (code) (` + routeCount + `{@served})`,
			}},
		},
		{
			kind: graph, w: 6, h: 9, unit: share, title: text{"Routes that fail", "失败的路由"}, empty: text{"none fails", "没有失败"},
			about: text{"Share of 5xx of the ten routes where it is highest.", "5xx 占比最高的十条路由。"},
			targets: []target{{legend: legend, expr: `
sum by (app, method, route) (` + routeCount + `{@served, code="5xx"})
/
sum by (app, method, route) (` + routeCount + `{@served})
and
topk(10, sum by (app, method, route) (` + routeCount + `{@served, code="5xx"} @ end()))`}},
		},
	}
}

func slowRequests(o Options) []panel {
	t := o.Thresholds
	return []panel{
		{
			kind: table, w: 10, h: 10, unit: count, title: text{"Slowest routes by record", "慢请求记录最多的路由"}, sort: "-#A",
			about: text{"Routes by the slowest single request that was recorded in the time range. Slow requests are sampled: counts are those of the table above.", "时间范围内记录的单次最慢请求所在的路由。慢请求为采样记录，次数以上表为准。"},
			empty: text{"no slow requests", "无慢请求"},
			targets: []target{{loki: true, expr: `
topk(50, max by (app, method, route) (max_over_time({kind="slow_request", @app} | route=~"$route" | unwrap seconds [$__range])))`}},
			fields: []field{
				{name: "app", title: text{"App", "应用"}, width: 140},
				{name: "method", title: text{"Method", "方法"}, width: 80},
				{name: "route", title: text{"Route", "路由"}},
				cell("A", text{"Slowest", "最慢"}, seconds, worse(t.RouteWarnSeconds, t.RouteSlowSeconds)...),
			},
		},
		{
			kind: lines, w: 14, h: 10, unit: plainText, title: text{"Slow requests, one by one", "慢请求明细"}, empty: text{"no slow requests", "无慢请求"},
			about:   text{"Samples of slow and failed requests, the newest first: the answer's code and how long it took.", "慢请求和失败请求的样本，最新在前：状态码与耗时。"},
			targets: []target{{loki: true, expr: `{kind="slow_request", @app} | route=~"$route"`}},
		},
	}
}

func oldAndFolded() []panel {
	return []panel{
		{
			kind: graph, w: 12, h: 7, unit: perSecond, title: text{"Slow requests of old extensions", "旧扩展上报的慢请求"}, empty: text{"no app with pmx", "没有使用 pmx 的应用"},
			about: text{"Slow requests a second that apps with pmx or the former console's extension tell of, of the ten with most. Only slow ones are known of them.", "使用 pmx 或旧控制台扩展的应用上报的慢请求速率，取最多的十个。仅知慢请求。"},
			targets: []target{{legend: "{{app}} {{method}} {{code}}", expr: `
sum by (app, method, code) (rate(pm2_http_slow_requests_total{@app}[$__rate_interval]))
and
topk(10, sum by (app, method, code) (rate(pm2_http_slow_requests_total{@app}[$__range] @ end())))`}},
		},
		{
			kind: bars, w: 12, h: 7, unit: count, steps: look(once), title: text{"Routes folded into (other)", "被合并为 (other) 的路由"}, empty: text{"none", "无"},
			about:   text{"Routes that were counted as (other) because an app has too many, of the ten apps with most. Not 0: the app makes routes of its data, such as ids.", "因路由过多而计入 (other) 的数量，取最多的十个应用。非 0 表示应用把数据（如 id）变成了路由。"},
			targets: []target{{legend: "{{app}}", expr: `topk(10, sum by (pm2_namespace, app) (increase(pm2_http_routes_collapsed_total{@app}[$__range])))`}},
		},
	}
}
