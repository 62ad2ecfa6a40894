package alertmanager

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// replaceFile writes a file as a whole or not at all, and returns it open. The
// caller sees to it that no two write the same file at a time.
func replaceFile(path string, write func(io.Writer) error) (*os.File, error) {
	tmp := path + ".tmp" // always the same: what a crash leaves is overwritten
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		_ = f.Close()
		_ = os.Remove(tmp)
		return nil, err
	}
	return f, nil
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// diskFull tells of an error that goes away by itself when somebody makes room.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
