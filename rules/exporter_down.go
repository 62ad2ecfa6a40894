package rules

import "time"

func exporterDown() Alert {
	return Alert{
		Name:     "PM2ExporterDown",
		Severity: Critical,
		Scope:    ScopeHost,
		Expr:     `(max_over_time(up{job="pm2"}[1m]) or up{job="pm2"}) == 0`,
		For:      30 * time.Second,
		Why: "A restart of the agent or a reload of the network takes seconds; so the best of a minute counts, and half a minute more.\n" +
			"Where scrapes are further apart than the window, the last one counts.",
		Summary:     `{{ or $labels.host $labels.instance }} does not answer: neither its apps nor its PM2 are seen`,
		Description: `The agent on {{ or $labels.host $labels.instance }} has not answered for more than a minute, so nothing is known of the apps there. The host may be down, the network broken, or pm25-agent may have ended ("systemctl status pm25-agent").`,
	}
}
