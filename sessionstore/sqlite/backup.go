package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a copy of the store, as it is at one moment, to path, which must
// not exist. Readers and writers go on meanwhile. The copy is complete or not
// there; its mode is 0600.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := s.backup(ctx, path); err != nil {
		return fmt.Errorf("back up to %s: %w", path, wrap(err))
	}
	return nil
}

func (s *Store) backup(ctx context.Context, path string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return errors.New("it exists; choose another path")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".pm25-backup-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	c, err := dial(s.o.Path)
	if err != nil {
		return err
	}
	_, err = c.exec("VACUUM INTO ?", f.Name())
	if err := errors.Join(err, c.close()); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	err = os.Link(f.Name(), path) // unlike a rename, it takes nobody's place
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(f.Name(), path) // not every file system has links
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
