//go:build unix

package discovery

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// withLock runs do while no other agent or command changes files in the folder of
// file. The lock is on the folder: the file itself is replaced by each change.
func withLock(file string, do func() error) error {
	d, err := os.Open(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("known daemons: %w", err)
	}
	defer d.Close() // lets go of the lock
	for range 40 {
		if err = unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("known daemons: lock %s: %w", d.Name(), err)
	}
	return do()
}

// keepOwner gives a file to the owner of the one that it is to replace.
func keepOwner(f *os.File, old fs.FileInfo) error {
	if st, ok := old.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return f.Chown(int(st.Uid), int(st.Gid))
	}
	return nil
}
