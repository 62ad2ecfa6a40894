package prom

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// newest is the time of the last sample of a series.
func (r *rig) newest(t *testing.T, series string) float64 {
	t.Helper()
	v := r.vector(t, "max(timestamp("+series+"))")
	if len(v) == 0 {
		return 0
	}
	return v[0].F
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("", func(t *testing.T) {
		var requests atomic.Int64
		store := newServer(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
		r := open(t, notifying+"remote_write: [{url: 'http://"+store+"/'}]\n", func(o *Options) {
			o.Rules = map[string]string{"builtin/pm25.yml": builtinRules}
		})
		told := make(chan alert, 1)
		serve(t, r.net, "alertmanager", alertmanager(told))
		target(t, r.net).Add(7)
		r.Start()
		<-told
		until(t, "remote storage is written to", func() bool { return requests.Load() > 0 })
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if r.Ready() {
			t.Error("ready after the end")
		}
		if err := r.Close(t.Context()); err != nil {
			t.Errorf("closing again: %v", err)
		}
		if _, err := r.Query(t.Context(), "up", time.Now()); err == nil {
			t.Error("a query is answered after the end")
		}
		if err := r.Reload(load(t, notifying), nil); err == nil {
			t.Error("a configuration is taken after the end")
		}
		if code, _ := r.body(t, http.MethodGet, "/api/v1/query?query=1", ""); code != http.StatusServiceUnavailable {
			t.Errorf("a request gets %d after the end", code)
		}
		if _, err := r.opts.Registry.Gather(); err != nil {
			t.Errorf("metrics after the end: %v", err)
		}
	})
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	until(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
}

func TestCloseWithoutStart(t *testing.T) {
	r := open(t, scraping, func(o *Options) { o.Rules = map[string]string{"builtin/pm25.yml": builtinRules} })
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// deaf takes requests and answers none until it is released.
func deaf(release <-chan struct{}) (h http.HandlerFunc, reached <-chan struct{}) {
	hit := make(chan struct{}, 1)
	return func(http.ResponseWriter, *http.Request) {
		select {
		case hit <- struct{}{}:
		default:
		}
		<-release
	}, hit
}

// An Alertmanager and a remote storage that do not answer take no more than the
// time there is, and the storage is closed in it.
func TestCloseIsBounded(t *testing.T) {
	release := make(chan struct{})
	deafStore, storeReached := deaf(release)
	deafAlertmanager, alertmanagerReached := deaf(release)
	network, dir := newServer(t, deafStore), filepath.Join(t.TempDir(), "tsdb")
	t.Cleanup(func() { close(release) }) // before the server closes, which waits
	r := open(t, notifying+"remote_write: [{url: 'http://"+network+"/', remote_timeout: 1m}]\n", func(o *Options) {
		o.Dir, o.Rules = dir, map[string]string{"builtin/pm25.yml": builtinRules}
	})
	serve(t, r.net, "alertmanager", deafAlertmanager)
	target(t, r.net).Add(7)
	r.Start()
	<-storeReached
	<-alertmanagerReached

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	begin := time.Now()
	err := r.Close(ctx)
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("closing took %s", took)
	}
	if err == nil || !strings.Contains(err.Error(), "remote write: not all was sent in time") {
		t.Errorf("what was cut off is not told: %v", err)
	}
	again := open(t, scraping, func(o *Options) { o.Dir = dir }) // the lock is given back
	if !again.has(t, "orders_total") {
		t.Error("the samples are gone")
	}
}

// The storage is not closed under a query; the query is cut off.
func TestCloseEndsQueries(t *testing.T) {
	r := open(t, scraping)
	_, leave, err := r.readers.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Start()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := r.readers.close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("closed under a reader: %v", err)
	}
	leave()
	if err := r.readers.close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, _, err := r.readers.enter(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("let in after the end: %v", err)
	}
}

func TestGateCancelsReaders(t *testing.T) {
	g := newGate()
	ctx, leave, err := g.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- g.close(t.Context()) }()
	<-ctx.Done()
	leave()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
