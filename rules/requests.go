package rules

import "time"

func requests() Group {
	return Group{
		Name:     "pm25-requests",
		Interval: 15 * time.Second,
		Why:      "Rates of five minutes and more.",
	}
}
