//go:build linux

package procfs

import (
	"io"
	"strconv"

	"golang.org/x/sys/unix"
)

const openFlags = unix.O_RDONLY | unix.O_CLOEXEC

// Descriptors of a handle that are none.
const (
	fdNone   = -1 // opened when needed
	fdDenied = -2 // may not be opened, or is not there
)

// open pins a process: all that is opened below its folder is of the one
// process that the folder belongs to.
func (l *linux) open(pid int) (handle, error) {
	h := handle{pid: pid, stat: fdNone, list: fdNone, fds: fdNone}
	keep := l.kept+3 <= l.maxKept
	if !keep {
		// Its start time is what tells it from a later one.
		err := l.stat(&h, &l.scan.st)
		h.start = l.scan.st.start
		return h, err
	}
	dir, err := unix.Openat(l.root, strconv.Itoa(pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return h, err
	}
	defer unix.Close(dir)
	if h.stat, err = unix.Openat(dir, "stat", openFlags, 0); err != nil {
		return h, err
	}
	l.kept++
	if err := l.stat(&h, &l.scan.st); err != nil {
		l.close(&h)
		return h, err
	}
	h.start = l.scan.st.start
	if l.opts.Alone {
		return h, nil
	}
	if h.list, err = unix.Openat(dir, "task/"+path(pid, "children"), openFlags, 0); err != nil {
		h.list = fdDenied
	} else {
		l.kept++
	}
	return h, nil
}

func (l *linux) close(h *handle) {
	for _, fd := range []*int{&h.stat, &h.list, &h.fds} {
		if *fd >= 0 {
			unix.Close(*fd)
			l.kept--
		}
		*fd = fdNone
	}
}

// stat reads a process' stat. What is read anew, because no descriptor is
// kept, must still be of the process that was opened.
func (l *linux) stat(h *handle, s *stat) error {
	n, err := l.pread(h.stat, h.pid, "stat", l.buf)
	if err != nil {
		return err
	}
	if err := parseStat(l.buf[:n], s); err != nil {
		return err
	}
	if h.start != 0 && s.start != h.start {
		return ErrGone
	}
	return nil
}

// pread reads the start of a process' file, from fd if that is one.
func (l *linux) pread(fd, pid int, file string, buf []byte) (int, error) {
	if fd < 0 {
		var err error
		if fd, err = unix.Openat(l.root, path(pid, file), openFlags, 0); err != nil {
			return 0, err
		}
		defer unix.Close(fd)
	}
	return pread(fd, buf, 0)
}

func pread(fd int, buf []byte, at int64) (int, error) {
	for {
		n, err := unix.Pread(fd, buf, at)
		if err == unix.EINTR {
			continue
		}
		if err == nil && n == 0 && at == 0 {
			err = io.EOF
		}
		return n, err
	}
}

// children appends the children that h's main thread has, and what the last
// scan found if that is news to its tree.
func (l *linux) children(h *handle, dst []int) []int {
	if l.scan.inUse {
		dst = l.scan.children(h.pid, dst)
	}
	fd := h.list
	if fd == fdDenied {
		return dst
	}
	if fd == fdNone {
		p := strconv.Itoa(h.pid)
		var err error
		if fd, err = unix.Openat(l.root, p+"/task/"+p+"/children", openFlags, 0); err != nil {
			return dst
		}
		defer unix.Close(fd)
	}
	// The kernel fills a page with whole numbers and then wants to be asked
	// again; less than a full page is all there is.
	for at := int64(0); ; {
		n, err := pread(fd, l.buf, at)
		if err != nil {
			return dst
		}
		dst = parsePIDs(dst, l.buf[:n])
		if n < len(l.buf)-16 {
			return dst
		}
		at += int64(n)
	}
}
