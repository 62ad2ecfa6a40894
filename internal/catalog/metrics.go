package catalog

// Names of the metrics. PM2's facts begin with pm2_, the agent's own with
// pm25_agent_.
const (
	PM2Up                = "pm2_up"
	DaemonInfo           = "pm2_daemon_info"
	DaemonStartTime      = "pm2_daemon_start_time_seconds"
	DaemonCPU            = "pm2_daemon_cpu_seconds_total"
	DaemonResidentMemory = "pm2_daemon_resident_memory_bytes"
	DaemonOpenFDs        = "pm2_daemon_open_fds"

	ProcessInfo             = "pm2_process_info"
	ProcessState            = "pm2_process_state"
	ProcessStartTime        = "pm2_process_start_time_seconds"
	ProcessRestarts         = "pm2_process_restarts_total"
	ProcessPID              = "pm2_process_pid"
	ProcessUnstableRestarts = "pm2_process_unstable_restarts"
	ProcessMemoryLimit      = "pm2_process_memory_limit_bytes"
	ProcessCPU              = "pm2_process_cpu_seconds_total"
	ProcessResidentMemory   = "pm2_process_resident_memory_bytes"
	ProcessOpenFDs          = "pm2_process_open_fds"
	ProcessThreads          = "pm2_process_threads"
	ProcessChildren         = "pm2_process_children"
	ProcessChildrenMemory   = "pm2_process_children_resident_memory_bytes"
	ProcessChildrenCPU      = "pm2_process_children_cpu_seconds_total"
	ProcessLastExitCode     = "pm2_process_last_exit_code"
	ProcessLastExitTime     = "pm2_process_last_exit_timestamp_seconds"
	ProcessCronNext         = "pm2_process_cron_next_run_timestamp_seconds"

	AppExits             = "pm2_app_exits_total"
	AppExceptions        = "pm2_app_exceptions_total"
	AppEvents            = "pm2_app_events_total"
	AppLogLines          = "pm2_app_log_lines_total"
	AppLogFileBytes      = "pm2_app_log_file_bytes"
	AppExpectedInstances = "pm2_app_expected_instances"
	AppDeployTime        = "pm2_app_deploy_timestamp_seconds"

	CustomMetric = "pm2_custom_metric"

	HostCPUs            = "pm2_host_cpus"
	HostLoad1           = "pm2_host_load1"
	HostLoad5           = "pm2_host_load5"
	HostLoad15          = "pm2_host_load15"
	HostMemoryTotal     = "pm2_host_memory_total_bytes"
	HostMemoryAvailable = "pm2_host_memory_available_bytes"
	HostBootTime        = "pm2_host_boot_time_seconds"
	HostFilesystemSize  = "pm2_host_filesystem_size_bytes"
	HostFilesystemAvail = "pm2_host_filesystem_avail_bytes"

	AgentBuildInfo         = "pm25_agent_build_info"
	AgentTime              = "pm25_agent_time_seconds"
	AgentCollectorDuration = "pm25_agent_collector_duration_seconds"
	AgentCollectorSuccess  = "pm25_agent_collector_success"
	AgentCollectorTimeouts = "pm25_agent_collector_timeouts_total"
	AgentBusMessages       = "pm25_agent_bus_messages_total"
	AgentDecodeErrors      = "pm25_agent_decode_errors_total"
	AgentRequests          = "pm25_agent_requests_total"
	AgentRequestFailures   = "pm25_agent_request_failures_total"
	AgentConnects          = "pm25_agent_connects_total"
	AgentConnectFailures   = "pm25_agent_connect_failures_total"
	AgentDropped           = "pm25_agent_dropped_total"
	AgentRejectedSockets   = "pm25_agent_rejected_sockets_total"
	AgentStateErrors       = "pm25_agent_state_errors_total"
	AgentStateRestored     = "pm25_agent_state_restored"
)

func daemonMetrics() []Metric {
	return []Metric{
		{Name: PM2Up, Type: Gauge, Labels: perDaemon(), Help: "Whether the PM2 daemon answers (1) or not (0).", Note: "A daemon that is gone or refuses the agent stays 0 until it is forgotten (--pm2.forget-after)."},
		{Name: DaemonInfo, Type: Info, Labels: perDaemon(open("version", "one a daemon"), open("node_version", "one a daemon")), Help: "Versions of PM2 and of the Node.js it runs on.", Note: "node_version is that of PM2's fork-mode Node apps where the daemon's own is not known."},
		{Name: DaemonStartTime, Type: Gauge, Unit: "seconds", Labels: perDaemon(), Help: "Start time of the PM2 daemon since the epoch in seconds."},
		{Name: DaemonCPU, Type: Counter, Unit: "seconds", Labels: perDaemon(), Help: "CPU time of the PM2 daemon in seconds."},
		{Name: DaemonResidentMemory, Type: Gauge, Unit: "bytes", Labels: perDaemon(), Help: "Resident memory of the PM2 daemon in bytes."},
		{Name: DaemonOpenFDs, Type: Gauge, Labels: perDaemon(), Help: "Open file descriptors of the PM2 daemon."},
	}
}

