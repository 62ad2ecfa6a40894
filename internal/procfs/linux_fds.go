//go:build linux

package procfs

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// maxCountedFDs bounds the counting of a folder: a process with more open
// descriptors shows this many. Kernels from 6.2 on know the number and have
// no bound.
const maxCountedFDs = 1 << 16

// fdCounter knows how to count the entries of /proc/<pid>/fd.
type fdCounter struct {
	procfs bool // the size of a folder elsewhere means something else
	sized  bool // the kernel gives the number as the folder's size
	counts bool // it does not
	buf    []byte
}

func newFDCounter(root int) fdCounter {
	var fs unix.Statfs_t
	// Fstatfs on an O_PATH descriptor is fine since Linux 3.12.
	c := fdCounter{procfs: unix.Fstatfs(root, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC}
	c.counts = !c.procfs
	return c
}

// openFDs counts a process' descriptors, -1 if it may not. A folder that may
// not be opened is tried again after the next scan, as rights can change.
func (l *linux) openFDs(h *handle) int {
	if h.fds == fdDenied {
		if h.retryDeniedFDsScan == l.scan.generation {
			return -1
		}
		h.fds = fdNone
	}
	fd := h.fds
	if fd < 0 {
		var err error
		fd, err = unix.Openat(l.root, path(h.pid, "fd"), openFlags|unix.O_DIRECTORY, 0)
		if err != nil {
			h.fds, h.retryDeniedFDsScan = fdDenied, l.scan.generation
			return -1
		}
		if h.stat >= 0 && l.kept < l.maxKept {
			// A stat that still answers was there all the time, so the
			// folder is of the same process.
			if _, err := pread(h.stat, l.buf, 0); err != nil {
				unix.Close(fd)
				return -1
			}
			h.fds = fd
			l.kept++
		} else {
			defer unix.Close(fd)
		}
	}
	return l.fdSize.count(fd)
}

func (c *fdCounter) count(fd int) int {
	if !c.counts {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return -1
		}
		if st.Size > 0 {
			c.sized = true
		}
		if c.sized {
			return int(st.Size)
		}
	}
	n := c.list(fd)
	if n > 0 && !c.sized {
		// Size 0 and yet entries: a kernel older than 6.2.
		c.counts = true
	}
	return n
}

// list counts the entries of a folder the old way.
func (c *fdCounter) list(fd int) int {
	if c.buf == nil {
		c.buf = make([]byte, 32<<10)
	}
	if _, err := unix.Seek(fd, 0, 0); err != nil {
		return -1
	}
	count := 0
	for count < maxCountedFDs {
		n, err := unix.Getdents(fd, c.buf)
		if err != nil {
			return -1
		}
		if n == 0 {
			return count
		}
		count += countDirents(c.buf[:n])
	}
	return maxCountedFDs
}

// countDirents counts what getdents64 gave, without "." and "..".
func countDirents(b []byte) int {
	const nameAt = 19 // after d_ino, d_off, d_reclen, d_type
	count := 0
	for len(b) > nameAt {
		size := int(binary.NativeEndian.Uint16(b[16:]))
		if size <= nameAt || size > len(b) {
			break
		}
		if b[nameAt] != '.' {
			count++
		}
		b = b[size:]
	}
	return count
}
