package catalog

// Names of the metrics of an agent that sends records to a server.
const (
	SpoolBytes         = "pm25_agent_spool_bytes"
	SpoolMaxBytes      = "pm25_agent_spool_max_bytes"
	SpoolRecords       = "pm25_agent_spool_records"
	SpoolOldest        = "pm25_agent_spool_oldest_timestamp_seconds"
	SpoolWriteFailures = "pm25_agent_spool_write_failures_total"
	SpoolDamaged       = "pm25_agent_spool_damaged_bytes_total"

	ShipQueued          = "pm25_agent_ship_queued_records"
	ShipRecords         = "pm25_agent_ship_records_total"
	ShipAcknowledged    = "pm25_agent_ship_acknowledged_total"
	ShipReceipts        = "pm25_agent_ship_receipts_total"
	ShipLastReceipt     = "pm25_agent_ship_last_receipt_timestamp_seconds"
	ShipRetries         = "pm25_agent_ship_retries_total"
	ShipDropped         = "pm25_agent_ship_dropped_total"
	ShipDeadLetters     = "pm25_agent_ship_dead_letters_total"
	ShipDeadLetterBytes = "pm25_agent_ship_dead_letter_bytes"
)

// RecordKinds lists the kinds of records that an agent sends; unknown are those
// that the disk does not give back.
func RecordKinds() []string {
	return []string{"exception", "exit", "start", "restart", "stop", "reload", "delete", "deploy", "slow_request", "event", "log", "unknown"}
}

// ShipDropReasons lists why a record never gets to the server.
func ShipDropReasons() []string {
	return []string{"queue_full", "spool_full", "too_old", "corrupt", "unfit", "shutdown", "no_dead_letter"}
}

// ShipFailures lists why a request brought no receipt.
func ShipFailures() []string {
	return []string{"no_token", "unauthorized", "not_a_server", "too_much", "throttled", "server_error", "unreachable", "bad_receipt"}
}

// ShipResults lists what the server says of a record that it has.
func ShipResults() []string { return []string{"stored", "duplicate"} }

// DeadLetterReasons lists why the server refuses a record for good.
func DeadLetterReasons() []string {
	return []string{"invalid", "too_big", "too_old", "too_new", "bad_request", "too_large", "other"}
}

// DamageCauses lists what may be wrong with a part of the spool.
func DamageCauses() []string { return []string{"torn", "corrupt"} }

func shipMetrics() []Metric {
	const absent = "Absent without --server.url, as all of pm25_agent_spool_* and pm25_agent_ship_*."
	kind := closed("kind", RecordKinds())
	return []Metric{
		{Name: SpoolBytes, Type: Gauge, Unit: "bytes", Help: "Size of the spool on disk in bytes.", Note: absent},
		{Name: SpoolMaxBytes, Type: Gauge, Unit: "bytes", Help: "Size at which the spool drops its oldest records, in bytes.", Note: "--spool.max-bytes"},
		{Name: SpoolRecords, Type: Gauge, Help: "Records in the spool that the server has not acknowledged."},
		{Name: SpoolOldest, Type: Gauge, Unit: "seconds", Help: "When the oldest record that is not acknowledged was spooled, in seconds since 1970.", Note: "Absent when there is none."},
		{Name: SpoolWriteFailures, Type: Counter, Help: "Writes to the spool that failed.", Note: "A full disk. Records that were offered wait in memory meanwhile."},
		{Name: SpoolDamaged, Type: Counter, Unit: "bytes", Labels: []Label{closed("cause", DamageCauses())}, Help: "Bytes of the spool that are no whole records.", Note: "torn: cut off by a crash while they were written, and not promised to anybody. corrupt: the disk's fault; records are lost, and counted as dropped."},
		{Name: ShipQueued, Type: Gauge, Help: "Records in memory that wait to be written to the spool."},
		{Name: ShipRecords, Type: Counter, Labels: []Label{kind}, Help: "Records written to the spool."},
		{Name: ShipAcknowledged, Type: Counter, Labels: []Label{closed("result", ShipResults())}, Help: "Records that the server has on its disk.", Note: "duplicate: it had them already, after a request whose answer was lost."},
		{Name: ShipReceipts, Type: Counter, Help: "Requests that the server answered with a receipt."},
		{Name: ShipLastReceipt, Type: Gauge, Unit: "seconds", Help: "When the server answered last with a receipt, in seconds since 1970.", Note: "Absent before the first. At least one comes each minute."},
		{Name: ShipRetries, Type: Counter, Labels: []Label{closed("reason", ShipFailures())}, Help: "Requests to the server that brought no receipt and are made again."},
		{Name: ShipDropped, Type: Counter, Labels: []Label{kind, closed("reason", ShipDropReasons())}, Help: "Records that never get to the server."},
		{Name: ShipDeadLetters, Type: Counter, Labels: []Label{closed("reason", DeadLetterReasons())}, Help: "Records that the server refused for good.", Note: "They are in dead-letters.jsonl in the spool's folder."},
		{Name: ShipDeadLetterBytes, Type: Gauge, Unit: "bytes", Help: "Size of the file of dead letters in bytes.", Note: "At 8 MiB it becomes the old one."},
	}
}
