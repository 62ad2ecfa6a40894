package rules

import "time"

// elu is the share of time in which an event loop has something to do.
const elu = "pm2_process:nodejs_eventloop_utilization:ratio_rate5m"

// upFor is true of processes that have run for some time; for the right side of
// `and`.
func upFor(seconds string) string {
	return "on (job, instance, daemon, pm2_namespace, app, pm_id)\n  time() - pm2_process_start_time_seconds > " + seconds
}

func node() Group {
	return Group{
		Name:     "pm25-node",
		Interval: 15 * time.Second,
		Why:      "Event loops are judged over minutes; a process that hangs over one.",
		Records:  nodeRecords(),
		Alerts: []Alert{
			nodeProcessHung(),
			nodeEventLoopSaturated(Critical),
			nodeEventLoopSaturated(Warning),
			nodeEventLoopBlocked(),
			nodeGCPressure(),
			processCPUSaturated(),
			clusterImbalance(),
		},
	}
}

func nodeRecords() []Record {
	return []Record{
		{
			Name: elu,
			Expr: `sum without (state) (rate(nodejs_eventloop_time_seconds_total{state="active"}[5m]))
/
sum without (state) (rate(nodejs_eventloop_time_seconds_total[5m]))`,
			Why: "From counters, so that nothing is lost between two scrapes and several Prometheis see the same.",
		},
		{
			Name: "pm2_process:cpu_seconds:rate5m",
			Expr: `sum without (mode) (rate(pm2_process_cpu_seconds_total[5m]))`,
			Why:  "CPUs in use: the kernel's figure.",
		},
	}
}
