package ship

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/badnet"
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

// Over a network that cuts requests and repeats them each record is stored once, as
// it was put.
func TestBadNetwork(t *testing.T) {
	s := newServer()
	web := httptest.NewServer(s)
	defer web.Close()
	bad := badnet.New(t, strings.TrimPrefix(web.URL, "http://"))
	bad.Bad(true)
	r := newRigAt(t, s, bad.URL(), func(o *Options) {
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
			for bad.Cuts() < int64(n/40) && r.pending() > 0 {
				time.Sleep(time.Millisecond)
			}
		}
	}
	bad.Bad(false)
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
	t.Logf("%d cuts, %d requests twice, %d records came again", bad.Cuts(), bad.Twice(), s.twice)
}
