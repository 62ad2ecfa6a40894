//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// monitorFrame asks PM2 for its list, with an id to repeat.
const monitorFrame = "\x12" + "\x00\x00\x00\x37" + `j:{"type":"call","method":"getMonitorData","args":[{}]}` + "\x00\x00\x00\x07" + "s:bench"

// floor does the least that any exporter has to: one answer of PM2 over an
// open socket, not decoded, and one read of stat for each process, from
// descriptors that stay open.
type floor struct {
	conn  int
	stats []int
	buf   []byte
	bytes int // of the last answer
}

func openFloor(socket string, pids []int) (*floor, error) {
	f := &floor{conn: -1, buf: make([]byte, 1<<20)}
	var err error
	if f.conn, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return nil, err
	}
	timeout := unix.NsecToTimeval(int64(10 * time.Second))
	if err = unix.SetsockoptTimeval(f.conn, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err == nil {
		err = unix.Connect(f.conn, &unix.SockaddrUnix{Name: socket})
	}
	if err != nil {
		f.close()
		return nil, fmt.Errorf("connecting to %s: %w", socket, err)
	}
	for _, pid := range pids {
		fd, err := unix.Open(fmt.Sprintf("/proc/%d/stat", pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			f.close()
			return nil, err
		}
		f.stats = append(f.stats, fd)
	}
	return f, nil
}

func (f *floor) close() {
	for _, fd := range append(f.stats, f.conn) {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// threadCPU is the CPU time of this thread, which nothing else runs on. (Its
// schedstat would not do: that of a running thread is as old as the last tick.)
func threadCPU() (time.Duration, error) {
	var t unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.Nano()), err
}

// run does it once and tells the CPU time of both parts.
func (f *floor) run() (rpc, proc time.Duration, err error) {
	start, err := threadCPU()
	if err != nil {
		return 0, 0, err
	}
	if err := f.ask(); err != nil {
		return 0, 0, fmt.Errorf("asking PM2: %w", err)
	}
	asked, err := threadCPU()
	if err != nil {
		return 0, 0, err
	}
	for _, fd := range f.stats {
		if _, err := unix.Pread(fd, f.buf, 0); err != nil {
			return 0, 0, fmt.Errorf("reading stat: %w", err)
		}
	}
	end, err := threadCPU()
	return asked - start, end - asked, err
}

func (f *floor) ask() error {
	if _, err := unix.Write(f.conn, []byte(monitorFrame)); err != nil {
		return err
	}
	f.bytes = 0
	if err := f.take(1); err != nil {
		return err
	}
	for range int(f.buf[0] & 0xf) {
		if err := f.take(4); err != nil {
			return err
		}
		size := int(binary.BigEndian.Uint32(f.buf))
		if size > 64<<20 {
			return errors.New("the answer is too long")
		}
		if err := f.take(size); err != nil {
			return err
		}
	}
	return nil
}

// take reads n bytes; of many the buffer holds only the last.
func (f *floor) take(n int) error {
	f.bytes += n
	at := 0
	for n > 0 {
		if at == len(f.buf) {
			at = 0
		}
		got, err := unix.Read(f.conn, f.buf[at:min(at+n, len(f.buf))])
		if err == unix.EINTR {
			continue
		}
		if err == nil && got == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		at += got
		n -= got
	}
	return nil
}
