package rules

import "time"

func self() Group {
	return Group{
		Name:     "pm25-self",
		Interval: 15 * time.Second,
		Why:      "What PM25 says of itself.",
		Alerts: []Alert{
			collectorFailing(), agentDropping(), agentNotShipping(),
			serverDown(), storeFailing(), serverRefusing(), notifyFailing(), alertmanagerFailing(), rulesFailing(), noTargets(),
			watchdog(),
		},
	}
}
