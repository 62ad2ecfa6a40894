package notify

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/notify/facts"
	"github.com/pm25/pm25/internal/notify/robot"
)

// source answers after a while, or when it has to end.
type source struct {
	known facts.Known
	err   error
	after time.Duration
	deaf  bool // does not listen to the context
	mad   bool // panics
}

func (s source) About(ctx context.Context, _ facts.Subject) (facts.Known, error) {
	if s.mad {
		panic("mad")
	}
	if s.deaf {
		ctx = context.Background()
	}
	select {
	case <-time.After(s.after):
		return s.known, s.err
	case <-ctx.Done():
		return facts.Known{}, ctx.Err()
	}
}

// What is not known in time is left out, and counted; what others knew stays.
func TestLookUp(t *testing.T) {
	exception := facts.Known{Exception: &facts.Exception{Title: "TypeError: x"}}
	hosts := facts.Known{Hosts: &facts.Share{Part: 2, Of: 5}}
	for name, c := range map[string]struct {
		sources []Facts
		wants   string
		lacks   string
		result  string
		within  time.Duration
	}{
		"in time": {[]Facts{source{known: exception}, source{known: hosts, after: 200 * time.Millisecond}}, "TypeError", "", catalog.NotifyDelivered, 250 * time.Millisecond},
		"late":    {[]Facts{source{known: exception}, source{known: hosts, after: time.Second}}, "TypeError", "of 5 hosts", catalog.NotifyPlain, lookup},
		"deaf":    {[]Facts{source{known: hosts, after: 10 * time.Second, deaf: true}}, "in trouble", "of 5 hosts", catalog.NotifyPlain, lookup},
		"failing": {[]Facts{source{err: errors.New("the store is broken")}, source{known: hosts}}, "of 5 hosts", "TypeError", catalog.NotifyPlain, 0},
		"mad":     {[]Facts{source{mad: true}, source{known: hosts}}, "of 5 hosts", "TypeError", catalog.NotifyPlain, 0},
		"nobody":  {nil, "in trouble", "", catalog.NotifyDelivered, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newRig(t, func(o *Options) { o.Facts = c.sources })
				begun := time.Now()
				if w := g.tell(t, robot.DingTalk, of("PM2CrashLoop", "critical", "api", "web-1")); w.Code != http.StatusOK {
					t.Fatalf("%d %s", w.Code, w.Body)
				}
				if took := time.Since(begun); took > c.within {
					t.Errorf("it took %s", took)
				}
				m := g.robots[robot.DingTalk].Taken()[0]
				if !strings.Contains(m.Text, c.wants) || c.lacks != "" && strings.Contains(m.Text, c.lacks) || g.result(robot.DingTalk, c.result) != 1 {
					t.Errorf("%s\n%s", m.Text, g.told(t))
				}
				if c.result == catalog.NotifyPlain && name == "failing" && !strings.Contains(g.logs.String(), "the store is broken") {
					t.Errorf("%s", g.logs)
				}
				time.Sleep(time.Minute) // who is deaf ends too
			})
		})
	}
}

// A message of many alerts looks up some, and all at once.
func TestSubjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, func(o *Options) { o.Facts = []Facts{source{after: 200 * time.Millisecond}} })
		begun := time.Now()
		var alerts []alert
		for _, app := range []string{"a", "b", "c", "d", "e", "f"} {
			alerts = append(alerts, of("PM2CrashLoop", "critical", app, "web-1"))
		}
		if w := g.tell(t, robot.WeCom, alerts...); w.Code != 200 || time.Since(begun) > 200*time.Millisecond {
			t.Errorf("%d after %s", w.Code, time.Since(begun))
		}
		if w := g.tell(t, robot.WeCom, append(alerts, alerts...)...); w.Code != 200 || time.Since(begun) > 200*time.Millisecond {
			t.Errorf("many: %d after %s", w.Code, time.Since(begun))
		}
	})
}
