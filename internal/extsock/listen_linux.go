package extsock

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/pm25/pm25/internal/safefile"
)

// backlog is how many connections may wait to be accepted.
const backlog = 64

// listen goes by a handle on the home, so that nothing can be swapped in
// between and the 108 bytes of a socket's address are enough.
func listen(o Options) (in net.Listener, remove func(), err error) {
	dir, err := safefile.Dir(o.Root, o.Home)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			dir.Close()
		}
	}()
	var st unix.Stat_t
	if err := unix.Fstat(int(dir.Fd()), &st); err != nil {
		return nil, nil, err
	}
	if int(st.Uid) != o.UID {
		return nil, nil, fmt.Errorf("%w: belongs to uid %d, expected uid %d", safefile.ErrOwner, st.Uid, o.UID)
	}
	sock, err := newSocket()
	if err != nil {
		return nil, nil, err
	}
	defer sock.Close()
	err = as(o.UID, func() error { return bind(sock, dir, o.UID) })
	if err != nil {
		return nil, nil, err
	}
	made, err := lstat(dir)
	if err == nil && (made.Mode&unix.S_IFMT != unix.S_IFSOCK || made.Mode&0o177 != 0 || int(made.Uid) != o.UID) {
		err = fmt.Errorf("its mode is %o and it belongs to uid %d", made.Mode, made.Uid)
	}
	if err == nil {
		err = unix.Listen(int(sock.Fd()), backlog)
	}
	if err == nil {
		in, err = net.FileListener(sock)
	}
	if err != nil {
		return nil, nil, err
	}
	return in, func() {
		defer dir.Close()
		_ = as(o.UID, func() error {
			if now, err := lstat(dir); err == nil && now.Ino == made.Ino && now.Dev == made.Dev {
				return unix.Unlinkat(int(dir.Fd()), Name, 0)
			}
			return nil
		})
	}, nil
}

// newSocket makes a socket that will be its owner's alone: bind gives the file
// the mode that the socket has.
func newSocket() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), Name)
	if err := unix.Fchmod(fd, 0o600); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// bind puts the socket in its place, if that is free or taken by a dead one.
func bind(sock, dir *os.File, uid int) error {
	address := &unix.SockaddrUnix{Name: fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), Name)}
	err := unix.Bind(int(sock.Fd()), address)
	if !errors.Is(err, unix.EADDRINUSE) {
		return err
	}
	st, err := lstat(dir)
	if err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK || int(st.Uid) != uid {
		return errors.New("something else is there")
	}
	if err := silent(dir); err != nil {
		return err
	}
	if err := unix.Unlinkat(int(dir.Fd()), Name, 0); err != nil {
		return err
	}
	return unix.Bind(int(sock.Fd()), address)
}

// silent fails unless nobody listens on the socket that is there.
func silent(dir *os.File) error {
	fd, err := unix.Openat(int(dir.Fd()), Name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	there := os.NewFile(uintptr(fd), Name)
	defer there.Close()
	probe, err := newSocket()
	if err != nil {
		return err
	}
	defer probe.Close()
	err = unix.Connect(int(probe.Fd()), &unix.SockaddrUnix{Name: fmt.Sprintf("/proc/self/fd/%d", there.Fd())})
	switch {
	case errors.Is(err, unix.ECONNREFUSED):
		return nil
	case err == nil, errors.Is(err, unix.EAGAIN):
		return ErrInUse
	}
	return err
}

func lstat(dir *os.File) (st unix.Stat_t, err error) {
	err = unix.Fstatat(int(dir.Fd()), Name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return st, err
}

// as runs f with the rights of a user on files, and none of ours: what f makes
// is the user's from the beginning, and it can touch nothing that the user
// could not. Only root, or who has CAP_SETUID, can act for another user.
func as(uid int, f func() error) error {
	self := os.Geteuid()
	if self == uid {
		return f()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// The calls are for this thread alone, which the ones in package unix are
	// not. They never fail; asking again tells what is.
	set := func(uid uintptr) uintptr {
		_, _, _ = unix.RawSyscall(unix.SYS_SETFSUID, uid, 0, 0)
		now, _, _ := unix.RawSyscall(unix.SYS_SETFSUID, ^uintptr(0), 0, 0)
		return now
	}
	defer set(uintptr(self))
	if set(uintptr(uid)) != uintptr(uid) {
		return fmt.Errorf("uid %d may not make it for uid %d", self, uid)
	}
	return f()
}
