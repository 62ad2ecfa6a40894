package rules

import "time"

func exceptions() Group {
	return Group{
		Name:     "pm25-exceptions",
		Interval: 15 * time.Second,
		Why:      "Exceptions and deploys are counted in windows of minutes.",
	}
}
