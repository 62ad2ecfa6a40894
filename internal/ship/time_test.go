package ship

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pm25/pm25/internal/record"
)

// inProcess is a server without a network, so that time can be faked.
type inProcess struct {
	server *server
	down   bool

	mu sync.Mutex
	at []time.Time // of requests
}

func (p *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = append(p.at, time.Now())
	answer := func(status int, body string) *http.Response {
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}, Request: r}
	}
	if p.down {
		return answer(503, "later"), nil
	}
	var w writer
	p.server.ServeHTTP(&w, r)
	return answer(200, w.String()), nil
}

type writer struct{ strings.Builder }

func (w *writer) Header() http.Header { return http.Header{} }
func (w *writer) WriteHeader(int)     {}

func (p *inProcess) set(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	p.at = nil
}

// times are of the requests since set, from a moment on.
func (p *inProcess) times(from time.Time) (out []time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.at {
		out = append(out, at.Sub(from))
	}
	return out
}

// running runs a shipper in fake time.
func running(t *testing.T, do func(t *testing.T, r *rig, p *inProcess)) {
	t.Helper()
	dir, token := t.TempDir(), tokenFile(t)
	synctest.Test(t, func(t *testing.T) {
		p := &inProcess{server: newServer()}
		r := newRigAt(t, p.server, "http://127.0.0.1:1", func(o *Options) {
			o.Dir, o.TokenFile, o.Transport, o.Now = dir, token, p, time.Now
			o.random = func() float64 { return 0.999 }
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		synctest.Wait()
		do(t, r, p)
		stop()
		ok(t, <-ended)
	})
}

func TestHeartbeat(t *testing.T) {
	running(t, func(t *testing.T, _ *rig, p *inProcess) {
		time.Sleep(3*time.Minute + time.Second)
		if n := p.server.requests(); !slices.Equal(n, []int{0, 0, 0, 0}) {
			t.Errorf("%v", n)
		}
	})
}

func TestLinger(t *testing.T) {
	running(t, func(t *testing.T, r *rig, p *inProcess) {
		p.set(false)
		began := time.Now()
		for n := range 3 {
			ok(t, r.Put(t.Context(), numbered(n)))
			time.Sleep(300 * time.Millisecond)
		}
		time.Sleep(time.Second)
		if at := p.times(began); len(at) != 1 || at[0] != time.Second {
			t.Errorf("requests at %v", at)
		}
		// What fills a batch does not wait.
		p.set(false)
		began = time.Now()
		for n := range record.MaxRecords {
			if !r.Offer(numbered(n)) {
				t.Fatal("the queue is full")
			}
		}
		time.Sleep(400 * time.Millisecond)
		if at := p.times(began); len(at) < 1 || at[0] > 300*time.Millisecond {
			t.Errorf("requests at %v", at)
		}
		time.Sleep(3 * time.Second)
		if n := p.server.stored(); n != 3+record.MaxRecords {
			t.Errorf("%d stored", n)
		}
	})
}

// The waits double to a minute, begin anew after a receipt, and new records do not
// shorten them.
func TestBackoff(t *testing.T) {
	running(t, func(t *testing.T, r *rig, p *inProcess) {
		for range 2 {
			p.set(true)
			began := time.Now()
			ok(t, r.Put(t.Context(), numbered(0)))
			for range 60 * 4 {
				time.Sleep(time.Second)
				r.Offer(numbered(1))
			}
			var waits []time.Duration
			at := p.times(began)
			for i := range at[1:] {
				waits = append(waits, (at[i+1] - at[i]).Round(time.Second))
			}
			want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}
			for i := range want {
				want[i] *= time.Second
			}
			if !slices.Equal(waits[:min(len(waits), len(want))], want) {
				t.Errorf("waits %v", waits)
			}
			p.set(false)
			time.Sleep(2 * time.Minute)
			if n := r.pending(); n != 0 {
				t.Errorf("%d pending", n)
			}
		}
	})
}

func TestJitterIsFull(t *testing.T) {
	for failures := range 20 {
		if low, high := backoff(failures, 0), backoff(failures, 0.999999); low != minBackoff || high > maxBackoff || failures > 6 && high < maxBackoff*99/100 {
			t.Errorf("after %d failures: %s to %s", failures, low, high)
		}
	}
}
