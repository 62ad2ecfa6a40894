package ship

import (
	"sync"

	"github.com/pm25/pm25/internal/ship/spool"
)

// Bounds of what waits for the disk, and of one commit.
const (
	maxQueueBytes   = 4 << 20
	maxQueueRecords = 4096
	commitBytes     = 256 << 10
)

// entry is a record that waits for the disk.
type entry struct {
	spool.Record
	done chan error // of Put, told once; nil: nobody waits
}

// queue holds what waits. Records of Put are not bounded by it: each has a caller
// that waits.
type queue struct {
	wake chan struct{} // something came, or it was closed

	mu      sync.Mutex
	entries []entry
	bytes   int // of records that nobody waits for
	offers  int
	closed  bool
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// add takes an entry. It returns false when the queue is closed, or full and nobody
// waits for the entry.
func (q *queue) add(e entry) (added, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, true
	}
	if e.done == nil {
		if q.offers >= maxQueueRecords || q.bytes+len(e.JSON) > maxQueueBytes {
			return false, false
		}
		q.offers++
		q.bytes += len(e.JSON)
	}
	q.entries = append(q.entries, e)
	q.signal()
	return true, false
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns what is to be written next, at most commitBytes of it, but one entry
// in any case; only what somebody waits for while the others rest. full says that
// there is more.
func (q *queue) take(onlyPuts bool) (batch []entry, full, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var rest []entry
	size := 0
	for _, e := range q.entries {
		tooMuch := len(batch) > 0 && size+len(e.JSON) > commitBytes
		if tooMuch || onlyPuts && !q.closed && e.done == nil {
			full = full || tooMuch
			rest = append(rest, e)
			continue
		}
		size += len(e.JSON)
		batch = append(batch, e)
	}
	for _, e := range batch {
		if e.done == nil {
			q.offers--
			q.bytes -= len(e.JSON)
		}
	}
	q.entries = rest
	return batch, full, q.closed
}

// back puts entries to the front again.
func (q *queue) back(entries []entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range entries {
		q.offers++
		q.bytes += len(e.JSON)
	}
	q.entries = append(entries, q.entries...)
}

// close refuses what comes from now on.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.entries)
}
