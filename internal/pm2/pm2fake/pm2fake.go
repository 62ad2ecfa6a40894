// Package pm2fake is a PM2 daemon inside a test's process, for faults that the
// real one can not be made to show: answers cut short, late, huge, wrong, or
// none at all, and messages in any order and form. What works is tested with
// the real PM2 (package pm2test), and a test compares the two byte for byte.
//
// It keeps every byte that it is sent, and fails the test when anything but one
// of the three requests that a client may make arrives on rpc.sock, or anything
// at all on pub.sock.
package pm2fake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// Daemon is a fake PM2 daemon.
type Daemon struct {
	t        testing.TB
	home     string
	inMemory bool
	wg       sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	listeners []net.Listener
	rpc, pub  map[net.Conn]bool
	faults    []Fault
	list      func() string
	version   string
	requests  []string
	received  []byte
	refuse    error
}

// New starts a daemon that listens in a temporary home and answers with an
// empty list.
func New(t testing.TB) *Daemon {
	t.Helper()
	d := newDaemon(t)
	d.Up()
	return d
}

// NewInMemory starts a daemon that Dial alone reaches, over pipes that work
// under testing/synctest. Close it before the bubble ends.
func NewInMemory(t testing.TB) *Daemon {
	t.Helper()
	d := newDaemon(t)
	d.inMemory = true
	return d
}

func newDaemon(t testing.TB) *Daemon {
	t.Helper()
	home, err := os.MkdirTemp("", "pm25f-")
	if err != nil {
		t.Fatal(err)
	}
	d := &Daemon{t: t, home: home, rpc: map[net.Conn]bool{}, pub: map[net.Conn]bool{}, version: "7.0.4"}
	d.SetList("[]")
	t.Cleanup(func() {
		d.Close()
		_ = os.RemoveAll(home)
	})
	return d
}

// Home is the daemon's PM2_HOME.
func (d *Daemon) Home() string { return d.home }

// Up begins to listen.
func (d *Daemon) Up() {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse = nil
	if d.inMemory {
		return
	}
	for name, serve := range map[string]func(net.Conn){"rpc.sock": d.serveRPC, "pub.sock": d.servePub} {
		l, err := net.Listen("unix", filepath.Join(d.home, name))
		if err != nil {
			d.t.Fatal(err)
		}
		d.listeners = append(d.listeners, l)
		d.wg.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				serve(c)
			}
		})
	}
}

// Down closes the listeners and all connections, as pm2 kill does.
func (d *Daemon) Down() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse = errors.New("the fake daemon is down")
	for _, l := range d.listeners {
		_ = l.Close()
	}
	d.listeners = nil
	d.drop()
}

// Drop closes the connections and goes on listening.
func (d *Daemon) Drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop()
}

func (d *Daemon) drop() {
	for _, set := range []map[net.Conn]bool{d.rpc, d.pub} {
		for c := range set {
			_ = c.Close()
		}
	}
	clear(d.pub)
}

// Close ends the daemon.
func (d *Daemon) Close() {
	d.Down()
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.wg.Wait()
}

// Dial connects to both sockets.
func (d *Daemon) Dial(ctx context.Context) (rpc, pub net.Conn, err error) {
	if d.inMemory {
		return d.pipes()
	}
	var dialer net.Dialer
	if pub, err = dialer.DialContext(ctx, "unix", filepath.Join(d.home, "pub.sock")); err != nil {
		return nil, nil, err
	}
	if rpc, err = dialer.DialContext(ctx, "unix", filepath.Join(d.home, "rpc.sock")); err != nil {
		_ = pub.Close()
		return nil, nil, err
	}
	return rpc, pub, nil
}

func (d *Daemon) pipes() (rpc, pub net.Conn, err error) {
	d.mu.Lock()
	err = d.refuse
	d.mu.Unlock()
	if err != nil {
		return nil, nil, err
	}
	var ours [2]net.Conn
	rpc, ours[0] = net.Pipe()
	pub, ours[1] = net.Pipe()
	d.serveRPC(ours[0])
	d.servePub(ours[1])
	return rpc, pub, nil
}

// SetList sets the process list that is answered, as JSON.
func (d *Daemon) SetList(list string) { d.SetListFunc(func() string { return list }) }

// SetListFunc sets a function that makes the list at each call.
func (d *Daemon) SetListFunc(list func() string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = list
}

// Fail adds a fault.
func (d *Daemon) Fail(f Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	d.faults = append(d.faults, f)
}

// Mend removes all faults.
func (d *Daemon) Mend() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = nil
}

// Requests lists the methods that were called.
func (d *Daemon) Requests() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.requests)
}

// Received is every byte that arrived on either socket.
func (d *Daemon) Received() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.received)
}

// Connections tells how many of each kind are open.
func (d *Daemon) Connections() (rpc, pub int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.rpc), len(d.pub)
}

func (d *Daemon) serveRPC(c net.Conn) {
	d.serve(c, d.rpc, func() {
		var pending []byte
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			d.keep(buf[:n])
			pending = append(pending, buf[:n]...)
			for {
				method, rest, ok := d.request(pending)
				if !ok {
					break
				}
				pending = rest
				if !d.reply(c, method) {
					return
				}
			}
			if err != nil {
				if len(pending) > 0 {
					d.t.Errorf("half a request arrived: %q", pending)
				}
				return
			}
		}
	})
}

// request cuts one of the allowed requests off; anything else fails the test.
func (d *Daemon) request(pending []byte) (method string, rest []byte, ok bool) {
	if len(pending) == 0 {
		return "", nil, false
	}
	begun := false
	for m, id := range methods {
		want := Request(m, id)
		if rest, ok := bytes.CutPrefix(pending, want); ok {
			return m, rest, true
		}
		begun = begun || bytes.HasPrefix(want, pending)
	}
	if !begun {
		d.t.Errorf("this arrived on rpc.sock, which is no request that PM2 may be sent: %q", pending)
	}
	return "", nil, false
}

func (d *Daemon) reply(c net.Conn, method string) (goOn bool) {
	f := d.fault(method)
	d.mu.Lock()
	d.requests = append(d.requests, method)
	list, version := d.list, d.version
	d.mu.Unlock()
	time.Sleep(f.Delay)
	if f.Silent {
		return true
	}
	if f.Close && f.Raw == nil {
		return false
	}
	args := map[string]func() string{
		"ping":           func() string { return `[{"msg":"pong"}]` },
		"getVersion":     func() string { return `["` + version + `"]` },
		"getMonitorData": func() string { return "[" + list() + "]" },
	}[method]()
	answer := f.answer(args, methods[method])
	if f.Cut > 0 {
		answer = io.LimitReader(answer, int64(f.Cut))
	}
	_, err := io.Copy(c, answer)
	return err == nil && f.Cut == 0 && !f.Close
}

// servePub waits for bytes that must not come.
func (d *Daemon) servePub(c net.Conn) {
	d.serve(c, d.pub, func() {
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			if n > 0 {
				d.keep(buf[:n])
				d.t.Errorf("this arrived on pub.sock, where nothing may: %q", buf[:n])
			}
			if err != nil {
				return
			}
		}
	})
}

func (d *Daemon) serve(c net.Conn, set map[net.Conn]bool, work func()) {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		_ = c.Close()
		return
	}
	set[c] = true
	d.wg.Add(1)
	d.mu.Unlock()
	go func() {
		defer d.wg.Done()
		work()
		_ = c.Close()
		d.mu.Lock()
		delete(set, c)
		d.mu.Unlock()
	}()
}

func (d *Daemon) keep(b []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.received = append(d.received, b...)
}
