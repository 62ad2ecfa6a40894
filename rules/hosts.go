package rules

import "time"

func hosts() Group {
	return Group{
		Name:     "pm25-hosts",
		Interval: 30 * time.Second,
		Why:      "Memory, load and disks change slowly.",
	}
}
