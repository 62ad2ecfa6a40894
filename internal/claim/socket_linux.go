package claim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/pm25/pm25/internal/peercred"
	"github.com/pm25/pm25/internal/pm2/discovery"
)

// Listen claims a daemon. The listener takes connections of those who may read
// from us, and drops others.
func Listen(c discovery.Candidate) (net.Listener, error) {
	h, err := identify(c)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", h.name)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, ErrTaken
	}
	if err != nil {
		return nil, fmt.Errorf("claiming %s: %w", c.Path(""), err)
	}
	return &listener{Listener: l, home: h}, nil
}

// Dial connects to who claims the daemon. pid is that process.
func Dial(ctx context.Context, c discovery.Candidate) (conn net.Conn, pid int, err error) {
	h, err := identify(c)
	if err != nil {
		return nil, 0, err
	}
	var d net.Dialer
	if conn, err = d.DialContext(ctx, "unix", h.name); err != nil {
		return nil, 0, err
	}
	peer, err := peercred.Of(conn)
	if err == nil && !h.trusts(peer.UID) {
		err = fmt.Errorf("uid %d claims the PM2 daemon of %s, which is neither its own nor ours", peer.UID, c.Path(""))
	}
	if err != nil {
		conn.Close()
		return nil, 0, err
	}
	return conn, peer.PID, nil
}

type listener struct {
	net.Listener
	home home
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if peer, err := peercred.Of(conn); err == nil && l.home.trusts(peer.UID) {
			return conn, nil
		}
		conn.Close()
	}
}
