package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/record"
)

// keptRoom is how much room for frames stays allocated between calls.
const keptRoom = 64 << 10

// Append puts records on disk, all or none of them, with one sync.
func (s *Spool) Append(records ...Record) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	var n counts
	size := 0
	for _, r := range records {
		if len(r.JSON) == 0 || len(r.JSON) > record.MaxRecord {
			return fmt.Errorf("spool: a record has %d bytes, at most %d are kept", len(r.JSON), record.MaxRecord)
		}
		size += headSize + len(r.JSON)
	}
	at := s.o.Now().UnixMilli()
	frames := slices.Grow(s.frames[:0], size)
	for _, r := range records {
		code := codeOf(r.Kind)
		n.add(code, 1)
		frames = appendFrame(frames, code, at, r.JSON)
	}
	s.frames = frames
	if cap(s.frames) > keptRoom {
		s.frames = nil
	}
	err := s.append(frames, &n, at)
	if err != nil {
		s.mu.Lock()
		s.told.Failures++
		s.publish()
		s.mu.Unlock()
		return fmt.Errorf("writing to the spool: %w", err)
	}
	return nil
}

// append is the way of frames to the disk. Readers see them when they are there.
func (s *Spool) append(frames []byte, n *counts, at int64) error {
	s.makeRoom(int64(len(frames)))
	if s.current == nil {
		if err := s.begin(); err != nil {
			return err
		}
	}
	seg := s.current // it is only ever changed with writing held
	if err := s.write(seg, frames); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.start(seg) >= seg.size { // nothing is left of what was there
		s.reached = at
	}
	if seg.size == headerSize {
		seg.first = at
	}
	seg.size += int64(len(frames))
	seg.newest = max(seg.newest, at)
	seg.left.plus(n)
	s.bytes += int64(len(frames))
	s.told.spooled.plus(n)
	s.publish()
	return nil
}

// makeRoom ends a segment that has grown enough, and drops the oldest while there
// are too many bytes.
func (s *Spool) makeRoom(more int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && s.current.size+more > s.segmentSize() && s.current.size > headerSize {
		s.seal()
	}
	s.free()
	for len(s.segments) > 0 && s.segments[0] != s.current && s.bytes+more+headerSize > s.o.MaxBytes {
		s.drop(s.segments[0], Full)
	}
	s.publish()
}

// seal ends the current segment.
func (s *Spool) seal() {
	if s.current != nil {
		_ = s.out.Close() // synced already
		s.out, s.current = nil, nil
	}
}

// begin makes the next segment. Its name is on disk before any record is.
func (s *Spool) begin() error {
	seg, f, err := s.create()
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(header()), 0)
	if err == nil {
		err = s.o.sync(f)
	}
	if err == nil {
		err = s.syncDir()
	}
	if err != nil {
		_ = f.Close()
		return errors.Join(err, os.Remove(seg.path))
	}
	seg.size = headerSize
	s.mu.Lock()
	defer s.mu.Unlock()
	s.segments = append(s.segments, seg)
	s.bytes += seg.size
	s.current, s.out = seg, f
	return nil
}

func (s *Spool) create() (*segment, *os.File, error) {
	for {
		seg := &segment{number: s.number, path: s.path(s.number, segmentSuffix)}
		f, err := os.OpenFile(seg.path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			s.number++
			return seg, f, err
		}
		s.number++
	}
}

// write appends to the current segment. A part that was written is cut off again;
// after a sync that failed nobody knows what is on the disk, and the segment ends.
func (s *Spool) write(seg *segment, frames []byte) error {
	_, err := s.out.WriteAt(frames, seg.size)
	wrote := err == nil
	if wrote {
		err = s.o.sync(s.out)
	}
	if err == nil {
		return nil
	}
	cut := s.out.Truncate(seg.size)
	if wrote || cut != nil {
		level.Debug(s.o.Logger).Log("msg", "A segment of the spool ends early", "segment", seg.path, "err", err, "truncate_err", cut)
		s.mu.Lock()
		s.seal()
		s.mu.Unlock()
	}
	return err
}
