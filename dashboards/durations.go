package dashboards

// What rules record of the durations of requests: of an app on each host, or of a
// route over all hosts.
const (
	ofApps   = "pm2_app"
	ofRoutes = "pm2_route"
)

// durations is the recorded rate of a histogram: a series for each of the classic
// buckets, or one native histogram.
func (o Options) durations(level string) string {
	if o.Native {
		return level + ":pm2_http_request_duration_seconds:rate5m"
	}
	return level + ":pm2_http_request_duration_seconds_bucket:rate5m"
}

// histogram adds up what a selector chooses, by some labels or none.
func (o Options) histogram(level, selector, by string) string {
	series := o.durations(level) + selector
	switch {
	case o.Native && by == "":
		return `sum(` + series + `)`
	case o.Native:
		return `sum by (` + by + `) (` + series + `)`
	case by == "":
		return `sum by (le) (` + series + `)`
	}
	return `sum by (` + by + `, le) (` + series + `)`
}

// quantile is one of what histogram adds up.
func (o Options) quantile(q, level, selector, by string) string {
	return `histogram_quantile(` + q + `, ` + o.histogram(level, selector, by) + `)`
}

// slowerThan is the share of requests that took longer than a bound of the classic
// buckets, which Prometheus 3 writes with ".0" where it is a whole number, and
// Prometheus 2 does not.
func (o Options) slowerThan(seconds string) string {
	if o.Native {
		return sprintf(`1 - histogram_fraction(0, %s, %s)`, seconds, o.histogram(ofRoutes, `{@served}`, ""))
	}
	return sprintf(`
1 -
sum(%s{@served, le=~"%s(\\.0)?"})
/
(sum(%s{@served}) > 0)`, o.durations(ofRoutes), seconds, routeCount)
}

// slowRequest are the exemplars of requests, which agents make of slow ones. What is
// recorded has none, so the histogram itself is asked, once instead of at each step,
// and for a line that is never there.
func (o Options) slowRequest() target {
	expr := `sum(pm2_http_request_duration_seconds_bucket{@app, le!~"0[.]0.*|0[.][1-3]"} @ end()) < 0`
	if o.Native {
		expr = `sum(histogram_count(pm2_http_request_duration_seconds{@app} @ end())) < 0`
	}
	return target{exemplars: true, legend: text{"slow requests", "慢请求"}.in(o.Language), expr: expr}
}
