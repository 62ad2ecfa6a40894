package watch

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2/pm2fake"
)

func TestReconnects(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		d.Down()
		w := follow(t, d, nil)
		pass(time.Minute)
		v := w.view(time.Second)
		if v.Up || v.Err == nil || len(v.Processes) > 0 {
			t.Errorf("without a daemon: %+v", v)
		}
		w.mu.Lock()
		dials := slices.Clone(w.dials)
		w.mu.Unlock()
		for i := 1; i < len(dials); i++ {
			gap := dials[i].Sub(dials[i-1])
			if want := min(backoffMin*time.Duration(pow(1.5, i-1)*1000)/1000, backoffMax); gap < want*9/10 || gap > want*11/10 {
				t.Errorf("attempt %d came after %s, want %s", i, gap, want)
			}
		}
		if n := len(dials); n < 15 || n > 40 {
			t.Errorf("%d attempts in a minute", n)
		}
		d.Up()
		pass(backoffMax)
		if v := w.view(time.Second); !v.Up || v.Err != nil || len(v.Processes) != 3 || v.Version != "7.0.4" {
			t.Errorf("with a daemon: %+v", v)
		}
		// A lost connection is down at once, and the first attempt comes soon.
		began := time.Now()
		d.Drop()
		pass(time.Millisecond)
		if v := w.view(time.Second); v.Up {
			t.Error("up without a connection")
		}
		pass(200 * time.Millisecond)
		if v := w.view(time.Second); !v.Up || time.Since(began) > time.Second {
			t.Errorf("not up again after %s: %v", time.Since(began), v.Err)
		}
		if v := w.view(time.Second); v.Stats.Connects != 2 {
			t.Errorf("%+v", v.Stats)
		}
	})
}

func pow(x float64, n int) float64 {
	out := 1.0
	for range n {
		out *= x
	}
	return out
}

// TestStalledDaemon: one that never answers costs each scrape no more than its
// own deadline, is reported as down, and is let go of.
func TestStalledDaemon(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		w := follow(t, d, nil)
		pass(10 * time.Second)
		d.Fail(pm2fake.Fault{Silent: true, Times: -1})
		began := time.Now()
		var wg sync.WaitGroup
		for _, within := range []time.Duration{9 * time.Second, 2 * time.Second, 500 * time.Millisecond, 3 * time.Second} {
			wg.Go(func() {
				v := w.view(within)
				if took := time.Since(began); took > within+50*time.Millisecond {
					t.Errorf("a scrape with %s took %s", within, took)
				}
				if v.Up || v.Err == nil {
					t.Errorf("with %s: up %v, error %v", within, v.Up, v.Err)
				}
			})
			pass(10 * time.Millisecond)
		}
		wg.Wait()
		pass(5 * time.Second)
		if v := w.view(time.Second); v.Up {
			t.Error("still up")
		}
		d.Mend()
		pass(backoffMax + callTimeout)
		if v := w.view(time.Second); !v.Up {
			t.Errorf("not up again: %v", v.Err)
		}
		if rpc, pub := d.Connections(); rpc != 1 || pub != 1 {
			t.Errorf("%d and %d connections are open", rpc, pub)
		}
	})
}

// TestCallerGoesAway: who hangs up in the middle of a scrape says nothing about
// the daemon.
func TestCallerGoesAway(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		w := follow(t, d, nil)
		pass(10 * time.Second)
		d.Fail(pm2fake.Fault{Delay: 500 * time.Millisecond, Times: -1})
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(100*time.Millisecond, cancel)
		w.View(ctx, Want{})
		if v := w.view(5 * time.Second); !v.Up || v.Stats.RequestFailures > 0 || v.Stats.Connects != 1 {
			t.Errorf("up %v, error %v, %+v", v.Up, v.Err, v.Stats)
		}
	})
}

// TestListIsShared: many who ask at once cost PM2 one answer, and at most one a
// second.
func TestListIsShared(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		w := follow(t, d, nil)
		pass(10 * time.Second)
		before := len(d.Requests())
		for range 20 {
			d.Publish("process:event", map[string]any{"event": "online", "process": pm2fake.Process("app0", 0)})
			pass(100 * time.Millisecond)
			var wg sync.WaitGroup
			for range 30 {
				wg.Go(func() { w.view(time.Second) })
			}
			wg.Wait()
		}
		if n := len(d.Requests()) - before; n < 1 || n > 3 {
			t.Errorf("%d requests in 2 s", n)
		}
	})
}

// TestPing: a daemon that says nothing is asked whether it lives, not for its
// list.
func TestPing(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		w := follow(t, d, nil)
		pass(time.Second)
		before := len(d.Requests())
		for range 4 {
			pass(15 * time.Second)
			w.view(time.Second)
		}
		if got := fmt.Sprint(d.Requests()[before:]); got != "[ping ping ping ping]" {
			t.Errorf("asked for %s", got)
		}
	})
}

func TestOddAnswers(t *testing.T) {
	for name, f := range map[string]pm2fake.Fault{
		"cut": {Cut: 20}, "closed": {Close: true}, "error": {Body: `{"error":"no"}`}, "not JSON": {Body: `{"args":[[{]]}`}, "wrong id": {ID: "x"},
		"garbage": {Raw: []byte("garbage")}, "too large": {Raw: []byte{0x12, 0xff, 0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
				w := follow(t, d, nil)
				pass(10 * time.Second)
				d.Fail(f)
				if v := w.view(time.Second); v.Up || v.Err == nil || v.Stats.RequestFailures != 1 {
					t.Errorf("up %v, error %v, %+v", v.Up, v.Err, v.Stats)
				}
				pass(3 * time.Second)
				if v := w.view(time.Second); !v.Up {
					t.Errorf("not up again: %v", v.Err)
				}
			})
		})
	}
}
