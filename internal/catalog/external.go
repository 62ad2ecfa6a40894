package catalog

// External returns the metrics that rules name and that are none of PM25's:
// Prometheus' and Alertmanager's of themselves, and two that PM25's embedded ones
// add. docs/metrics.md leaves them out. A test of package up holds that they are
// there.
func External() []Metric {
	ruleGroup := open("rule_group", "groups of rules")
	alertmanager := open("alertmanager", "Alertmanagers")
	return []Metric{
		{Name: "up", Type: Gauge, Help: "Whether the last scrape of a target succeeded."},

		{Name: "prometheus_config_last_reload_successful", Type: Gauge, Help: "Whether Prometheus' configuration loaded."},
		{Name: "prometheus_rule_evaluation_failures_total", Type: Counter, Labels: []Label{ruleGroup}, Help: "Rules that could not be evaluated."},
		{Name: "prometheus_rule_group_iterations_missed_total", Type: Counter, Labels: []Label{ruleGroup}, Help: "Evaluations that were left out because the one before took too long."},
		{Name: "prometheus_notifications_dropped_total", Type: Counter, Labels: []Label{alertmanager}, Help: "Alerts that Prometheus gave up to send."},
		{Name: "prometheus_notifications_errors_total", Type: Counter, Labels: []Label{alertmanager}, Help: "Alerts that an Alertmanager did not take."},
		{Name: "prometheus_notifications_alertmanagers_discovered", Type: Gauge, Help: "Alertmanagers that Prometheus knows."},
		{Name: "prometheus_tsdb_compactions_failed_total", Type: Counter, Help: "Compactions of the time series that failed."},

		{Name: "alertmanager_config_last_reload_successful", Type: Gauge, Help: "Whether Alertmanager's configuration loaded."},
		{
			Name: "alertmanager_notifications_failed_total", Type: Counter,
			Labels: []Label{open("integration", "kinds of receivers"), open("reason", "seven of Alertmanager's")},
			Help:   "Notifications that could not be delivered.",
		},

		{Name: "pm25_alertmanager_journal_failures_total", Type: Counter, Help: "Silences, deliveries and sets of alerts that could not be written down at once."},
		{Name: "pm25_storage_free_bytes", Type: Gauge, Unit: "bytes", Help: "Free bytes of the file system that holds the time series."},
		{Name: "pm25_storage_low_disk", Type: Gauge, Help: "Whether samples are refused because the disk is nearly full."},
		{Name: "pm25_storage_refused_appends_total", Type: Counter, Help: "Batches of samples that were not stored because the disk is nearly full."},
	}
}
