package rules

import "time"

// availability is what nobody may wait for.
func availability() Group {
	return Group{
		Name:     "pm25-availability",
		Interval: 5 * time.Second,
		Why:      "As often as PM2's metrics are scraped, so that each alert is told within a minute of its cause.",
		Alerts: []Alert{
			hostDown(), exporterDown(), daemonDown(), daemonRestarted(),
			appMissing(), appDown(), processErrored(), crashLoop(), processKilled(),
		},
	}
}
