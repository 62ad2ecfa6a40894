package catalog

// Names of the metrics that pm25-ext makes possible. Those that begin with
// nodejs_ are named as prom-client names them where they mean the same.
const (
	HTTPRequestDuration = "pm2_http_request_duration_seconds"
	HTTPInFlight        = "pm2_http_requests_in_flight"
	HTTPRoutesCollapsed = "pm2_http_routes_collapsed_total"
	HTTPSlowRequests    = "pm2_http_slow_requests_total"

	NodeHeapUsed        = "nodejs_heap_size_used_bytes"
	NodeHeapTotal       = "nodejs_heap_size_total_bytes"
	NodeHeapLimit       = "nodejs_heap_size_limit_bytes"
	NodeHeapAfterGC     = "nodejs_heap_used_after_gc_bytes"
	NodeExternalMemory  = "nodejs_external_memory_bytes"
	NodeArrayBuffers    = "nodejs_array_buffers_bytes"
	NodeGCDuration      = "nodejs_gc_duration_seconds"
	NodeLagMin          = "nodejs_eventloop_lag_min_seconds"
	NodeLagMean         = "nodejs_eventloop_lag_mean_seconds"
	NodeLagMax          = "nodejs_eventloop_lag_max_seconds"
	NodeLagStddev       = "nodejs_eventloop_lag_stddev_seconds"
	NodeLagP50          = "nodejs_eventloop_lag_p50_seconds"
	NodeLagP90          = "nodejs_eventloop_lag_p90_seconds"
	NodeLagP99          = "nodejs_eventloop_lag_p99_seconds"
	NodeDelayMax        = "nodejs_eventloop_delay_max_seconds"
	NodeLoopTime        = "nodejs_eventloop_time_seconds_total"
	NodeActiveHandles   = "nodejs_active_handles"
	NodeActiveRequests  = "nodejs_active_requests"
	NodeLastReport      = "nodejs_last_report_timestamp_seconds"
	sourceExt           = "From pm25-ext."
	absentWhileItIsGone = "Absent while the process does not run or has been silent for 90 s."
)

// Codes lists the values of the label code of requests.
func Codes() []string { return []string{"1xx", "2xx", "3xx", "4xx", "5xx", "aborted"} }

// SlowCodes lists those of the requests that pmx reports.
func SlowCodes() []string { return []string{"1xx", "2xx", "3xx", "4xx", "5xx", "other"} }

// GCKinds lists the values of the label kind of garbage collections.
func GCKinds() []string { return []string{"major", "minor", "incremental", "weakcb"} }

// LoopStates lists the values of the label state of an event loop.
func LoopStates() []string { return []string{"active", "idle"} }

// RequestBuckets are the classic buckets of a request's duration in seconds.
func RequestBuckets() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 1, 2.5, 5, 10}
}

// GCBuckets are those of garbage collections.
func GCBuckets() []float64 { return []float64{0.001, 0.01, 0.1, 1, 2, 5} }

func httpMetrics() []Metric {
	const boundSeries = "500 series an app (--http.max-series-per-app) and 5 000 a daemon (--http.max-series), then (other)"
	return []Metric{
		{
			Name: HTTPRequestDuration, Type: Histogram, Unit: "seconds", Buckets: RequestBuckets(), Native: true,
			Labels: perApp(open("method", boundSeries), open("route", boundSeries), closed("code", Codes())),
			Help:   "Duration of the requests that an app served, in seconds.",
			Note:   sourceExt + " Over all processes of the app and their restarts. In protobuf with classic and native buckets (schema 3) and with exemplars, in OpenMetrics with classic buckets and exemplars, in plain text with classic buckets. aborted: the client went away before the response was finished. Only the codes that were seen are there.",
		},
		{Name: HTTPInFlight, Type: Gauge, Labels: perProcess(), Help: "Requests that a process is serving.", Note: sourceExt + " " + absentWhileItIsGone},
		{Name: HTTPRoutesCollapsed, Type: Counter, Labels: perApp(), Help: "Routes that pm25-ext counted as (other) because a process had too many.", Note: "Not 0: the app makes routes of its data. pm25_agent_dropped_total says what the agent folds."},
		{
			Name: HTTPSlowRequests, Type: Counter,
			Labels: perApp(open("method", "seven of HTTP's, then (other)"), closed("code", SlowCodes())),
			Help:   "Slow requests that pmx or the extension of PM2's original agent reported.",
			Note:   "From http:transaction messages. What is slow is for the app's settings to say. Only the codes that were seen are there; absent for apps that send none.",
		},
	}
}

func nodejsMetrics() []Metric {
	gauge := func(name, unit, help, note string) Metric {
		return Metric{Name: name, Type: Gauge, Unit: unit, Labels: perProcess(), Help: help, Note: note}
	}
	lag := "Over the last 5 s."
	return []Metric{
		gauge(NodeHeapUsed, "bytes", "Heap that a process uses, in bytes.", absentWhileItIsGone),
		gauge(NodeHeapTotal, "bytes", "Heap that a process has allocated, in bytes.", ""),
		gauge(NodeHeapLimit, "bytes", "Heap at which a process dies, in bytes.", "--max-old-space-size and what V8 adds."),
		gauge(NodeHeapAfterGC, "bytes", "Heap in use after the last major garbage collection, in bytes.", "What grows here is kept. Absent before the first."),
		gauge(NodeExternalMemory, "bytes", "Memory of objects outside of the heap that it refers to, in bytes.", ""),
		gauge(NodeArrayBuffers, "bytes", "Memory of buffers, in bytes.", "Part of nodejs_external_memory_bytes."),
		{
			Name: NodeGCDuration, Type: Histogram, Unit: "seconds", Buckets: GCBuckets(), Labels: perProcess(closed("kind", GCKinds())),
			Help: "Duration of garbage collections in seconds.", Note: "Over all restarts of the process.",
		},
		gauge(NodeLagMin, "seconds", "Least delay of the event loop in seconds.", lag),
		gauge(NodeLagMean, "seconds", "Mean delay of the event loop in seconds.", lag),
		gauge(NodeLagMax, "seconds", "Greatest delay of the event loop in seconds.", lag),
		gauge(NodeLagStddev, "seconds", "Standard deviation of the delay of the event loop in seconds.", lag),
		gauge(NodeLagP50, "seconds", "Median delay of the event loop in seconds.", lag),
		gauge(NodeLagP90, "seconds", "90th percentile of the delay of the event loop in seconds.", lag),
		gauge(NodeLagP99, "seconds", "99th percentile of the delay of the event loop in seconds.", lag),
		gauge(NodeDelayMax, "seconds", "Greatest delay of the event loop in a sliding minute, in seconds.", "However often it is asked for."),
		{Name: NodeLoopTime, Type: Counter, Unit: "seconds", Labels: perProcess(closed("state", LoopStates())), Help: "Time that the event loop was active and idle, in seconds.", Note: "Over all restarts of the process."},
		gauge(NodeActiveHandles, "", "Handles that keep the process alive.", "Of all types together."),
		gauge(NodeActiveRequests, "", "Requests to the system that are under way.", "Of all types together."),
		gauge(NodeLastReport, "seconds", "Time of the last report of the process since the epoch in seconds.", "There while the process runs: one that is online and silent is hung. Absent until its first report."),
	}
}
