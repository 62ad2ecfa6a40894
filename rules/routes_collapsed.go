package rules

import "time"

func routesCollapsed() Alert {
	return Alert{
		Name:     "PM2RoutesCollapsed",
		Severity: Info,
		Scope:    ScopeApp,
		Expr: `increase(pm2_http_routes_collapsed_total[1h]) > 0
or
(pm2_http_routes_collapsed_total > 0 unless pm2_http_routes_collapsed_total offset 1h)`,
		For:           time.Minute,
		KeepFiringFor: time.Hour,
		Why: "Routes are told apart by the patterns of the framework; an app that has hundreds makes them of its data, and from then on they\n" +
			"count as one. The counter of an app that is new may begin above 0.\n" +
			"Each restart of the app counts again, hence keep_firing_for.",
		Summary: Text{
			EN: `{{ $labels.app }} on {{ or $labels.host $labels.instance }} has more routes than can be told apart`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }} 路由过多，无法逐一区分`,
		},
		Description: Text{
			EN: `{{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} reported so many routes that those that came late count as (other). Most often ids or names of users are in what should be a pattern such as /users/:id.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）上报的路由太多，后出现的都计入 (other)。通常是本应为 /users/:id 这样的模式中混入了用户编号或名称。`,
		},
	}
}
