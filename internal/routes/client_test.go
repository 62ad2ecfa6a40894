//go:build routes

package routes

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

func dial(port int) (net.Conn, error) {
	return net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
}

// Clients with a connection for each request and with connections that are kept.
var (
	fresh = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	kept  = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
)

// ask makes a request to the app on a port and reads the answer to its end.
func ask(ctx context.Context, c *http.Client, port int, method, path string) (status int, err error) {
	return askURL(ctx, c, method, protocol{}.url(port, path))
}

func askURL(ctx context.Context, c *http.Client, method, url string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, err
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}

// patience is how long the clients of a load wait for an answer, which takes
// some milliseconds.
const patience = 5 * time.Second

// leave makes a request and goes away when the first byte of the answer is
// there: the app has certainly seen it.
func leave(port int, path string) error {
	c, err := dial(port)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		return err
	}
	_, err = bufio.NewReader(c).ReadByte()
	return err
}

// load makes requests until it is told to stop, and keeps book of them.
type load struct {
	port int
	stop chan struct{}
	wg   sync.WaitGroup

	mu     sync.Mutex
	made   map[key]uint64
	at     []time.Time    // of each answer
	cut    int            // requests that got no whole answer
	causes map[string]int // of those
}

// steadily puts load on the app steady.js.
func steadily(port, clients int, aborts bool) *load {
	l := &load{port: port, stop: make(chan struct{}), made: map[key]uint64{}, causes: map[string]int{}}
	for i := range clients {
		l.wg.Go(func() { l.run(i, aborts) })
	}
	return l
}

func (l *load) run(id int, aborts bool) {
	paths := []struct{ path, route, code string }{
		{"/users/%d", "/users/:id", "2xx"},
		{"/hello", "/hello", "2xx"},
		{"/missing", "(unmatched)", "4xx"},
		{"/users/%d", "/users/:id", "2xx"},
		{"/fail", "/fail", "5xx"},
	}
	for n := id; ; n++ {
		select {
		case <-l.stop:
			return
		case <-time.After(4 * time.Millisecond):
		}
		if aborts && n%7 == 0 {
			l.note(key{"GET", "/drip", "aborted"}, leave(l.port, "/drip"))
			continue
		}
		p := paths[n%len(paths)]
		path := p.path
		if path == "/users/%d" {
			path = fmt.Sprintf(path, n)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		_, err := ask(ctx, fresh, l.port, http.MethodGet, path)
		cancel()
		l.note(key{"GET", p.route, p.code}, err)
	}
}

func (l *load) note(k key, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.cut++
		l.causes[cause(err)]++
		return
	}
	l.made[k]++
	l.at = append(l.at, time.Now())
}

// cause says in few words why a request got no answer.
func cause(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "never answered"
	}
	return err.Error()
}

// end stops the load and returns what was made.
func (l *load) end() map[key]uint64 {
	close(l.stop)
	l.wg.Wait()
	return l.made
}

// between counts the answers of a span of time.
func (l *load) between(from, to time.Time) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range l.at {
		if at.After(from) && !at.After(to) {
			n++
		}
	}
	return n
}

// crash makes the app throw.
func (l *load) crash(t testing.TB) {
	t.Helper()
	if _, err := ask(context.Background(), fresh, l.port, http.MethodGet, "/throw"); err != nil {
		t.Fatal(err)
	}
	l.note(key{"GET", "/throw", "2xx"}, nil)
}
