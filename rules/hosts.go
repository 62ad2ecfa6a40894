package rules

import "time"

func hosts() Group {
	return Group{
		Name:     "pm25-hosts",
		Interval: 15 * time.Second,
		Why:      "Memory, load and disks change slowly, and some things about apps are looked at over minutes or hours.",
		Alerts: []Alert{
			hostMemoryLow(), hostOverloaded(), logDiskFilling(), logNotRotated(),
			instancesBelowExpected(), frequentRestarts(), cronJobFailed(), cronJobMissed(), appStopped(), saveStale(),
		},
	}
}
