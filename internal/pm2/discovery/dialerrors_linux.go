package discovery

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/pm25/pm25/internal/safefile"
)

func foreign(reason Reason, format string, args ...any) error {
	return &Error{Kind: ErrForeign, Reason: reason, Msg: fmt.Sprintf(format, args...)}
}

// dirError explains why a home could not be opened.
func (h *home) dirError(err error) error {
	switch {
	case errors.Is(err, safefile.ErrNotDir):
		return foreign(ReasonSymlink, "%s is a symlink or not a folder: name the folder itself with --pm2.home", h.c.Path(""))
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ESRCH):
		return &Error{Kind: ErrNotRunning, Msg: fmt.Sprintf("no PM2 daemon is listening at %s (there is no such folder)", h.c.RPCPath())}
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		if h.c.Root != "" {
			dir, rootErr := safefile.Dir(h.c.Root, "/")
			if rootErr != nil {
				return &Error{Kind: ErrRefused, Msg: fmt.Sprintf(
					"may not look into the container of %s: run the agent as root, or give it CAP_SYS_PTRACE and CAP_DAC_OVERRIDE, or run one inside", h.c.RPCPath())}
			}
			dir.Close()
		}
		return h.refused(rpcSock)
	}
	return err
}

// sysError explains why a socket could not be reached.
func (h *home) sysError(name string, err error) error {
	p := h.c.Path(name)
	switch {
	case errors.Is(err, unix.ENOENT):
		return &Error{Kind: ErrNotRunning, Msg: fmt.Sprintf("no PM2 daemon is listening at %s (there is no such socket)", p)}
	case errors.Is(err, unix.ECONNREFUSED):
		return &Error{Kind: ErrNotRunning, Msg: fmt.Sprintf("no PM2 daemon is listening at %s (stale socket file of a daemon that was killed)", p)}
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return h.refused(name)
	case errors.Is(err, unix.EAGAIN):
		return &Error{Kind: ErrBusy, Msg: fmt.Sprintf("%s takes no connections: its queue is full, so the daemon of %s hangs or is stopped", p, h.owner())}
	case errors.Is(err, unix.EPROTOTYPE):
		return foreign(ReasonNotPM2, "%s is not a stream socket, so it is not PM2's", p)
	}
	return fmt.Errorf("connect to %s (owned by %s): %w", p, h.owner(), err)
}

func (h *home) refused(name string) error {
	uid := h.uid
	if uid < 0 {
		uid = ownerOf(h.c)
	}
	who := ownerText(h.c, uid)
	return &Error{Kind: ErrRefused, Msg: fmt.Sprintf(
		"may not connect to %s (owned by %s): run the agent as %s, add its user to group %s, or give it CAP_DAC_OVERRIDE",
		h.c.Path(name), who, who, who)}
}

// ownerText names an owner by what the candidate knows.
func ownerText(c Candidate, uid int) string {
	if uid < 0 {
		return "another user"
	}
	if uid == c.OwnerUID && c.OwnerName != "" {
		return c.OwnerName
	}
	if c.Root == "" {
		if name, _ := hostUser(uid); name != "" {
			return name
		}
	}
	return "uid " + strconv.Itoa(uid)
}

func userArg(c Candidate, uid int) string {
	if c.Root == "" {
		if name, _ := hostUser(uid); name != "" {
			return name
		}
	}
	return strconv.Itoa(uid)
}
