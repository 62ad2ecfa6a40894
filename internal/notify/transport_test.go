package notify

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/rules/routing"
)

// pipes is a listener whose connections others make.
type pipes struct {
	conns  chan net.Conn
	closed func()
}

func newPipes() *pipes {
	conns := make(chan net.Conn)
	return &pipes{conns, sync.OnceFunc(func() { close(conns) })}
}

func (p *pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p *pipes) Close() error   { p.closed(); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// lost is a connection of which nothing arrives any more once it is silent.
type lost struct {
	net.Conn
	silent *atomic.Bool
}

func (l lost) Write(p []byte) (int, error) {
	if l.silent.Load() {
		return len(p), nil
	}
	return l.Conn.Write(p)
}

// A connection that the network dropped keeps messages from a robot for less than
// half a minute.
func TestLostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		server.Listener.Close()
		ways := newPipes()
		server.Listener, server.EnableHTTP2 = ways, true
		server.StartTLS()
		defer server.Close()
		var dials int
		var silent []*atomic.Bool
		transport := newTransport()
		defer transport.CloseIdleConnections()
		transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
		transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
			dials++
			silent = append(silent, new(atomic.Bool))
			near, far := net.Pipe()
			ways.conns <- far
			return lost{near, silent[dials-1]}, nil
		}
		ask := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), attempt)
			defer cancel()
			r, _ := http.NewRequestWithContext(ctx, http.MethodPost, "https://example.com/", strings.NewReader("{}"))
			resp, err := transport.RoundTrip(r)
			if err == nil {
				if resp.ProtoMajor != 2 {
					t.Fatal(resp.Proto)
				}
				resp.Body.Close()
			}
			return err
		}
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		silent[0].Store(true)
		begun := time.Now()
		for ask() != nil {
			if time.Since(begun) > 30*time.Second {
				t.Fatalf("no message in %s, over %d connections", time.Since(begun), dials)
			}
			time.Sleep(time.Second)
		}
	})
}

// Whatever is counted while a reload takes a robot away, its series do not return.
func TestForgottenSeriesStayAway(t *testing.T) {
	g := newRig(t)
	for range 300 {
		g.bridge.Reload(g.receivers, nil)
		c, _, _ := g.bridge.courier(robot.WeCom, "wecom")
		started, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			close(started)
			for range 3000 {
				g.bridge.metrics.result(c, catalog.NotifyThrottled, 1)
			}
		}()
		<-started
		g.bridge.Reload(routing.Receivers{}, nil)
		<-done
		if n := testutil.CollectAndCount(g.bridge.metrics.messages); n != 0 {
			t.Fatalf("%d series", n)
		}
	}
}