func processMetrics() []Metric {
	return []Metric{
		{Name: ProcessInfo, Type: Info, Labels: perProcess(
			open("instance_id", "one a process"), closed("exec_mode", []string{"fork", "cluster", ""}), open("interpreter", "one a process"),
			open("node_version", "one a process"), open("version", "one a process"), open("revision", "one a process"), closed("memory_source", []string{"proc", "pm2", ""}),
		), Help: "What a process is: its instance number, mode, interpreter and versions.", Note: "version is that of package.json, revision git's where PM2 looks for it. memory_source tells whether memory is the kernel's figure or, in a container without a shared pid namespace, PM2's."},
		{Name: ProcessState, Type: StateSet, Labels: perProcess(closed("state", States())), Help: "State of a process: 1 for the one it is in, 0 for the others.", Note: "PM2's pm2_env.status; a state that PM25 does not know is other."},
		{Name: ProcessStartTime, Type: Gauge, Unit: "seconds", Labels: perProcess(), Help: "Last start of a process since the epoch in seconds.", Note: "PM2's pm_uptime. Absent while the process does not run."},
		{Name: ProcessRestarts, Type: Counter, Labels: perProcess(), Help: "Restarts of a process, for any reason.", Note: "From PM2's restart_time, but does not fall on pm2 reset or update. See pm2_app_exits_total for the reasons."},
		{Name: ProcessPID, Type: Gauge, Labels: perProcess(), Help: "Process id, or 0 while the process does not run."},
		{Name: ProcessUnstableRestarts, Type: Gauge, Labels: perProcess(), Help: "Restarts within min_uptime that PM2 counts towards giving up.", Note: "PM2 sets it back to 0 when it gives up: alert on pm2_app_exits_total or the state instead."},
		{Name: ProcessMemoryLimit, Type: Gauge, Unit: "bytes", Labels: perProcess(), Help: "Memory above which PM2 restarts the process, in bytes.", Note: "max_memory_restart. Absent without one."},
		{Name: ProcessCPU, Type: Counter, Unit: "seconds", Labels: perProcess(closed("mode", CPUModes())), Help: "CPU time of a process in seconds, over all its restarts.", Note: "The kernel's figure. Children are not included."},
		{Name: ProcessResidentMemory, Type: Gauge, Unit: "bytes", Labels: perProcess(), Help: "Resident memory of a process in bytes.", Note: "Absent while it does not run or can not be read, never 0."},
		{Name: ProcessOpenFDs, Type: Gauge, Labels: perProcess(), Help: "Open file descriptors of a process.", Note: "Absent where the agent may not look."},
		{Name: ProcessThreads, Type: Gauge, Labels: perProcess(), Help: "Threads of a process."},
		{Name: ProcessChildren, Type: Gauge, Labels: perProcess(), Help: "Living descendants of a process."},
		{Name: ProcessChildrenMemory, Type: Gauge, Unit: "bytes", Labels: perProcess(), Help: "Resident memory of a process's living descendants in bytes.", Note: "For script: npm this is the app. Pages shared between processes count in each."},
		{Name: ProcessChildrenCPU, Type: Counter, Unit: "seconds", Labels: perProcess(), Help: "CPU time of a process's descendants in seconds, living and gone."},
		{Name: ProcessLastExitCode, Type: Gauge, Labels: perProcess(), Help: "Code of the last exit, or 128 plus the number of the signal.", Note: "Absent before a first exit, and where the code is not known."},
		{Name: ProcessLastExitTime, Type: Gauge, Unit: "seconds", Labels: perProcess(), Help: "Time of the last exit since the epoch in seconds."},
		{Name: ProcessCronNext, Type: Gauge, Unit: "seconds", Labels: perProcess(), Help: "When cron_restart was due next after the last start of a process, since the epoch in seconds.", Note: "More than five minutes in the past: PM2 missed it. It is reckoned as PM2 does, in its time zone; after a start of PM2 itself from a minute after that. PM2 starts a stopped process by cron as well, also one that was stopped by hand. Absent without cron_restart, where the expression or the time zone is not known, and where it never comes. Of an app with autostart: false PM2 notes a start that never was."},
	}
}

func appMetrics() []Metric {
	return []Metric{
		{Name: AppExits, Type: Counter, Labels: perApp(closed("reason", Reasons())), Help: "Ends of an app's processes, by reason.", Note: "Each end counts once. unknown is never a crash."},
		{Name: AppExceptions, Type: Counter, Labels: perApp(closed("handled", Handled())), Help: "Exceptions that PM2 or pm25-ext reported, by whether the app handled them.", Note: "handled=\"true\": sent with notifyError or an error handler; false: uncaught exceptions and unhandled rejections. What both report counts once."},
		{Name: AppEvents, Type: Counter, Labels: perApp(closed("event", Events())), Help: "Messages on PM2's bus about an app.", Note: "PM2 sends two exit events for an intended stop; pm2_app_exits_total counts ends. Reports and exceptions of pm25-ext are not among them."},
		{Name: AppLogLines, Type: Counter, Labels: perApp(closed("stream", Streams())), Help: "Lines an app wrote to its standard output and error."},
		{Name: AppLogFileBytes, Type: Gauge, Unit: "bytes", Labels: perApp(closed("stream", Streams())), Help: "Size of an app's log files in bytes.", Note: "Summed over its processes' distinct files. Absent where the agent may not look."},
		{Name: AppExpectedInstances, Type: Gauge, Labels: perApp(), Help: "Processes of an app in the list that pm2 save wrote.", Note: "Absent for an app that was not saved."},
		{Name: AppDeployTime, Type: Gauge, Unit: "seconds", Labels: perApp(), Help: "Last change of an app's version or revision since the epoch in seconds.", Note: "Absent until the agent saw a change."},
	}
}

