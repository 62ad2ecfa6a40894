package rules

import "time"

// boards are sums that Grafana's boards show. Percentiles and ratios over the raw
// series of hundreds of hosts would take them many seconds a panel.
func boards() Group {
	const everyHost = "job, ${host_labels}, daemon"
	record := func(name, expr, why string) Record { return Record{Name: name, Expr: expr, Why: why} }
	return Group{
		Name:     "pm25-boards",
		Interval: 30 * time.Second,
		Why:      "What boards show of many hosts at once: people look once a minute at most.",
		Records: []Record{
			record("pm2_app:pm2_http_request_duration_seconds_bucket:rate5m",
				"sum without (method, route, code) (rate(pm2_http_request_duration_seconds_bucket[5m]))", "Percentiles of apps, by host."),
			record("pm2_app:pm2_http_request_duration_seconds_count:rate5m",
				"sum without (method, route) (rate(pm2_http_request_duration_seconds_count[5m]))", "Requests and errors of apps, by host."),
			record("pm2_app:pm2_process_cpu_seconds:rate5m",
				"sum without (pm_id, mode) (rate(pm2_process_cpu_seconds_total[5m]))", "CPU of apps."),
			record("pm2_app:pm2_process_resident_memory_bytes:sum",
				"sum without (pm_id) (pm2_process_resident_memory_bytes)", "Memory of apps."),
			record("pm2_route:pm2_http_request_duration_seconds_bucket:rate5m",
				"sum without ("+everyHost+") (rate(pm2_http_request_duration_seconds_bucket[5m]))", "Routes over all hosts: percentiles and heatmaps."),
			record("pm2_route:pm2_http_request_duration_seconds_count:rate5m",
				"sum without ("+everyHost+") (rate(pm2_http_request_duration_seconds_count[5m]))", "Their requests and errors."),
			record("pm2_route:pm2_http_request_duration_seconds_sum:rate5m",
				"sum without ("+everyHost+", code) (rate(pm2_http_request_duration_seconds_sum[5m]))", "Where the time goes."),
			record("pm2_service:pm2_app_exits_unwanted:increase5m",
				"sum without ("+everyHost+", reason) (\n  increase(pm2_app_exits_total{reason=~\"crash|signal|oom_kill\"}[5m])\n)", "Apps in trouble, over all hosts."),
		},
	}
}
