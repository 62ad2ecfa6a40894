// Package memnet connects parts of one process over HTTP without a socket.
//
// Hosts of the form NAME.in-process are reached in memory; no such name
// resolves on any network, so nothing outside can be meant by it. All other
// addresses are dialed as usual. Connections carry deadlines as net.Pipe does;
// nothing is encrypted or authenticated, because nothing leaves the process.
package memnet

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// Suffix ends every host name that is reached in memory.
const Suffix = ".in-process"

// Network maps in-process host names to who answers there.
type Network struct {
	dialer net.Dialer

	mu    sync.Mutex
	hosts map[string]Dialer
}

// Dialer opens one connection to a host.
type Dialer func(ctx context.Context) (net.Conn, error)

// New returns a network with no hosts.
func New() *Network {
	return &Network{dialer: net.Dialer{Timeout: 10 * time.Second}, hosts: map[string]Dialer{}}
}

// Handle lets dial open the connections to NAME.in-process, at any port. A nil
// dial removes the name.
func (n *Network) Handle(name string, dial Dialer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if dial == nil {
		delete(n.hosts, name+Suffix)
		return
	}
	n.hosts[name+Suffix] = dial
}

// Listen returns the listener of NAME.in-process; closing it removes the name.
func (n *Network) Listen(name string) net.Listener {
	l := &listener{addr: addr(name + Suffix), conns: make(chan net.Conn), closed: make(chan struct{})}
	l.remove = func() { n.Handle(name, nil) }
	n.Handle(name, l.dial)
	return l
}

// DialContext opens a connection as net.Dialer does, or in memory.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil || !strings.HasSuffix(host, Suffix) {
		return n.dialer.DialContext(ctx, network, address)
	}
	n.mu.Lock()
	dial := n.hosts[host]
	n.mu.Unlock()
	if dial == nil {
		return nil, fmt.Errorf("nothing answers at %s in this process", host)
	}
	return dial(ctx)
}

type listener struct {
	addr   addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	remove func()
}

func (l *listener) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, fmt.Errorf("%s is closed", l.addr)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		l.remove()
		close(l.closed)
	})
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }

type addr string

func (addr) Network() string  { return "in-process" }
func (a addr) String() string { return string(a) }
