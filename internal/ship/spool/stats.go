package spool

import (
	"time"

	"github.com/pm25/pm25/internal/record"
)

// Stats are the spool's numbers. Counts are since Open.
type Stats struct {
	Bytes, MaxBytes int64
	Records         uint64    // not yet acknowledged
	Oldest          time.Time // of them; zero without any
	Spooled         map[record.Kind]uint64
	Failures        uint64 // of Append
	TornBytes       uint64 // cut away at the end, after a crash
	CorruptBytes    uint64
}

// snapshot is what Stats is made of. Each change publishes a new one, so that who
// asks does not wait for a disk that hangs.
type snapshot struct {
	Stats
	spooled counts
}

// Stats returns the spool's numbers. It does not wait for the disk.
func (s *Spool) Stats() Stats {
	now := s.published.Load()
	out := now.Stats
	out.Spooled = now.spooled.byKind()
	return out
}

// publish is called at the end of each change.
func (s *Spool) publish() {
	now := s.told
	now.Bytes, now.MaxBytes = s.bytes, s.o.MaxBytes
	for _, seg := range s.segments {
		n := seg.left.sum()
		if now.Records == 0 && n > 0 {
			now.Oldest = time.UnixMilli(s.oldestOf(seg))
		}
		now.Records += n
	}
	s.published.Store(&now)
}

// oldestOf is when the oldest record that is left in a segment was spooled, or the
// one before it.
func (s *Spool) oldestOf(seg *segment) int64 {
	if s.start(seg) > headerSize {
		return s.reached
	}
	return seg.first
}
