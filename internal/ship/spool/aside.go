package spool

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-kit/log/level"
)

// Bounds of what is kept of damage, for people to look at.
const (
	maxAsideFile  = 1 << 20
	maxAsideFiles = 8
)

// region is a part of a segment.
type region struct{ from, to int64 }

// tellDamage counts what of a segment is damaged, and keeps it aside as far as
// there is room for such. That keeping fails costs a look at what is lost anyway.
func (s *Spool) tellDamage(seg *segment, damaged []region) {
	for _, r := range damaged {
		s.told.CorruptBytes += uint64(r.to - r.from)
		level.Error(s.o.Logger).Log("msg", "A part of the spool is damaged and skipped", "segment", seg.path, "from", r.from, "to", r.to)
		if err := copyRegion(s.path(seg.number, corruptSuffix), seg.path, r); err != nil {
			level.Warn(s.o.Logger).Log("msg", "Can not keep what is damaged", "segment", seg.path, "err", err)
		}
	}
	if len(damaged) > 0 {
		s.pruneAside()
	}
}

func copyRegion(to, from string, r region) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	info, err := out.Stat()
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.NewSectionReader(in, r.from, min(r.to-r.from, maxAsideFile-info.Size())))
	return err
}

// setAside keeps a whole segment, as far as it is within the bound.
func (s *Spool) setAside(seg *segment) {
	aside := s.path(seg.number, corruptSuffix)
	err := os.Rename(seg.path, aside)
	if err == nil && seg.size > maxAsideFile {
		err = os.Truncate(aside, maxAsideFile)
	}
	if err != nil {
		level.Warn(s.o.Logger).Log("msg", "Can not keep what is damaged", "segment", seg.path, "err", err)
	}
	s.pruneAside()
}

// pruneAside removes the oldest of what was kept.
func (s *Spool) pruneAside() {
	entries, err := os.ReadDir(s.o.Dir) // sorted: by number
	if err != nil {
		return
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !strings.HasSuffix(e.Name(), corruptSuffix) })
	for len(entries) > maxAsideFiles {
		_ = os.Remove(filepath.Join(s.o.Dir, entries[0].Name()))
		entries = entries[1:]
	}
}
