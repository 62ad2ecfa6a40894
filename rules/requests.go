package rules

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Recorded series of requests. Those of routes have the labels of the route, those
// of apps the labels of the app on its host; all count five minutes.
const (
	routeRequests = "pm2_route:http_requests:increase5m"
	routeFailed   = "pm2_route:http_requests_failed:increase5m"         // answered 5xx
	routeSlow     = "pm2_route:http_requests_slow:increase5m"           // longer than route_slow_seconds
	routeBad      = "pm2_route:http_requests_slow_or_failed:increase5m" // of an SLO
)

func requests(c Config) Group {
	return Group{
		Name:     "pm25-requests",
		Interval: 15 * time.Second,
		Why: "Counts of five minutes. They are taken from the histograms here, once, and kept for each route: all that is told of requests\n" +
			"adds those up.",
		Records: c.requestRecords(),
		Alerts:  []Alert{routeIsSlow(), routesCollapsed()},
	}
}

func (c Config) requestRecords() []Record {
	h := histograms{c}
	records := []Record{
		{
			Name: routeRequests,
			Expr: h.count(selection{}),
			Why: "Requests of five minutes. A code is counted only when it was seen, so the first failures of a route make a series that\n" +
				"begins above 0, in which increase() sees nothing. What was not there five minutes ago, of an app that was, began at 0.\n" +
				"1xx are upgrades, of which nobody knows when they were answered.",
		},
		{
			Name: routeFailed,
			Expr: h.count(selection{matchers: []string{`code="5xx"`}}),
			Why:  "Those of them that failed.",
		},
		{
			Name: routeSlow,
			Expr: fmt.Sprintf("%s\n-\n%s", h.selected(routeRequests, c.slowSelection()), h.within(c.Thresholds.RouteSlowSeconds, selection{}, "")),
			Why:  "Those of them that took longer than route_slow_seconds, of routes that may be told as slow.",
		},
	}
	for i, o := range c.SLOs {
		s := c.sloSelection(i)
		all := h.selected(routeRequests, s)
		records = append(records, Record{
			Name: routeBad,
			Expr: fmt.Sprintf("(\n%s\n-\n%s\n)\nor\n%s", all, h.within(time.Duration(o.Latency).Seconds(), s, `code!="5xx"`), all),
			Why: fmt.Sprintf("SLO %s: those that failed or took longer than %s. Where none was answered well, all are.\n", o.Name, o.Latency) +
				"A request whose client went away counts by how long it had waited: an impatient client is the app's fault, a page that was\n" +
				"left is not.",
			Labels: map[string]string{"slo": o.Name},
		})
	}
	return records
}

// histograms writes expressions over the histograms of requests, classic or native.
type histograms struct{ Config }

const onApp = "on (job, instance, daemon, pm2_namespace, app)"

// count counts the requests of a selection in five minutes by route.
func (h histograms) count(s selection) string {
	if h.Native {
		return fmt.Sprintf("histogram_count(\n%s\n)", indent(sumOfCodes(h.increase("pm2_http_request_duration_seconds", s), "code")))
	}
	return sumOfCodes(h.increase("pm2_http_request_duration_seconds_count", s), "code")
}

// within counts those of a selection, and of another matcher, that took no longer
// than a time.
func (h histograms) within(seconds float64, s selection, also string) string {
	if also != "" {
		s.matchers = append(slices.Clone(s.matchers), also)
	}
	if h.Native {
		sum := sumOfCodes(h.increase("pm2_http_request_duration_seconds", s), "code")
		return fmt.Sprintf("(\n  histogram_fraction(0, %s,\n%s\n  )\n  *\n  histogram_count(\n%s\n  )\n)",
			number(seconds), indent(indent(sum)), indent(indent(sum)))
	}
	s.matchers = append([]string{leMatcher(seconds)}, s.matchers...)
	return sumOfCodes(h.increase("pm2_http_request_duration_seconds_bucket", s), "code, le")
}

// increase is what each series of a metric grew in five minutes, also one that
// was not there before them.
func (h histograms) increase(metric string, s selection) string {
	matchers := append(slices.Clone(s.matchers), `code!="1xx"`)
	own := selector(metric, matchers...)
	expr := fmt.Sprintf(`(
  (%s unless %s offset 5m)
  and %s (pm2_http_routes_collapsed_total offset 5m)
)
or
increase(%s[5m])`, own, own, onApp, own)
	if len(s.minus) == 0 {
		return expr
	}
	expr = "(\n" + indent(expr) + "\n)"
	for _, m := range s.minus {
		expr += "\nunless\n" + selector(metric, append(slices.Clone(matchers), m...)...)
	}
	return expr
}

// selected are the series of a recorded metric of routes that are in a selection.
func (h histograms) selected(metric string, s selection) string {
	expr := selector(metric, s.matchers...)
	for _, m := range s.minus {
		expr += " unless " + selector(metric, append(slices.Clone(s.matchers), m...)...)
	}
	if len(s.minus) > 0 {
		return "(" + expr + ")"
	}
	return expr
}

func sumOfCodes(expr, labels string) string {
	return fmt.Sprintf("sum without (%s) (\n%s\n)", labels, indent(expr))
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
