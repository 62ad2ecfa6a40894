package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/go-kit/log/level"
)

// load reads the folder: which segments there are, what is in them, what a crash
// tore. It changes nothing before it knows that it knows all of it.
func (s *Spool) load() error {
	numbers, last, err := s.list()
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if err := s.refuseNewer(n); err != nil {
			return err
		}
	}
	if s.saved, s.position, err = openPosition(s.o.Dir); err != nil {
		return err
	}
	s.number = max(last, s.position.segment) + 1
	for i, n := range numbers {
		seg := &segment{number: n, path: s.path(n, segmentSuffix)}
		if n < s.position.segment {
			if err := os.Remove(seg.path); err != nil {
				return err
			}
			continue
		}
		if err := s.examine(seg, i == len(numbers)-1); err != nil {
			return err
		}
	}
	return nil
}

// list returns the numbers of the segments in order, and the highest number that
// any file has.
func (s *Spool) list() (numbers []uint64, last uint64, err error) {
	entries, err := os.ReadDir(s.o.Dir)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		name, isSegment := strings.CutSuffix(e.Name(), segmentSuffix)
		name, isCorrupt := strings.CutSuffix(name, corruptSuffix)
		n, err := strconv.ParseUint(name, 10, 63)
		if err != nil || !isSegment && !isCorrupt || !e.Type().IsRegular() {
			continue
		}
		last = max(last, n)
		if isSegment {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, last, nil
}

func (s *Spool) refuseNewer(number uint64) error {
	path := s.path(number, segmentSuffix)
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, headerSize)
	n, _ := io.ReadFull(f, head) // what can not be read is damage, told of later
	if v := versionOf(head[:n]); v > formatVersion {
		return fmt.Errorf("%s was written by a newer pm25-agent (version %d of the format; this one knows %d): run that agent, or name another folder with --spool.dir", path, v, formatVersion)
	}
	return nil
}

// examine takes up a segment of an earlier run. Only the last one can have been
// written to when that run ended: its end may be torn.
func (s *Spool) examine(seg *segment, last bool) error {
	f, err := os.OpenFile(seg.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	seg.size, seg.scanned = info.Size(), info.Size()
	damaged, err := s.count(seg, f)
	if err != nil {
		level.Error(s.o.Logger).Log("msg", "A segment of the spool can not be read and is set aside", "segment", seg.path, "records", seg.left.sum(), "err", err)
		seg.left.add(0, 1)
		s.tell(&seg.left, Corrupt)
		s.told.CorruptBytes += uint64(seg.size)
		s.setAside(seg)
		return nil
	}
	if n := len(damaged); last && n > 0 && damaged[n-1].to == seg.size {
		if err := s.cutOff(seg, f, damaged[n-1].from); err != nil {
			return err
		}
		damaged = damaged[:n-1]
	}
	s.tellOldDamage(seg, damaged)
	if seg.left.sum() == 0 {
		return os.Remove(seg.path)
	}
	if s.start(seg) > headerSize {
		s.reached = seg.first
	}
	s.segments = append(s.segments, seg)
	s.bytes += seg.size
	return nil
}

// count finds the records that are not acknowledged, and what is no record.
func (s *Spool) count(seg *segment, f *os.File) (damaged []region, err error) {
	sc := scanner{r: f, at: min(s.start(seg), seg.size), end: seg.size}
	if seg.size <= headerSize && seg.size > 0 {
		head := make([]byte, seg.size)
		if _, err := f.ReadAt(head, 0); err != nil {
			return nil, err
		}
		if string(head) != header() {
			return []region{{0, seg.size}}, nil
		}
	}
	for {
		r, skipped, err := sc.next()
		end := sc.at
		if err == nil {
			end = r.offset
		}
		if skipped > 0 {
			damaged = append(damaged, region{end - skipped, end})
		}
		if errors.Is(err, io.EOF) {
			return damaged, nil
		}
		if err != nil {
			return damaged, err
		}
		if seg.left.sum() == 0 {
			seg.first = r.at
		}
		seg.left.add(r.kind, 1)
		seg.newest = max(seg.newest, r.at)
	}
}

// cutOff removes the torn end of a segment.
func (s *Spool) cutOff(seg *segment, f *os.File, from int64) error {
	torn := seg.size - from
	s.told.TornBytes += uint64(torn)
	level.Warn(s.o.Logger).Log("msg", "The end of the spool is no whole record and is cut off: it was being written when the last run ended", "segment", seg.path, "bytes", torn)
	if err := f.Truncate(from); err != nil {
		return err
	}
	seg.size = from
	return s.o.sync(f)
}

// tellOldDamage is tellDamage for a segment of an earlier run, of at least one
// record for each part. What that run has counted is aside already.
func (s *Spool) tellOldDamage(seg *segment, damaged []region) {
	if len(damaged) == 0 {
		return
	}
	if _, err := os.Stat(s.path(seg.number, corruptSuffix)); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	s.tellDamage(seg, damaged)
	s.o.Dropped(Unknown, Corrupt, uint64(len(damaged)))
}
