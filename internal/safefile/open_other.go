//go:build !linux

package safefile

import (
	"errors"
	"io/fs"
	"os"
)

var errRoot = errors.New("files of another root are supported on Linux only")

func open(root, path string, ownerUID int) (*os.File, error) {
	before, err := stat(root, path, ownerUID)
	if err != nil {
		return nil, err
	}
	// The open of a FIFO would block, of a device act on it.
	if !before.Mode().IsRegular() {
		return nil, ErrNotRegular
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err == nil && !os.SameFile(before, after) {
		err = errors.New("the file changed while it was opened")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func stat(root, path string, ownerUID int) (fs.FileInfo, error) {
	if root != "" {
		return nil, errRoot
	}
	link, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if link.Mode()&fs.ModeSymlink == 0 {
		return link, nil
	}
	if uid, ok := UID(link); !ok || (uid != 0 && uid != ownerUID) {
		return nil, ErrLink
	}
	return os.Stat(path)
}

func dir(root, path string) (*os.File, error) {
	if root != "" {
		return nil, errRoot
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, ErrNotDir
	}
	return os.Open(path)
}
