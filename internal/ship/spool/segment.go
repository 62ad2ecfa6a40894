package spool

const (
	segmentSuffix = ".seg"
	corruptSuffix = ".corrupt"
)

// segment is one file of records. Times are milliseconds since 1970.
type segment struct {
	number  uint64
	path    string
	size    int64  // of what is whole and synced
	left    counts // neither acknowledged nor dropped
	first   int64  // when its first record was spooled, as far as this run knows
	newest  int64  // … and its last one
	scanned int64  // up to where Open has counted damage
	gone    bool   // removed
}
