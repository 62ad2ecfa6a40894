package catalog

// Closed sets of label values. They are functions so that nobody can change
// them.

// States lists the values of pm2_process_state's label state.
func States() []string {
	return []string{"online", "launching", "stopping", "stopped", "errored", "waiting_restart", "one_launch", "other"}
}

// Reasons lists the values of pm2_app_exits_total's label reason.
func Reasons() []string {
	return []string{"crash", "signal", "oom_kill", "memory_limit", "errored", "operator", "reload", "watch", "cron", "clean", "unknown"}
}

// Events lists the values of pm2_app_events_total's label event.
func Events() []string {
	return []string{"start", "online", "exit", "restart", "reload", "stop", "restart_overlimit", "exception", "message", "custom", "other"}
}

// Streams lists the output streams of an app.
func Streams() []string { return []string{"out", "err"} }

// CPUModes lists the values of the label mode.
func CPUModes() []string { return []string{"user", "system"} }

// Handled lists the values of pm2_app_exceptions_total's label handled.
func Handled() []string { return []string{"true", "false"} }

// Collectors lists the collectors, which are also the values of the label
// collector.
func Collectors() []string {
	return []string{"daemon", "process", "app", "http", "nodejs", "custom", "host"}
}

// BusKinds lists the values of pm25_agent_bus_messages_total's label kind.
func BusKinds() []string {
	return []string{"custom", "out", "err", "daemon_log", "lifecycle", "exception", "message", "human", "internal", "kill", "report", "ext_exception", "ext_event", "transaction"}
}

// RejectReasons lists why discovery leaves a socket alone.
func RejectReasons() []string {
	return []string{
		"bad_path", "no_pub_socket", "symlink", "not_socket", "wrong_owner", "peer_mismatch",
		"not_pm2", "wrong_home", "unseen_peer", "unreachable", "too_many",
	}
}

// DropReasons lists the values of pm25_agent_dropped_total's label what.
func DropReasons() []string {
	return []string{"app", "custom_metric", "log_gap", "http_series", "ext_message", "lifecycle", "exception", "event", "log_text"}
}

const (
	boundApps   = "1 000 apps a daemon, then (other)"
	boundProcs  = "processes PM2 lists"
	boundDaemon = "daemons on the host, at most 64"
)

func daemonLabel() Label    { return Label{Name: "daemon", Bound: boundDaemon} }
func namespaceLabel() Label { return Label{Name: "pm2_namespace", Bound: boundApps} }
func appLabel() Label       { return Label{Name: "app", Bound: boundApps} }
func pmIDLabel() Label      { return Label{Name: "pm_id", Bound: boundProcs} }

func perDaemon(more ...Label) []Label {
	return append([]Label{daemonLabel()}, more...)
}

func perApp(more ...Label) []Label {
	return append([]Label{daemonLabel(), namespaceLabel(), appLabel()}, more...)
}

func perProcess(more ...Label) []Label {
	return append([]Label{daemonLabel(), namespaceLabel(), appLabel(), pmIDLabel()}, more...)
}

func open(name, bound string) Label             { return Label{Name: name, Bound: bound} }
func closed(name string, values []string) Label { return Label{Name: name, Values: values} }
