package central

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/pm25/pm25/internal/access"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/server"
	"github.com/pm25/pm25/sessionstore"
)

func open(t *testing.T) *Central {
	t.Helper()
	dir := t.TempDir()
	operator, err := access.OpenOperator(filepath.Join(dir, access.OperatorFile))
	if err != nil {
		t.Fatal(err)
	}
	gate, err := access.New(access.Options{External: &url.URL{Host: "localhost"}, Operator: operator, OwnRule: OwnRule, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(Options{
		DataDir: dir, Retention: 24 * time.Hour, Gate: gate, Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func event(name string) *record.Record {
	now := time.Now()
	return &record.Record{
		V: record.Version, ID: record.NewID(now), At: now.UnixNano(), Kind: record.Event, Host: "web-1", Daemon: "shop", Namespace: "default",
		App: "api", Level: record.LevelInfo, Source: record.FromExt, Event: &record.EventInfo{Name: name},
	}
}

func stored(t *testing.T, c *Central) int {
	t.Helper()
	n := 0
	err := c.Store().Entries(context.Background(), sessionstore.Selection{End: time.Now().Add(time.Hour).UnixNano()}, func(*sessionstore.Entry) bool { n++; return true })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLocalStoresAll that it took, when it is closed at the latest, in the bucket
// of this process, and what can not be kept is counted.
func TestLocalStoresAll(t *testing.T) {
	c := open(t)
	l := c.NewLocal(record.Agent{Host: "web-1", Version: "1.0.0"})
	for i := range 1200 {
		if !l.Offer(event(fmt.Sprint("event-", i))) {
			t.Fatalf("record %d was dropped", i)
		}
	}
	bad := event("bad")
	bad.App = ""
	l.Offer(bad)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := stored(t, c); n != 1200 {
		t.Errorf("%d are stored, want 1200", n)
	}
	if n := testutil.ToFloat64(c.dropped.WithLabelValues("event")); n != 1 {
		t.Errorf("%v were dropped, want the bad one", n)
	}
	if l.bytes != 0 {
		t.Errorf("%d bytes are still counted as waiting", l.bytes)
	}
	hosts, err := c.Store().Hosts(context.Background())
	if err != nil || len(hosts) != 1 || hosts[0].Bucket != LocalBucket || hosts[0].Name != "web-1" {
		t.Errorf("%+v, %v", hosts, err)
	}
}

// TestLocalIsBounded: what the store does not take in time is dropped and counted,
// and nobody waits.
func TestLocalIsBounded(t *testing.T) {
	c := open(t)
	l := &Local{central: c, queue: make(chan *record.Record, 2)} // of which nobody takes
	if !l.Offer(event("a")) || !l.Offer(event("b")) || l.Offer(event("c")) {
		t.Error("it holds another number than two")
	}
	l = &Local{central: c, queue: make(chan *record.Record, 10_000)}
	taken := 0
	for range 5000 {
		r := event("large")
		r.Message = strings.Repeat("x", 64<<10)
		if l.Offer(r) {
			taken++
		}
	}
	if taken == 0 || taken > localBytes/(64<<10) {
		t.Errorf("%d records of 64 KiB wait", taken)
	}
	if n := testutil.ToFloat64(c.dropped.WithLabelValues("event")); n != float64(1+5000-taken) {
		t.Errorf("%v are counted as dropped", n)
	}
}

// TestLocalGivesUp: a store that is closed takes nothing, and a stop still ends.
func TestLocalGivesUp(t *testing.T) {
	c := open(t)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	l := c.NewLocal(record.Agent{Host: "web-1"})
	l.Offer(event("a"))
	done := make(chan struct{})
	go func() { _ = l.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(2 * localPatience):
		t.Fatal("it does not end")
	}
	if n := testutil.ToFloat64(c.failures.WithLabelValues("local")); n == 0 {
		t.Error("no failure is counted")
	}
}

// TestHeartbeat: without records the host is heard from once a minute.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Central{opts: Options{Now: time.Now, Logger: slog.New(slog.DiscardHandler)}, failures: counters("pm25_server_store_failures_total"), dropped: counters("pm25_server_local_dropped_total")}
		pushes := &countingStore{}
		c.pusher = pushes
		l := c.NewLocal(record.Agent{Host: "web-1"})
		time.Sleep(5*heartbeat + time.Second)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if pushes.n != 6 {
			t.Errorf("%d signs of life in five minutes, want 6", pushes.n)
		}
	})
}

type countingStore struct{ n int }

func (s *countingStore) Push(context.Context, string, record.Agent, []*record.Record) (int, int, error) {
	s.n++
	return 0, 0, nil
}

// TestHandlers: the API, Loki's API, and the rule of the push.
func TestHandlers(t *testing.T) {
	c := open(t)
	for path, want := range map[string]int{"/api/v1/exceptions": 200, "/loki/api/v1/labels": 200, "/api/v1/sd": 200, "/api/v1/nothing": 404, "/loki/api/v1/push": 404} {
		w := httptest.NewRecorder()
		c.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	for path, want := range map[string]bool{"/api/v1/push": true, "/-/healthy": true, "/-/ready": true, "/api/v1/push/": false, "/api/v1/exceptions": false, "/-/reload": false, "/": false} {
		if OwnRule(path) != want {
			t.Errorf("%s has a rule of its own: %v", path, !want)
		}
	}
}

// TestNamesOfBuckets: what the API takes the store takes too.
func TestNamesOfBuckets(t *testing.T) {
	c := open(t)
	s, err := server.New(server.Options{
		Store: c.Store(), Changing: func(h http.Handler) http.Handler { return h }, Who: access.Who, Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"shop": 200, "team-a": 200, "a_b": 400, "a.b": 400, "": 400, "../x": 400, "A": 400, strings.Repeat("a", 63): 200, strings.Repeat("a", 64): 400} {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/v1/buckets", strings.NewReader(fmt.Sprintf(`{"name":%q}`, name))))
		if w.Code != want {
			t.Errorf("%q: %d %s, want %d", name, w.Code, w.Body, want)
		}
	}
}
