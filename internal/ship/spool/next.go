package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/go-kit/log/level"
)

// Batch is some records that come next. Ack or Release ends it.
type Batch struct {
	Records []Record

	spool    *Spool
	segment  *segment
	from, to int64
	counts   counts
	first    int64    // when the first one was spooled
	last     int64    // … and the last one
	old      counts   // before from: too old
	damaged  []region // in it, beyond what Open has counted
}

// Next returns the oldest records, at most so many and so many bytes of them, but
// one in any case; nil when there are none. An earlier batch has to be ended
// before.
func (s *Spool) Next(records int, size int64) (*Batch, error) {
	if s.flight != nil {
		return nil, errors.New("spool: the last batch is not ended")
	}
	for {
		seg, from, to := s.oldest()
		if seg == nil {
			return nil, nil
		}
		b := &Batch{spool: s, segment: seg, from: from, to: from}
		err := b.read(to, records, size)
		switch {
		case err == nil:
			if s.take(b) {
				return b, nil
			}
		case !s.giveUp(seg, err):
			return nil, fmt.Errorf("reading from the spool: %w", err)
		}
	}
}

// oldest returns the segment that is read from, and from where to where. What is
// used up or too old goes.
func (s *Spool) oldest() (seg *segment, from, to int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.publish()
	s.free()
	oldest := s.o.Now().Add(-s.o.MaxAge).UnixMilli()
	for len(s.segments) > 0 && s.segments[0] != s.current && s.segments[0].newest < oldest {
		s.drop(s.segments[0], TooOld)
	}
	if len(s.segments) == 0 {
		return nil, 0, 0
	}
	seg = s.segments[0]
	from = s.start(seg)
	if from >= seg.size {
		return nil, 0, 0
	}
	return seg, from, seg.size
}

// free removes the segments of which all is acknowledged. Records that should have
// been in them and were not found are lost.
func (s *Spool) free() {
	for len(s.segments) > 0 && s.segments[0] != s.current && s.start(s.segments[0]) >= s.segments[0].size {
		s.drop(s.segments[0], Corrupt)
	}
}

// read fills the batch from what lies before end.
func (b *Batch) read(end int64, records int, size int64) error {
	f, err := os.Open(b.segment.path)
	if err != nil {
		return err
	}
	defer f.Close()
	oldest := b.spool.o.Now().Add(-b.spool.o.MaxAge).UnixMilli()
	room := make([]byte, 0, min(end-b.from, size))
	var ends []int
	for sc := (scanner{r: f, at: b.from, end: end}); len(ends) < records; {
		r, damaged, err := sc.next()
		switch {
		case errors.Is(err, io.EOF):
			b.damage(end-damaged, end)
			b.to = end
		case err != nil && len(ends) == 0:
			return err
		}
		if err != nil || len(ends) > 0 && int64(len(room)+len(r.json)) > size {
			break
		}
		b.damage(r.offset-damaged, r.offset)
		b.to = sc.at
		if len(ends) == 0 && r.at < oldest {
			b.old.add(r.kind, 1)
			b.from = sc.at
			continue
		}
		if len(ends) == 0 {
			b.first = r.at
		}
		b.last = r.at
		room = append(room, r.json...)
		ends = append(ends, len(room))
		b.Records = append(b.Records, Record{Kind: kindOf(r.kind)})
		b.counts.add(r.kind, 1)
	}
	begin := 0
	for i, end := range ends { // only now does room stay where it is
		b.Records[i].JSON = room[begin:end:end]
		begin = end
	}
	return nil
}

// damage notes a part that was skipped.
func (b *Batch) damage(from, to int64) {
	if from < to && from >= b.segment.scanned {
		b.damaged = append(b.damaged, region{from, to})
	}
}

// take puts a batch on its way. It returns false when there is nothing in it: it
// was old or damaged, or dropped meanwhile.
func (s *Spool) take(b *Batch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.publish()
	if b.segment.gone {
		return false
	}
	b.segment.left.minus(&b.old)
	s.tell(&b.old, TooOld)
	if len(b.Records) == 0 {
		s.confirm(b)
		return false
	}
	before := slices.IndexFunc(b.damaged, func(r region) bool { return r.to > b.from })
	if before < 0 {
		before = len(b.damaged)
	}
	s.tellDamage(b.segment, b.damaged[:before])
	b.damaged = b.damaged[before:]
	s.move(position{b.segment.number, b.from})
	s.flight, s.reached = b, b.first
	return true
}

// Ack says that the batch's records need not be kept any more.
func (b *Batch) Ack() {
	s := b.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.publish()
	s.flight = nil
	if b.segment.gone {
		return
	}
	b.segment.left.minus(&b.counts)
	s.confirm(b)
	s.free()
}

// Release says that the batch's records have to come again. Those that had to make
// room meanwhile can not.
func (b *Batch) Release() {
	s := b.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.publish()
	s.flight = nil
	if b.segment.gone {
		s.tell(&b.counts, Full)
	}
}

// confirm moves the position past a batch.
func (s *Spool) confirm(b *Batch) {
	s.tellDamage(b.segment, b.damaged)
	s.move(position{b.segment.number, b.to})
	s.reached = max(s.reached, b.last)
}

// move saves the position. It failing costs that records go twice after a restart.
func (s *Spool) move(p position) {
	if p == s.position {
		return
	}
	s.position = p
	if err := s.saved.write(p); err != nil {
		level.Warn(s.o.Logger).Log("msg", "Can not save how far the spool is acknowledged", "err", err)
	}
}

// giveUp gives up a segment that can not be read. It returns false for the one that
// is written to: it may be read later, and is given up when it is not.
func (s *Spool) giveUp(seg *segment, why error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.publish()
	if seg.gone {
		return true // dropped meanwhile: nothing to give up
	}
	if seg == s.current {
		return false
	}
	level.Error(s.o.Logger).Log("msg", "A segment of the spool can not be read and is set aside", "segment", seg.path, "records", seg.left.sum(), "err", why)
	s.tell(&seg.left, Corrupt)
	s.told.CorruptBytes += uint64(seg.size - s.start(seg))
	s.forget(seg)
	s.setAside(seg)
	return true
}
