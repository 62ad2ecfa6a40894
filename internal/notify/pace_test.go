package notify

import (
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/internal/notify/robottest"
)

// reload takes a robot out of the configuration, waits, and puts it back.
func (g *rig) reload(kind robot.Kind, wait time.Duration) {
	without := g.receivers
	without.Receivers = maps.Clone(g.receivers.Receivers)
	delete(without.Receivers, string(kind))
	g.bridge.Reload(without, nil)
	time.Sleep(wait)
	g.bridge.Reload(g.receivers, nil)
}

func (g *rig) paused(kind robot.Kind) float64 {
	return testutil.ToFloat64(g.bridge.metrics.paused.WithLabelValues(string(kind), string(kind)))
}

// A robot that said there were too many messages is left alone as long as it asked
// for, though reloads take it out and put it back.
func TestReloadKeepsPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		r := g.robots[robot.WeCom]
		r.Script(robottest.Answer{Status: 429, Header: [2]string{"Retry-After", "90"}})
		g.tell(t, robot.WeCom, of("A", "critical", "api", "web-1"))
		g.reload(robot.WeCom, 10*time.Second)
		g.reload(robot.WeCom, 50*time.Second)
		w := g.tell(t, robot.WeCom, of("A", "critical", "api", "web-1"))
		if w.Code != 503 || w.Header().Get("Retry-After") != "30" || len(r.Asked()) != 1 || g.paused(robot.WeCom) != 1 {
			t.Errorf("%d, after %s; asked %d times, paused %v", w.Code, w.Header().Get("Retry-After"), len(r.Asked()), g.paused(robot.WeCom))
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if g.paused(robot.WeCom) != 0 {
			t.Error("the pause is over, and it does not tell")
		}
		// Still the second time in a row.
		r.Script(robottest.Answer{Status: 429})
		if w := g.tell(t, robot.WeCom, of("A", "critical", "api", "web-1")); w.Header().Get("Retry-After") != "60" {
			t.Errorf("%d, after %s", w.Code, w.Header().Get("Retry-After"))
		}
	})
}

// What a robot says to the courier that was under way when it was taken out counts
// for the one that came after.
func TestReloadUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		r := g.robots[robot.Feishu]
		r.Script(robottest.Answer{Slow: 3 * time.Second, Code: 11232})
		go g.tell(t, robot.Feishu, of("A", "critical", "api", "web-1"))
		synctest.Wait()
		g.reload(robot.Feishu, time.Second)
		time.Sleep(2*time.Second + time.Millisecond)
		if w := g.tell(t, robot.Feishu, of("A", "critical", "api", "web-1")); w.Code != 503 || len(r.Asked()) != 1 {
			t.Errorf("%d; asked %d times", w.Code, len(r.Asked()))
		}
	})
}

// What waits for the new courier when the old one is told to leave the robot alone
// is not sent.
func TestReloadWhileOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		r := g.robots[robot.WeCom]
		for i := range robot.WeCom.Limit().Burst - 1 {
			g.tell(t, robot.WeCom, of("A", "critical", fmt.Sprintf("first-%d", i), "web-1"))
		}
		sent := len(r.Asked()) + 1
		r.Script(robottest.Answer{Slow: 3 * time.Second, Code: 45009})
		go g.tell(t, robot.WeCom, of("A", "critical", "last", "web-1"))
		synctest.Wait()
		g.reload(robot.WeCom, time.Second)
		w := g.tell(t, robot.WeCom, of("A", "critical", "waits", "web-1")) // for room, meanwhile the answer comes
		if w.Code != 503 || len(r.Asked()) != sent || g.paused(robot.WeCom) != 1 {
			t.Errorf("%d; asked %d times, paused %v", w.Code, len(r.Asked()), g.paused(robot.WeCom))
		}
	})
}

// A reload gives no room that was used up, and what does not matter any more is
// forgotten.
func TestReloadKeepsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		r := g.robots[robot.DingTalk]
		for range 10 {
			for i := range 3 {
				g.tell(t, robot.DingTalk, of("A", "critical", fmt.Sprintf("app-%d", i), "web-1"))
			}
			g.reload(robot.DingTalk, time.Millisecond)
		}
		if n := busiest(r.Asked(), time.Minute); n > 20 {
			t.Errorf("%d messages in a minute", n)
		}
		none := g.receivers
		none.Receivers = nil
		g.bridge.Reload(none, nil)
		g.bridge.Reload(none, nil)
		if n := len(g.bridge.paces); n != 1 {
			t.Errorf("%d paces are kept, want that of the robot that was used", n)
		}
		time.Sleep(time.Minute)
		g.bridge.Reload(none, nil)
		if n := len(g.bridge.paces); n != 0 {
			t.Errorf("%d paces are kept, and matter no more", n)
		}
	})
}
