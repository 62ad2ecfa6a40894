package rules

import "time"

func memory() Group {
	return Group{
		Name:     "pm25-memory",
		Interval: time.Minute,
		Why:      "Leaks take hours.",
	}
}
