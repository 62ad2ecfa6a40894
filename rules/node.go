package rules

import "time"

func node() Group {
	return Group{
		Name:     "pm25-node",
		Interval: 15 * time.Second,
		Why:      "Event loops are judged over minutes.",
	}
}
