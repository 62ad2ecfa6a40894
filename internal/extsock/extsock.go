// Package extsock listens for pm25-ext in the home of a PM2 daemon, for
// processes that have no way to PM2's bus.
//
// It guarantees that
//
//   - the socket belongs to the daemon's user from its first moment and nobody
//     else may connect to it;
//   - what is in its place is removed only when it is a socket of that user on
//     which nobody listens; a symlink is never followed;
//   - only processes of that user are heard, at most so many at a time, and
//     nothing is ever written to them.
//
// It does not know which of PM2's processes the sender is: who hears it has to
// find out by the process id that the kernel gives.
package extsock

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pm25/pm25/internal/peercred"
)

// Name is the socket's name in PM2's home.
const Name = "pm25-ext.sock"

// DefaultMaxConns bounds the connections to one socket.
const DefaultMaxConns = 256

// retryAfter paces what fails.
const retryAfter = 100 * time.Millisecond

// ErrInUse means that somebody listens there already.
var ErrInUse = errors.New("somebody else listens there")

// Options of Listen.
type Options struct {
	// Root and Home are those of discovery.Candidate.
	Root, Home string
	// UID is the daemon's user.
	UID int
	// MaxConns is DefaultMaxConns if 0.
	MaxConns int
}

func (o Options) withDefaults() (Options, error) {
	if o.MaxConns == 0 {
		o.MaxConns = DefaultMaxConns
	}
	switch {
	case o.Home == "":
		return o, errors.New("extsock: no home")
	case o.UID < 0:
		return o, errors.New("extsock: the daemon's user is not known")
	case o.MaxConns < 0:
		return o, errors.New("extsock: MaxConns is negative")
	}
	return o, nil
}

// Listener is an open socket.
type Listener struct {
	opts   Options
	in     net.Listener
	remove func()

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]bool
	wg     sync.WaitGroup
}

// Listen makes the socket.
func Listen(o Options) (*Listener, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	in, remove, err := listen(o)
	if err != nil {
		return nil, fmt.Errorf("listen on %s%s/%s: %w", o.Root, o.Home, Name, err)
	}
	return &Listener{opts: o, in: in, remove: remove, conns: map[net.Conn]bool{}}, nil
}

// Serve accepts connections until Close and calls hear for each, on a goroutine
// of its own, with the process id of the peer as this process sees it. The
// connection ends with hear.
func (l *Listener) Serve(hear func(pid int, conn io.Reader)) {
	for {
		conn, err := l.in.Accept()
		if err != nil {
			if l.ended() {
				return
			}
			time.Sleep(retryAfter) // we are short of descriptors, perhaps
			continue
		}
		peer, err := peercred.Of(conn)
		if err != nil || peer.UID != l.opts.UID || peer.PID <= 0 || !l.add(conn) {
			_ = conn.Close()
			continue
		}
		go func() {
			defer l.done(conn)
			hear(peer.PID, struct{ io.Reader }{conn})
		}()
	}
}

func (l *Listener) ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

func (l *Listener) add(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.conns) >= l.opts.MaxConns {
		return false
	}
	l.conns[conn] = true
	l.wg.Add(1)
	return true
}

func (l *Listener) done(conn net.Conn) {
	_ = conn.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
	l.wg.Done()
}

// Close removes the socket, ends all connections and waits until nobody hears
// them any more.
func (l *Listener) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.remove()
	_ = l.in.Close()
	l.mu.Lock()
	for conn := range l.conns {
		_ = conn.Close()
	}
	l.mu.Unlock()
	l.wg.Wait()
}
