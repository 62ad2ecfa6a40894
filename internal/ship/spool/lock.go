package spool

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const lockName = "lock"

// takeFolder makes the folder and locks it. The lock ends with the process,
// however that ends.
func takeFolder(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool folder: %w; name another one with --spool.dir", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("spool folder: %w; name another one with --spool.dir", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("spool folder %s is in use by another process: stop that one, or name another folder with --spool.dir", dir)
	}
	return lock, nil
}

// syncDir makes the names in the folder survive a power loss.
func (s *Spool) syncDir() error {
	d, err := os.Open(s.o.Dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return s.o.sync(d)
}
