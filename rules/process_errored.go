package rules

import "time"

func processErrored() Alert {
	return Alert{
		Name:          "PM2ProcessErrored",
		Severity:      Critical,
		Scope:         ScopeProcess,
		Expr:          `max by (job, instance, host, daemon, pm2_namespace, app, pm_id) (pm2_process_state{state="errored"}) == 1`,
		For:           10 * time.Second,
		KeepFiringFor: 30 * time.Second,
		Why: "PM2 has given up on the process, and nothing restarts it. Two scrapes have to agree, so that a restart by hand at once tells nothing.\n" +
			"A scrape that fails takes all series away: without keep_firing_for it would be told as resolved, and then again.",
		Summary:     `{{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }} is errored: PM2 has given up on it`,
		Description: `Process {{ $labels.pm_id }} of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} ended too often right after its start. PM2 will not start it again. "pm2 logs {{ $labels.app }} --err --lines 50" shows why it ended, "pm2 restart {{ $labels.pm_id }}" tries again.`,
	}
}
