// Package badnet is a network that cuts connections and repeats requests, for
// tests of what goes over it.
package badnet

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// whole is more than any connection carries.
const whole = int64(1) << 40

// Network forwards connections. While it is bad none lasts: most are cut
// somewhere in the request or the answer, and some requests are sent twice.
type Network struct {
	net.Listener
	to         string
	bad        atomic.Bool
	cut, twice atomic.Int64

	mu   sync.Mutex
	open map[net.Conn]bool
}

// New forwards to an address, host:port. It is good at first, and ends with the test.
func New(t testing.TB, to string) *Network {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &Network{Listener: l, to: to, open: map[net.Conn]bool{}}
	t.Cleanup(func() {
		l.Close()
		n.drop()
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go n.serve(c)
		}
	}()
	return n
}

// URL is where it listens.
func (n *Network) URL() string { return "http://" + n.Addr().String() }

// Bad begins a bad time or ends it; connections from before it are cut.
func (n *Network) Bad(bad bool) {
	n.bad.Store(bad)
	n.drop()
}

// Cuts is how many connections were cut on purpose, and Twice how many were
// repeated.
func (n *Network) Cuts() int64  { return n.cut.Load() }
func (n *Network) Twice() int64 { return n.twice.Load() }

func (n *Network) drop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.open {
		reset(c)
	}
}

func (n *Network) hold(c net.Conn) (release func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open[c] = true
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.open, c)
		reset(c)
	}
}

// reset ends a connection as a cable does that is pulled.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}

func (n *Network) serve(c net.Conn) {
	defer n.hold(c)()
	up, err := net.Dial("tcp", n.to)
	if err != nil {
		return
	}
	defer up.Close()
	var request bytes.Buffer
	in, back := whole, whole
	if n.bad.Load() {
		back = 150 + rand.Int64N(1500)
		switch rand.IntN(4) {
		case 0: // in the request
			in = rand.Int64N(3000)
			n.cut.Add(1)
		case 1: // in the answer, or before it
			back = rand.Int64N(150)
			n.cut.Add(1)
		case 2: // once more, from somebody who got a copy
			defer func() { n.again(request.Bytes()) }()
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		to := io.Writer(up)
		if n.bad.Load() {
			to = io.MultiWriter(up, &request)
		}
		_, _ = io.CopyN(to, c, in)
		if in < whole {
			reset(up)
		}
	}()
	_, _ = io.CopyN(c, up, back)
	reset(c)
	<-done
}

func (n *Network) again(request []byte) {
	n.twice.Add(1)
	up, err := net.Dial("tcp", n.to)
	if err != nil {
		return
	}
	defer up.Close()
	_, _ = up.Write(request)
	_ = up.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, up)
}
