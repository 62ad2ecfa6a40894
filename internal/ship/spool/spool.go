// Package spool keeps records on disk until a server has them.
//
// It guarantees:
//   - a record is on the disk when Append returns nil: written and synced, in a
//     file whose name is synced too. One sync serves all records of a call; who
//     wants group commit hands over many at once. What Append refused is nowhere,
//     or comes as a whole;
//   - Next gives records in the order of Append, each until it is acknowledged,
//     over kills, power losses and restarts. After those some may come that were
//     acknowledged before: their ids tell;
//   - the end that a crash tore off is cut away. What is damaged elsewhere costs the
//     records in it and no others; it is counted, and kept aside for people;
//   - it stays within its bounds in bytes and in age: what goes for them goes oldest
//     first, and is counted by kind and reason;
//   - a full disk fails Append and nothing else; Append works again when there is
//     room;
//   - what a newer version wrote is left as it is.
//
// It does not guarantee that a record which Append refused is not sent: the sync
// may have failed after the disk had it. It holds no index: memory is for one
// batch, and some numbers for each segment.
//
// The folder holds
//
//	0000000000000012.seg      records: a line "pm25 spool 0001", then frames (frame.go)
//	0000000000000007.corrupt  what of a segment could not be read
//	position                  up to where records are acknowledged
//	lock                      held while a process has the folder
//
// Numbers only rise. No run appends to a segment of another.
package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/record"
)

// Bounds of Options.MaxBytes, and of a segment.
const (
	MinBytes   = 4 << 20
	minSegment = 256 << 10
	maxSegment = 8 << 20
)

// Reason says why a record was dropped.
type Reason string

// The reasons.
const (
	Full    Reason = "spool_full" // the oldest made room for new ones
	TooOld  Reason = "too_old"    // older than Options.MaxAge
	Corrupt Reason = "corrupt"    // the disk does not give it back
)

// Record is a record as it is kept.
type Record struct {
	Kind record.Kind
	JSON []byte // valid, compact, at most record.MaxRecord bytes
}

// Options of a Spool. All but sync are required.
type Options struct {
	Dir      string
	MaxBytes int64         // of all segments
	MaxAge   time.Duration // since Append
	// Dropped is told of records that are gone. It must not call the spool.
	Dropped func(kind record.Kind, why Reason, n uint64)
	Logger  log.Logger
	Now     func() time.Time

	sync func(*os.File) error // for tests
}

// Spool is one folder. Append may be called by any number of goroutines, Next and
// the methods of its batches by one at a time.
type Spool struct {
	o    Options
	lock *os.File

	writing sync.Mutex // one Append at a time
	out     *os.File   // of current
	frames  []byte     // room for them

	mu       sync.Mutex
	segments []*segment // oldest first
	current  *segment   // the last one, if it is written to
	number   uint64     // of the next segment
	bytes    int64      // of all segments
	position position
	reached  int64 // when the record at the position was spooled, or the one before
	saved    *positionFile
	flight   *Batch // what is on its way
	told     snapshot

	published atomic.Pointer[snapshot]
}

// Open takes the folder, and repairs what a crash left.
func Open(o Options) (*Spool, error) {
	if o.Dropped == nil || o.Logger == nil || o.Now == nil || o.Dir == "" || o.MaxAge <= 0 {
		return nil, errors.New("spool: an option is missing")
	}
	if o.MaxBytes < MinBytes {
		return nil, fmt.Errorf("--spool.max-bytes is %d: it has to be at least %d (4MiB)", o.MaxBytes, MinBytes)
	}
	if o.sync == nil {
		o.sync = (*os.File).Sync
	}
	lock, err := takeFolder(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Spool{o: o, lock: lock}
	if err := s.load(); err != nil {
		s.closeFiles()
		return nil, fmt.Errorf("spool folder %s: %w", o.Dir, err)
	}
	s.publish()
	return s, nil
}

// Close gives the folder back. What was appended is on disk already.
func (s *Spool) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seal()
	s.free()
	err := s.o.sync(s.saved.file)
	s.closeFiles()
	if err != nil {
		return fmt.Errorf("spool folder %s: %w", s.o.Dir, err)
	}
	return nil
}

func (s *Spool) closeFiles() {
	if s.saved != nil {
		s.saved.close()
	}
	_ = s.lock.Close()
}

// Pending tells how many records wait, and about how many bytes they are.
func (s *Spool) Pending() (records uint64, size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segments {
		records += seg.left.sum()
		size += max(seg.size-s.start(seg), 0)
	}
	return records, size
}

// start is where what is not acknowledged of a segment begins.
func (s *Spool) start(seg *segment) int64 {
	if seg.number == s.position.segment {
		return max(s.position.offset, headerSize)
	}
	return headerSize
}

// segmentSize is where a new segment begins: small against all, so that a full
// spool drops little at a time.
func (s *Spool) segmentSize() int64 {
	return min(max(s.o.MaxBytes/32, minSegment), maxSegment)
}

// drop takes a segment away with what is left in it. What is on its way may still
// arrive, and is counted when it does not.
func (s *Spool) drop(seg *segment, why Reason) {
	left := seg.left
	if s.flight != nil && s.flight.segment == seg {
		left.minus(&s.flight.counts)
	}
	s.tell(&left, why)
	if n := left.sum(); n > 0 {
		level.Warn(s.o.Logger).Log("msg", "Records are dropped from the spool", "reason", why, "records", n, "segment", seg.path)
	}
	s.remove(seg)
}

func (s *Spool) tell(n *counts, why Reason) {
	for code, n := range n {
		if n > 0 {
			s.o.Dropped(kinds[code], why, n)
		}
	}
}

// remove takes a segment out of the list and from the disk. If it comes back after
// a power loss, its records go twice.
func (s *Spool) remove(seg *segment) {
	s.forget(seg)
	if err := os.Remove(seg.path); err != nil {
		level.Warn(s.o.Logger).Log("msg", "Can not remove a segment of the spool", "err", err)
	}
}

func (s *Spool) forget(seg *segment) {
	seg.gone = true
	s.bytes -= seg.size
	for i, other := range s.segments {
		if other == seg {
			s.segments = append(s.segments[:i], s.segments[i+1:]...)
			return
		}
	}
}

func (s *Spool) path(number uint64, suffix string) string {
	return filepath.Join(s.o.Dir, fmt.Sprintf("%016d%s", number, suffix))
}