func customMetrics() []Metric {
	return []Metric{
		{Name: CustomMetric, Type: Gauge, Labels: perProcess(open("name", "100 a process (--custom.max-per-process)"), open("unit", "one a name")), Help: "A value that an app publishes through @pm2/io.", Note: "Numbers only. PM2's built-in probes are left out, but for two of HTTP latency where nothing better is known of an app: quantiles of a decaying sample that keep their value when no requests come, up to two minutes old, and that can not be summed over processes."},
	}
}

func hostMetrics() []Metric {
	mount := open("mountpoint", "mounts of PM2's homes and logs")
	return []Metric{
		{Name: HostCPUs, Type: Gauge, Help: "Logical CPUs of the host."},
		{Name: HostLoad1, Type: Gauge, Help: "Load average over 1 minute."},
		{Name: HostLoad5, Type: Gauge, Help: "Load average over 5 minutes."},
		{Name: HostLoad15, Type: Gauge, Help: "Load average over 15 minutes."},
		{Name: HostMemoryTotal, Type: Gauge, Unit: "bytes", Help: "Memory of the host in bytes."},
		{Name: HostMemoryAvailable, Type: Gauge, Unit: "bytes", Help: "Memory of the host that is available without swapping, in bytes."},
		{Name: HostBootTime, Type: Gauge, Unit: "seconds", Help: "Boot time of the host since the epoch in seconds."},
		{Name: HostFilesystemSize, Type: Gauge, Unit: "bytes", Labels: []Label{mount}, Help: "Size of a filesystem that holds a PM2 home or logs, in bytes."},
		{Name: HostFilesystemAvail, Type: Gauge, Unit: "bytes", Labels: []Label{mount}, Help: "Space available to ordinary users on that filesystem, in bytes."},
	}
}

func agentMetrics() []Metric {
	collector := closed("collector", Collectors())
	return append([]Metric{
		{Name: AgentBuildInfo, Type: Info, Labels: []Label{open("version", "one"), open("revision", "one"), open("goversion", "one")}, Help: "Version of the agent."},
		{Name: AgentTime, Type: Gauge, Unit: "seconds", Help: "Time of the agent's clock since the epoch in seconds.", Note: "What other metrics give as a time is by the same clock: subtract them from this one, not from time(), which is Prometheus'. How far off the clock is: `pm25_agent_time_seconds - timestamp(pm25_agent_time_seconds)`."},
		{Name: AgentCollectorDuration, Type: Gauge, Unit: "seconds", Labels: []Label{collector}, Help: "Duration of a collector in this scrape in seconds."},
		{Name: AgentCollectorSuccess, Type: Gauge, Labels: []Label{collector}, Help: "Whether a collector succeeded in this scrape (1) or not (0)."},
		{Name: AgentCollectorTimeouts, Type: Counter, Labels: []Label{collector}, Help: "Scrapes that went on without a collector because it was too slow."},
		{Name: AgentBusMessages, Type: Counter, Labels: perDaemon(closed("kind", BusKinds())), Help: "Messages read from PM2's bus, and from apps that report to the agent itself."},
		{Name: AgentDecodeErrors, Type: Counter, Labels: perDaemon(), Help: "Messages and answers of PM2 that could not be decoded."},
		{Name: AgentRequests, Type: Counter, Labels: perDaemon(), Help: "Requests sent to PM2 for its process list."},
		{Name: AgentRequestFailures, Type: Counter, Labels: perDaemon(), Help: "Requests to PM2 that failed."},
		{Name: AgentConnects, Type: Counter, Labels: perDaemon(), Help: "Connections made to the PM2 daemon."},
		{Name: AgentConnectFailures, Type: Counter, Labels: perDaemon(), Help: "Attempts to connect to the PM2 daemon that failed."},
		{Name: AgentDropped, Type: Counter, Labels: perDaemon(closed("what", DropReasons())), Help: "Things left out because a bound was reached or PM2's log was lost."},
		{Name: AgentRejectedSockets, Type: Counter, Labels: []Label{closed("reason", RejectReasons())}, Help: "Sockets named like PM2's that were left alone."},
		{Name: AgentStateErrors, Type: Counter, Help: "Failures to read or write the agent's state file."},
		{Name: AgentStateRestored, Type: Gauge, Help: "Whether this run continues the counters of the one before it (1) or began at 0 (0)."},
	}, shipMetrics()...)
}
