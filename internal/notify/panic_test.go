package notify

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/internal/notify/robottest"
)

// panicking is a transport that panics with what it is asked for, a few times.
type panicking struct {
	http.RoundTripper
	times atomic.Int32
}

func (p *panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.times.Add(-1) >= 0 {
		panic("asked for " + r.URL.String())
	}
	return p.RoundTripper.RoundTrip(r)
}

// A panic costs the message at hand, which is answered, counted and logged with its
// stack, and tells no secret; the next ones are told.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := &panicking{}
		g := newRig(t, func(o *Options) { bad.RoundTripper, o.Transport = o.Transport, bad })
		bad.times.Store(2)
		for range 2 {
			w := g.tell(t, robot.DingTalk, of("A", "critical", "api", "web-1"))
			if w.Code != 503 || !strings.Contains(w.Body.String(), "panic") || strings.Contains(w.Body.String(), robottest.Token) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		if g.failures(robot.DingTalk, catalog.NotifyPanic) != 2 || g.result(robot.DingTalk, catalog.NotifyUndelivered) != 2 {
			t.Error(g.told(t))
		}
		log := g.logs.String()
		if strings.Count(log, "stack=") != 1 || !strings.Contains(log, "RoundTrip") || strings.Contains(log, robottest.Token) {
			t.Errorf("%s", log)
		}
		if w := g.tell(t, robot.DingTalk, of("A", "critical", "api", "web-1")); w.Code != 200 || !strings.Contains(g.logs.String(), "takes messages again") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// All whose message it was are answered.
func TestPanicOfDigest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := &panicking{}
		g := newRig(t, func(o *Options) { bad.RoundTripper, o.Transport = o.Transport, bad })
		for i := range robot.WeCom.Limit().Burst { // all the room there is
			g.tell(t, robot.WeCom, of("A", "critical", fmt.Sprintf("first-%d", i), "web-1"))
		}
		bad.times.Store(1)
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() {
				begun := time.Now()
				if w := g.tell(t, robot.WeCom, of("A", "critical", fmt.Sprintf("app-%d", i), "web-1")); w.Code != 503 || time.Since(begun) > 6*time.Second {
					t.Errorf("%d after %s: %s", w.Code, time.Since(begun), w.Body)
				}
			})
		}
		all.Wait()
		if g.failures(robot.WeCom, catalog.NotifyPanic) != 1 || g.result(robot.WeCom, catalog.NotifyUndelivered) != 3 {
			t.Error(g.told(t))
		}
	})
}

// A panic before a message was taken does not come again and again.
func TestPanicBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		p := g.bridge.couriers["feishu"].pace
		limiter := p.limiter
		p.limiter = nil
		if w := g.tell(t, robot.Feishu, of("A", "critical", "api", "web-1")); w.Code != 503 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		synctest.Wait()
		if n := g.failures(robot.Feishu, catalog.NotifyPanic); n != 1 || !strings.Contains(g.logs.String(), "nil pointer dereference") {
			t.Errorf("%v panics: %s", n, g.logs)
		}
		p.limiter = limiter
		if w := g.tell(t, robot.Feishu, of("A", "critical", "api", "web-1")); w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
