// Package claim lets the pm25-agent that watches a PM2 daemon be found by a
// `pm25 up` on the same host, which then leaves that daemon to it and takes its
// metrics from it.
//
// A claim is a listening abstract Unix socket, named after the owner, device
// and inode of the daemon's home: it needs no file, and is gone with its
// process, however that ends. Both sides check whom they talk to (SO_PEERCRED):
// only root, the owner of the home and the checking side's own user count, so
// that no other user can take a daemon away from us or read from us. A socket
// is seen within its network namespace only.
package claim

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/safefile"
)

// ErrTaken says that another process has claimed the daemon.
var ErrTaken = errors.New("another pm25-agent watches this daemon")

// home identifies a daemon's home whatever path or namespace it is seen through.
type home struct {
	name string
	uid  int
}

func identify(c discovery.Candidate) (home, error) {
	dir, err := safefile.Dir(c.Root, c.Home)
	if err != nil {
		return home{}, err
	}
	defer dir.Close()
	info, err := dir.Stat()
	if err != nil {
		return home{}, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return home{}, fmt.Errorf("stat %s: no inode on this system", c.Path(""))
	}
	return home{name: fmt.Sprintf("@pm25-agent/%d/%x-%x", st.Uid, st.Dev, st.Ino), uid: int(st.Uid)}, nil
}

// trusts tells whether a process of this user may hold or use a claim.
func (h home) trusts(uid int) bool {
	return uid == 0 || uid == h.uid || uid == os.Geteuid()
}
