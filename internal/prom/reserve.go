package prom

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// reserve is room that is held back for the storage. It writes finished chunks
// of memory to disk once a minute and panics when it can not; when the disk is
// full those that are finished by then still have to go there.
type reserve struct {
	path string
	size int64
	held bool
	off  bool // the file system can not hold room back: not tried again
}

func newReserve(dir string, minFree uint64) *reserve {
	return &reserve{path: dir + ".reserve", size: int64(min(minFree/2, 32<<20))}
}

// take holds the room, once there is some.
func (r *reserve) take() error {
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		defer f.Close()
		if err = unix.Fallocate(int(f.Fd()), 0, 0, r.size); err != nil {
			_ = os.Remove(r.path) // half of it helps nobody
		}
	}
	r.held = err == nil
	r.off = err != nil && !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT)
	return err
}

// release gives the room back.
func (r *reserve) release() {
	if err := os.Remove(r.path); err == nil || errors.Is(err, fs.ErrNotExist) {
		r.held = false
	}
}
