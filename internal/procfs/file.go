package procfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// readBounded reads a file, but not more than limit bytes of it.
func readBounded(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// isNotExist also takes ESRCH, with which files of /proc answer once their
// process is gone.
func isNotExist(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}
