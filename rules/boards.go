package rules

import "time"

// boards records what Grafana's boards read: tens of series where hosts have hundreds
// of thousands. Names say of what and how each is.
func boards() Group {
	return Group{
		Name:     "pm25-boards",
		Interval: 30 * time.Second,
		Why:      "What boards read; no alert does. Half a minute is as fine as people look, and boards add up a few series instead of all.",
		Records: []Record{
			{
				Name: "pm2_app:pm2_http_request_duration_seconds_bucket:rate5m",
				Expr: `sum without (method, route, code) (rate(pm2_http_request_duration_seconds_bucket[5m]))`,
				Why:  "Durations of the requests of an app on each host. There are none where only native histograms are scraped.",
			},
			{
				Name: "pm2_app:pm2_http_request_duration_seconds_count:rate5m",
				Expr: `sum without (method, route) (rate(pm2_http_request_duration_seconds_count[5m]))`,
				Why:  "Its requests by code.",
			},
			{
				Name: "pm2_app:pm2_process_cpu_seconds:rate5m",
				Expr: `sum without (pm_id, mode) (rate(pm2_process_cpu_seconds_total[5m]))`,
				Why:  "CPUs that the processes of an app use on each host.",
			},
			{
				Name: "pm2_app:pm2_process_resident_memory_bytes:sum",
				Expr: `sum without (pm_id) (pm2_process_resident_memory_bytes)`,
				Why:  "Their memory.",
			},
			{
				Name: "pm2_route:pm2_http_request_duration_seconds_bucket:rate5m",
				Expr: `sum without (job, instance, host, daemon) (rate(pm2_http_request_duration_seconds_bucket[5m]))`,
				Why:  "Durations of the requests of a route over all hosts.",
			},
			{
				Name: "pm2_route:pm2_http_request_duration_seconds_count:rate5m",
				Expr: `sum without (job, instance, host, daemon) (rate(pm2_http_request_duration_seconds_count[5m]))`,
				Why:  "Its requests by code.",
			},
			{
				Name: "pm2_route:pm2_http_request_duration_seconds_sum:rate5m",
				Expr: `sum without (job, instance, host, daemon, code) (rate(pm2_http_request_duration_seconds_sum[5m]))`,
				Why:  "The time that they take together.",
			},
			{
				Name: "pm2_service:pm2_app_exits_unwanted:increase5m",
				Expr: `sum without (job, instance, host, daemon, reason) (increase(pm2_app_exits_total{reason=~"crash|signal|oom_kill"}[5m]))`,
				Why:  "Ends of an app that nobody asked for, over all hosts.",
			},
		},
	}
}
