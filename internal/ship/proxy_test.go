package ship

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// forgetful is a server whose answers are lost now and then, after it has stored.
func forgetful(s *server) http.Handler {
	var n atomic.Uint64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%3 == 0 {
			s.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		s.ServeHTTP(w, r)
	})
}

// badNetwork forwards connections, cuts most of them somewhere in the request or the
// answer, and sends some requests twice.
type badNetwork struct {
	net.Listener
	to         string
	good       atomic.Bool
	cut, twice atomic.Int64
}

func newBadNetwork(t *testing.T, to string) *badNetwork {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	b := &badNetwork{Listener: l, to: strings.TrimPrefix(to, "http://")}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go b.serve(c)
		}
	}()
	return b
}

func (b *badNetwork) serve(c net.Conn) {
	defer c.Close()
	up, err := net.Dial("tcp", b.to)
	if err != nil {
		return
	}
	defer up.Close()
	var request bytes.Buffer
	in, back := int64(1<<40), int64(1<<40)
	if !b.good.Load() {
		back = 150 + rand.Int64N(1500) // no connection lasts
		switch rand.IntN(4) {
		case 0: // cut in the request
			in = rand.Int64N(3000)
			b.cut.Add(1)
		case 1: // … in the answer, or before it
			back = rand.Int64N(150)
			b.cut.Add(1)
		case 2: // twice: once more from somebody who got a copy
			defer func() {
				b.twice.Add(1)
				again, err := net.Dial("tcp", b.to)
				if err != nil {
					return
				}
				defer again.Close()
				_, _ = again.Write(request.Bytes())
				_ = again.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, again)
			}()
		}
	}
	go func() {
		_, _ = io.CopyN(io.MultiWriter(up, &request), c, in)
		if in < 1<<40 {
			_ = up.(*net.TCPConn).SetLinger(0)
			up.Close()
		}
	}()
	_, _ = io.CopyN(c, up, back)
	_ = c.(*net.TCPConn).SetLinger(0)
}

// Over a network that cuts requests and repeats them each record is stored once, as
// it was put.
func TestBadNetwork(t *testing.T) {
	s := newServer()
	web := httptest.NewServer(s)
	defer web.Close()
	bad := newBadNetwork(t, web.URL)
	r := newRigAt(t, s, "http://"+bad.Addr().String(), func(o *Options) {
		o.Now, o.linger = time.Now, time.Millisecond
		o.random = func() float64 { return 0 }
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	put := map[string]string{}
	for n := range 600 {
		rec := numbered(n)
		rec.Message = fmt.Sprintf("%d 中文 %s", n, strings.Repeat("y", n%200))
		ok(t, r.Put(t.Context(), rec))
		put[rec.ID] = rec.Message
		if n%40 == 0 {
			for bad.cut.Load() < int64(n/40) && r.pending() > 0 {
				time.Sleep(time.Millisecond)
			}
		}
	}
	bad.good.Store(true)
	for deadline := time.Now().Add(30 * time.Second); r.pending() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d records stay: %s", r.pending(), r.logs)
		}
	}
	stop()
	ok(t, <-ended)
	for id, message := range put {
		if !strings.Contains(s.store[id], message) {
			t.Errorf("stored %q, put %q", s.store[id], message)
		}
	}
	if st := r.Stats(); s.stored() != len(put) || st.Stored+st.Duplicates != uint64(len(put)) || len(st.Dropped)+len(st.DeadLetters) != 0 {
		t.Errorf("%d stored of %d, %+v", s.stored(), len(put), st)
	}
	t.Logf("%d cuts, %d requests twice, %d records came again", bad.cut.Load(), bad.twice.Load(), s.twice)
}
