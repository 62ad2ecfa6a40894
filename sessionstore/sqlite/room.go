package sqlite

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/pm25/pm25/sessionstore"
)

// On a disk without any room SQLite can not even open its file: it needs some for
// the WAL and its index. So some is kept in a file beside it, and given up when
// the store can not be opened otherwise.
const (
	roomSuffix = ".room"
	roomBytes  = 1 << 20
)

// openWithRoom opens the store, with the room that was kept if there is no other.
func openWithRoom(o Options) (*Store, error) {
	s, err := open(o)
	if errors.Is(wrap(err), sessionstore.ErrFull) && os.Remove(o.Path+roomSuffix) == nil {
		s, err = open(o)
	}
	if err == nil {
		s.keepRoom()
	}
	return s, err
}

// keepRoom keeps as much as there is, which may be less, or nothing: it is for
// the next start, and no reason to fail.
func (s *Store) keepRoom() {
	path := s.o.Path + roomSuffix
	if info, err := os.Stat(path); err == nil && info.Size() >= roomBytes {
		return
	}
	data := make([]byte, roomBytes)
	_, _ = rand.Read(data) // zeros may take no room
	if err := os.WriteFile(path, data, 0o600); err != nil {
		s.log.Debug("Could not keep room for the next start", "err", err)
	}
}

// full says that the file system has less room than is to be left to others.
func (s *Store) full() error {
	if s.o.MinFree == 0 {
		return nil
	}
	var st unix.Statfs_t
	if err := unix.Statfs(s.o.Path, &st); err != nil {
		return fmt.Errorf("free room: %w", err)
	}
	free := int64(st.Bavail) * st.Bsize
	if free >= s.o.MinFree {
		return nil
	}
	return fmt.Errorf("%w: %d bytes are free, %d are left to others", sessionstore.ErrFull, free, s.o.MinFree)
}
