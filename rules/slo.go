package rules

import "time"

func slo() Group {
	return Group{
		Name:     "pm25-slo",
		Interval: 30 * time.Second,
		Why:      "Error budgets burn over hours.",
	}
}
