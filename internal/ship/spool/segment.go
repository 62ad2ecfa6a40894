package spool

import (
	"os"
)

const (
	segmentSuffix = ".seg"
	corruptSuffix = ".corrupt"
)

// segment is one file of records.
type segment struct {
	number  uint64
	path    string
	size    int64  // of what is whole and synced
	left    counts // neither acknowledged nor dropped
	newest  int64  // when the last one was spooled, milliseconds since 1970
	scanned int64  // up to where Open has counted damage
	gone    bool   // removed
}

// firstAt is when the record at an offset was spooled. Where that can not be read
// it is the time of the segment's last one.
func (seg *segment) firstAt(offset int64) int64 {
	f, err := os.Open(seg.path)
	if err != nil {
		return seg.newest
	}
	defer f.Close()
	head := make([]byte, headSize)
	if _, err := f.ReadAt(head, offset); err != nil {
		return seg.newest
	}
	if _, good := lengthOf(head); !good {
		return seg.newest
	}
	return timeOf(head)
}
