package rules

import (
	"fmt"
	"time"
)

// Recorded series of services: an app on all its hosts. Each has the label slo.
const (
	serviceRequests = "pm2_service:http_requests:increase5m"
	serviceBad      = "pm2_service:http_requests_slow_or_failed:increase5m"
	serviceBudget   = "pm2_service:error_budget:ratio"
	serviceLatency  = "pm2_service:slo_latency:seconds"

	serviceRequests1h = "pm2_service:http_requests:increase1h"
	serviceBad1h      = "pm2_service:http_requests_slow_or_failed:increase1h"
)

// badRatio is the recorded share of a service's requests that failed or were slow
// within a window.
func badRatio(window string) string {
	return "pm2_service:http_requests_slow_or_failed:ratio_rate" + window
}

func slo(c Config) Group {
	g := Group{
		Name:     "pm25-slo",
		Interval: 30 * time.Second,
		Why:      "The windows in which people are woken.",
		Records: []Record{
			{
				Name: serviceBad,
				Expr: "sum without (${host_labels}, method, route) (\n  " + routeBad + "\n)",
				Why:  "Requests of services, over all their hosts and routes, that failed or were slow. Target labels that do not tell hosts apart stay.",
			},
			{
				Name: serviceRequests,
				Expr: "sum without (${host_labels}, method, route) (\n  " + routeRequests + "\n  * ignoring (slo) group_right ()\n  (" + routeBad + " * 0 + 1)\n)",
				Why:  "All requests that count for the same SLO.",
			},
		},
		Alerts: []Alert{budgetBurnsFast()},
	}
	for _, o := range c.SLOs {
		if o.Disabled {
			continue
		}
		g.Records = append(g.Records, Record{
			Name: serviceBudget, Labels: map[string]string{"slo": o.Name},
			Expr: fmt.Sprintf("%s{slo=%q} * 0 + (1 - %s)", serviceRequests, o.Name, number(o.Objective)),
			Why:  "SLO " + o.Name + ": the share of requests that may fail or be slow.",
		}, Record{
			Name: serviceLatency, Labels: map[string]string{"slo": o.Name},
			Expr: fmt.Sprintf("%s{slo=%q} * 0 + %s", serviceRequests, o.Name, number(time.Duration(o.Latency).Seconds())),
			Why:  "And what is slow. Boards show both.",
		})
	}
	g.Records = append(g.Records, Record{
		Name: badRatio("5m"), Expr: serviceBad + " / (" + serviceRequests + " > 0)",
		Why: "The share that did, in windows. Long windows add up short ones, not shares, so that each request weighs the same.",
	})
	for _, window := range []string{"30m", "1h"} {
		g.Records = append(g.Records, ratioRecord(window, serviceBad, serviceRequests))
	}
	return g
}

func ratioRecord(window, bad, all string) Record {
	return Record{
		Name: badRatio(window),
		Expr: fmt.Sprintf("sum_over_time(%s[%s])\n/\n(sum_over_time(%s[%s]) > 0)", bad, window, all, window),
	}
}

// sloDays are the windows that are too long to be added up twice a minute.
func sloDays() Group {
	g := Group{
		Name:     "pm25-slo-days",
		Interval: 2 * time.Minute,
		Why:      "Windows of days are added up of hours, seldom: nothing in them moves within two minutes. More than that would be too near to\nthe five minutes after which a series is gone.",
		Records: []Record{
			{
				Name: serviceBad1h, Expr: "sum_over_time(" + serviceBad + "[1h:5m])",
				Why: "Each twelve counts of five minutes that follow one another make an hour, however often they are recorded.",
			},
			{Name: serviceRequests1h, Expr: "sum_over_time(" + serviceRequests + "[1h:5m])"},
		},
		Alerts: []Alert{budgetBurnsSlowly()},
	}
	for _, window := range []string{"2h", "6h"} {
		g.Records = append(g.Records, ratioRecord(window, serviceBad, serviceRequests))
	}
	for _, window := range []string{"1d", "3d"} {
		g.Records = append(g.Records, ratioRecord(window, serviceBad1h, serviceRequests1h))
	}
	return g
}
