//go:build linux

package procfs

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// scanner walks over all processes now and then and remembers who is whose
// child. What it says is old news by the time it is used, so users check it.
type scanner struct {
	generation uint64
	at         time.Time
	links      []link // by parent
	inUse      bool   // the tree at work has not taken this scan in yet
	st         stat
	pids       []int
	dirents    []byte
}

type link struct{ parent, child int }

// refresh scans if the last scan is older than interval. It costs about 10 µs
// for each process of the host.
func (s *scanner) refresh(now time.Time, interval time.Duration, procRoot string, root int, buf []byte) {
	if s.generation > 0 && now.Sub(s.at) < interval && !now.Before(s.at) {
		return
	}
	s.generation++
	s.at = now
	s.links = s.links[:0]
	if !s.list(procRoot) {
		return
	}
	for _, pid := range s.pids {
		fd, err := unix.Openat(root, path(pid, "stat"), openFlags, 0)
		if err != nil {
			continue
		}
		n, err := pread(fd, buf, 0)
		unix.Close(fd)
		if err == nil && parseStat(buf[:n], &s.st) == nil && s.st.ppid > 0 {
			s.links = append(s.links, link{s.st.ppid, pid})
		}
	}
	slices.SortFunc(s.links, func(a, b link) int { return cmp.Compare(a.parent, b.parent) })
}

// list fills s.pids with the processes of the host.
func (s *scanner) list(procRoot string) bool {
	dir, err := unix.Open(procRoot, openFlags|unix.O_DIRECTORY, 0)
	if err != nil {
		return false
	}
	defer unix.Close(dir)
	if s.dirents == nil {
		s.dirents = make([]byte, 32<<10)
	}
	s.pids = s.pids[:0]
	for {
		n, err := unix.Getdents(dir, s.dirents)
		if err != nil || n == 0 {
			return err == nil
		}
		for b := s.dirents[:n]; len(b) > 19; {
			size := int(binary.NativeEndian.Uint16(b[16:]))
			if size <= 19 || size > len(b) {
				break
			}
			if b[19] >= '1' && b[19] <= '9' {
				name := b[19:size]
				if end := slices.Index(name, 0); end >= 0 {
					name = name[:end]
				}
				s.pids = parsePIDs(s.pids, name)
			}
			b = b[size:]
		}
	}
}

func (s *scanner) children(parent int, dst []int) []int {
	i, _ := slices.BinarySearchFunc(s.links, parent, func(l link, p int) int { return cmp.Compare(l.parent, p) })
	for ; i < len(s.links) && s.links[i].parent == parent; i++ {
		dst = append(dst, s.links[i].child)
	}
	return dst
}
