package catalog

// Names of the metrics that `pm25 server` and `pm25 up` expose about what is
// pushed to them.
const (
	ServerPushRequests      = "pm25_server_push_requests_total"
	ServerPushRejected      = "pm25_server_push_rejected_total"
	ServerPushDuration      = "pm25_server_push_duration_seconds"
	ServerPushBytes         = "pm25_server_push_bytes_total"
	ServerRecordsStored     = "pm25_server_records_stored_total"
	ServerRecordsDuplicate  = "pm25_server_records_duplicate_total"
	ServerRecordsRefused    = "pm25_server_records_refused_total"
	ServerLocalDropped      = "pm25_server_local_dropped_total"
	ServerStoreSize         = "pm25_server_store_size_bytes"
	ServerStoreFailures     = "pm25_server_store_failures_total"
	ServerStoreDeleted      = "pm25_server_store_records_deleted_total"
	ServerQueriesRunning    = "pm25_server_queries_running"
	ServerQueriesWaiting    = "pm25_server_queries_waiting"
	ServerQueriesRefused    = "pm25_server_queries_refused_total"
	ServerTails             = "pm25_server_tails"
	ServerTailDropped       = "pm25_server_tail_records_dropped_total"
	ServerTailsCutOff       = "pm25_server_tails_cut_off_total"
	ServerExceptionGroups   = "pm25_server_exception_groups"
	ServerNewExceptionGroup = "pm25_server_new_exception_group_info"
)

// PushRejections lists why a push is not taken as a whole.
func PushRejections() []string {
	return []string{"token", "no_batch", "too_large", "media_type", "rate", "busy", "overloaded", "full", "slow", "gone", "failed"}
}

// Refusals lists why a single record is not kept.
func Refusals() []string { return []string{"invalid", "too_big", "too_old", "too_new"} }

// GroupStates lists the states of exception groups.
func GroupStates() []string {
	return []string{"new", "ongoing", "regressed", "resolved", "muted"}
}

// StoreOperations lists what the store does by itself.
func StoreOperations() []string { return []string{"sweep", "local"} }

// Server returns the metrics of the server. It knows buckets, and says so: they
// are its own, and no label of the target.
func Server() Group {
	bucket := open("bucket", "buckets that operators made")
	fresh := func(name string) Label { return open(name, "100 groups, for an hour each") }
	return Group{Name: "server", Title: "The server", Metrics: []Metric{
		{Name: ServerPushRequests, Type: Counter, Labels: []Label{open("code", "status codes that a push is answered with")}, Help: "Pushes of agents, by status code of the answer."},
		{Name: ServerPushRejected, Type: Counter, Labels: []Label{closed("reason", PushRejections())}, Help: "Pushes that were not taken as a whole, by reason.", Note: "The agent keeps what was in them, but for those that are too large or no batch, which it halves."},
		{Name: ServerPushDuration, Type: Histogram, Unit: "seconds", Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, Help: "Duration of a push in seconds, until what it holds is on disk and answered for."},
		{Name: ServerPushBytes, Type: Counter, Help: "Bytes that were pushed, after decompression."},
		{Name: ServerRecordsStored, Type: Counter, Labels: []Label{bucket}, Help: "Records that were stored."},
		{Name: ServerRecordsDuplicate, Type: Counter, Labels: []Label{bucket}, Help: "Records that were there already."},
		{Name: ServerRecordsRefused, Type: Counter, Labels: []Label{bucket, closed("reason", Refusals())}, Help: "Records that were not kept, by reason."},
		{Name: ServerLocalDropped, Type: Counter, Labels: []Label{closed("kind", RecordKinds())}, Help: "Records of the agent in this process that were dropped because the store did not keep up."},
		{Name: ServerStoreSize, Type: Gauge, Unit: "bytes", Help: "Size of the store on disk in bytes."},
		{Name: ServerStoreFailures, Type: Counter, Labels: []Label{closed("operation", StoreOperations())}, Help: "What the store was to do by itself and could not, by operation.", Note: "`sweep`: removing what is too old or too much. `local`: storing records of the agent in this process."},
		{Name: ServerStoreDeleted, Type: Counter, Help: "Records that retention has deleted."},
		{Name: ServerQueriesRunning, Type: Gauge, Help: "Queries of Loki's API that run."},
		{Name: ServerQueriesWaiting, Type: Gauge, Help: "Queries of Loki's API that wait for others."},
		{Name: ServerQueriesRefused, Type: Counter, Help: "Queries and live tails that were refused because there were too many."},
		{Name: ServerTails, Type: Gauge, Help: "Live tails."},
		{Name: ServerTailDropped, Type: Counter, Help: "Records that live tails did not send because their client was too slow."},
		{Name: ServerTailsCutOff, Type: Counter, Help: "Live tails that were ended because their client took nothing any more."},
		{Name: ServerExceptionGroups, Type: Gauge, Labels: []Label{closed("state", GroupStates())}, Help: "Exception groups, by state."},
		{Name: ServerNewExceptionGroup, Type: Info, Labels: []Label{fresh("bucket"), fresh("pm2_namespace"), fresh("app"), fresh("group"), closed("state", []string{"new", "regressed"}), fresh("title")}, Help: "Exception groups that were seen first, or regressed, within the last hour."},
	}}
}
