package pm2test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Temporary homes carry a lock that their test holds for as long as it lives.
// The kernel lets go of it however the test ends, so a home with a lock that can
// be taken belongs to nobody, and what still runs in it may be killed.
const (
	homePrefix = "pm25t-"
	ownerFile  = "owner.lock"
)

type tempHome struct {
	dir  string
	lock *os.File
}

// tempBase is where homes go: the usual place for temporary files, unless its
// path is too long for sockets.
func tempBase() string {
	if d := os.TempDir(); len(d) <= 60 {
		return d
	}
	return "/tmp"
}

func newTempHome() (*tempHome, error) {
	dir, err := os.MkdirTemp(tempBase(), homePrefix)
	if err != nil {
		return nil, err
	}
	// The lock gets its name when it is held: a sweep never sees it free.
	tmp := filepath.Join(dir, ownerFile+".new")
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err == nil {
		err = os.Rename(tmp, filepath.Join(dir, ownerFile))
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return &tempHome{dir: dir, lock: f}, nil
}

func (h *tempHome) remove() {
	os.RemoveAll(h.dir)
	h.lock.Close()
}

var sweepOnce sync.Once

// sweepHomes ends what runs in homes that no test owns any more.
func sweepHomes() {
	locks, _ := filepath.Glob(filepath.Join(tempBase(), homePrefix+"*", ownerFile))
	for _, name := range locks {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue // another user's, or gone meanwhile
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			if KillHome(ctx, filepath.Dir(name), 0) == nil {
				os.RemoveAll(filepath.Dir(name))
			}
			cancel()
		}
		f.Close()
	}
}
