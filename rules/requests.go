package rules

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Recorded series of requests by route. All count five minutes.
const (
	routeFailed   = "pm2_route:http_requests_failed:increase5m"    // answered 5xx
	routeAnswered = "pm2_route:http_requests_answered:increase5m"  // otherwise
	routeRequests = "pm2_route:http_requests:increase5m"           // both
	routeTold     = "pm2_route:http_requests_very_slow:increase5m" // answered after route_slow_seconds

	// With the label slo.
	routeSlow = "pm2_route:http_requests_slow:increase5m" // answered after the SLO's latency
	routeBad  = "pm2_route:http_requests_slow_or_failed:increase5m"
)

func requests(c Config) Group {
	return Group{
		Name:     "pm25-requests",
		Interval: 30 * time.Second,
		Why: "Counts of five minutes: half a minute is soon enough. They are taken from the histograms here, once, and kept for each route:\n" +
			"all that is told of requests adds those up.",
		Records: c.requestRecords(),
		Alerts:  []Alert{routeIsSlow(), routesCollapsed()},
	}
}

func (c Config) requestRecords() []Record {
	h := histograms{c}
	records := []Record{
		{
			Name: routeFailed,
			Expr: h.failed(),
			Why: "Requests of five minutes that were answered 5xx. A code is counted only when it was seen, so the first failures of a route make a\n" +
				"series that begins above 0, in which increase() sees nothing: what was not there five minutes ago, of an app that was, began\n" +
				"at 0.",
		},
		{
			Name: routeAnswered,
			Expr: h.answered(),
			Why:  "The others, without upgrades (1xx), of which nobody knows when they were answered.",
		},
		{
			Name: routeRequests,
			Expr: routeAnswered + " + " + routeFailed + "\nor " + routeAnswered + "\nor " + routeFailed,
			Why:  "Both. An app may have only one of them.",
		},
		{
			Name: routeTold,
			Expr: h.slower("${route_slow_seconds}", "${route_slow_seconds:le}", c.slowSelection()),
			Why:  "Those that were answered, but after more than route_slow_seconds, of routes that may be told as slow.",
		},
	}
	for i, o := range c.SLOs {
		if o.Disabled {
			continue
		}
		latency := time.Duration(o.Latency).Seconds()
		s := c.sloSelection(i)
		slow, failed := fmt.Sprintf("%s{slo=%q}", routeSlow, o.Name), s.of(routeFailed)
		slo := map[string]string{"slo": o.Name}
		records = append(records, Record{
			Name: routeSlow, Labels: slo,
			Expr: h.slower(number(latency), leMatcher(latency), s),
			Why: fmt.Sprintf("SLO %s: those that were answered, but after more than %s.\n", o.Name, o.Latency) +
				"A request whose client went away counts by how long it had waited: that a client lost patience is the app's fault, that a page\n" +
				"was left at once is not.",
		}, Record{
			Name: routeBad, Labels: slo,
			Expr: fmt.Sprintf("%s + ignoring (slo) %s\nor ignoring (slo) %s\nor ignoring (slo) %s", slow, failed, slow, failed),
			Why:  "Those, and those that failed.",
		})
	}
	return records
}

// of are the series of a metric that are in the selection.
func (s selection) of(metric string, more ...string) string {
	matchers := append(slices.Clone(more), s.matchers...)
	expr := selector(metric, matchers...)
	for _, m := range s.minus {
		expr += " unless " + selector(metric, append(slices.Clone(matchers), m...)...)
	}
	if len(s.minus) > 0 {
		return "(" + expr + ")"
	}
	return expr
}

// histograms writes expressions over the histograms of requests, classic or native.
type histograms struct{ Config }

const (
	requestDuration = "pm2_http_request_duration_seconds"
	onApp           = "on (job, instance, daemon, pm2_namespace, app)"
	answered        = `code!~"1xx|5xx"`
)

// failed counts the requests that were answered 5xx by route.
func (h histograms) failed() string {
	metric := requestDuration + "_count"
	if h.Native {
		metric = requestDuration
	}
	sum := fmt.Sprintf(`sum without (code) (
  (
    (%[1]s{code="5xx"} unless %[1]s{code="5xx"} offset 5m)
    and %[2]s (pm2_http_routes_collapsed_total offset 5m)
  )
  or
  increase(%[1]s{code="5xx"}[5m])
)`, metric, onApp)
	return h.counted(sum)
}

// answered counts those that were answered otherwise.
func (h histograms) answered() string {
	if h.Native {
		return h.counted("sum without (code) (increase(" + selector(requestDuration, answered) + "[5m]))")
	}
	return "sum without (code) (increase(" + selector(requestDuration+"_count", answered) + "[5m]))"
}

// counted is the number of observations of a histogram that may be native.
func (h histograms) counted(sum string) string {
	if h.Native {
		return "histogram_count(\n" + indent(sum) + "\n)"
	}
	return sum
}

// slower counts those that were answered after more than a time, given in seconds
// and as the matcher of its classic bucket.
func (h histograms) slower(seconds, bucket string, s selection) string {
	var within string
	if h.Native {
		// The fraction of nothing is not a number, and would make one of all that it is added to.
		within = fmt.Sprintf("(\n  histogram_fraction(0, %s, sum without (code) (%s)) * (%s > 0)\n  or %s * 0\n)",
			seconds, s.increase(requestDuration, answered), routeAnswered, s.of(routeAnswered))
	} else {
		within = fmt.Sprintf("sum without (code, le) (%s)", s.increase(requestDuration+"_bucket", bucket, answered))
	}
	return s.of(routeAnswered) + "\n- " + within
}

// increase is what each series of a metric grew in five minutes.
func (s selection) increase(metric string, more ...string) string {
	matchers := append(slices.Clone(more), s.matchers...)
	expr := "increase(" + selector(metric, matchers...) + "[5m])"
	for _, m := range s.minus {
		expr += " unless " + selector(metric, append(slices.Clone(matchers), m...)...)
	}
	return expr
}

// leMatcher matches a classic bucket as Prometheus 2 and 3 write it: 1 as "1" or
// "1.0".
func leMatcher(seconds float64) string {
	text := number(seconds)
	if seconds == float64(int64(seconds)) {
		return `le=~"` + text + `|` + text + `\\.0"`
	}
	return `le="` + text + `"`
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
