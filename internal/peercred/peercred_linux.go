package peercred

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// Of returns who is at the other end.
func Of(conn net.Conn) (Cred, error) {
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		return Cred{}, errors.New("not a Unix socket")
	}
	raw, err := unixConn.SyscallConn()
	if err != nil {
		return Cred{}, err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return Cred{}, err
	}
	if credErr != nil {
		return Cred{}, credErr
	}
	return Cred{PID: int(cred.Pid), UID: int(cred.Uid), GID: int(cred.Gid)}, nil
}
