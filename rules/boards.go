package rules

import "time"

// boards are sums that Grafana's boards show. Percentiles and ratios over the raw
// series of hundreds of hosts would take them many seconds a panel.
func boards(c Config) Group {
	const everyHost = "job, ${host_labels}, daemon"
	h := histograms{c}
	record := func(name, expr, why string) Record { return Record{Name: name, Expr: expr, Why: why} }
	appBuckets, ofApps := h.durations("pm2_app", "method, route, code")
	routeBuckets, ofRoutes := h.durations("pm2_route", everyHost)
	return Group{
		Name:     "pm25-boards",
		Interval: 30 * time.Second,
		Why:      "What boards show of many hosts at once: people look once a minute at most.",
		Records: []Record{
			record(appBuckets, ofApps, "Percentiles of apps, by host."),
			record("pm2_app:pm2_http_request_duration_seconds_count:rate5m", h.part("count", "method, route"), "Requests and errors of apps, by host."),
			record("pm2_app:pm2_process_cpu_seconds:rate5m",
				"sum without (pm_id, mode) (rate(pm2_process_cpu_seconds_total[5m]))", "CPU of apps."),
			record("pm2_app:pm2_process_resident_memory_bytes:sum",
				"sum without (pm_id) (pm2_process_resident_memory_bytes)", "Memory of apps."),
			record(routeBuckets, ofRoutes, "Routes over all hosts: percentiles and heatmaps."),
			record("pm2_route:pm2_http_request_duration_seconds_count:rate5m", h.part("count", everyHost), "Their requests and errors."),
			record("pm2_route:pm2_http_request_duration_seconds_sum:rate5m", h.part("sum", everyHost+", code"), "Where the time goes."),
			record("pm2_service:pm2_app_exits_unwanted:increase5m",
				"sum without ("+everyHost+", reason) (\n  increase(pm2_app_exits_total{reason=~\"crash|signal|oom_kill\"}[5m])\n)", "Apps in trouble, over all hosts."),
		},
	}
}

// durations is the rate of whole histograms, without some labels, and the name that
// it is recorded under.
func (h histograms) durations(level, without string) (name, expr string) {
	metric := requestDuration + "_bucket"
	if h.Native {
		metric = requestDuration
	}
	return level + ":" + metric + ":rate5m", "sum without (" + without + ") (rate(" + metric + "[5m]))"
}

// part is the rate of a histogram's count or sum, without some labels.
func (h histograms) part(part, without string) string {
	if h.Native {
		return "histogram_" + part + "(sum without (" + without + ") (rate(" + requestDuration + "[5m])))"
	}
	return "sum without (" + without + ") (rate(" + requestDuration + "_" + part + "[5m]))"
}
