// Package safefile opens files whose names come from apps or from PM2's users:
// log files, saved process lists, source maps, files below /proc/<pid>/root.
//
// It guarantees that what is opened
//
//   - lies below the given root: an absolute symlink or ".." inside it cannot lead out;
//   - was not reached through a magic link (/proc/<pid>/fd/3, /proc/<pid>/cwd …);
//   - was reached only through symlinks that belong to root or to the expected
//     owner. Log files may well be symlinks, so they are followed, but another
//     user's symlink may not choose for us which of the owner's files we read;
//   - is a regular file of the expected owner and not larger than allowed, judged
//     on the opened file, not on its name. A FIFO cannot block us and a device is
//     never opened for reading.
//
// It does not guarantee that the contents are harmless, that the file stays within
// its size while it is read (readers set their own limit), nor that the owner has
// not linked to another file of its own. Outside Linux the checks are by name
// first and by open file after, and roots are not supported.
package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// What is wrong with a file; test with errors.Is.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrOwner      = errors.New("wrong owner")
	ErrTooLarge   = errors.New("file too large")
	ErrLink       = errors.New("untrusted symlink")
	ErrNotDir     = errors.New("not a folder, or a symlink to one")
)

// Open opens path below root for reading. root is "" for the file system as this
// process sees it, or for example "/proc/<pid>/root". The file has to be regular,
// owned by ownerUID, and no larger than maxSize bytes (0 = no limit).
func Open(root, path string, ownerUID int, maxSize int64) (*os.File, fs.FileInfo, error) {
	f, err := open(root, path, ownerUID)
	if err != nil {
		return nil, nil, fmt.Errorf("open %s%s: %w", root, path, err)
	}
	info, err := f.Stat()
	if err == nil {
		err = check(info, ownerUID, maxSize)
	}
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("open %s%s: %w", root, path, err)
	}
	return f, info, nil
}

// Stat tells about the regular file that Open would open, without the right to
// read it and without opening it.
func Stat(root, path string, ownerUID int) (fs.FileInfo, error) {
	info, err := stat(root, path, ownerUID)
	if err == nil {
		err = check(info, ownerUID, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("stat %s%s: %w", root, path, err)
	}
	return info, nil
}

// Dir returns a handle on the folder path below root that is good for *at calls
// and for Stat, not for reading. The last component may not be a symlink; those
// before it may. Any owner: the caller judges the handle.
func Dir(root, path string) (*os.File, error) {
	f, err := dir(root, path)
	if err != nil {
		return nil, fmt.Errorf("open folder %s%s: %w", root, path, err)
	}
	return f, nil
}

func check(info fs.FileInfo, ownerUID int, maxSize int64) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w (%s)", ErrNotRegular, info.Mode().Type())
	}
	uid, ok := UID(info)
	if !ok || uid != ownerUID {
		return fmt.Errorf("%w: belongs to uid %d, expected uid %d", ErrOwner, uid, ownerUID)
	}
	if maxSize > 0 && info.Size() > maxSize {
		return fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLarge, info.Size(), maxSize)
	}
	return nil
}
