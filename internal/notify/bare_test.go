package notify

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/internal/notify/robottest"
)

// What an app says keeps neither its own alert nor others from being told, though
// the chat program refuses its words each time.
func TestRefusedWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		r := g.robots[robot.DingTalk]
		r.Script(robottest.Answer{Code: 430101})
		if w := g.tell(t, robot.DingTalk, of("A", "critical", "app", "web-1")); w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		text := r.Taken()[0].Text
		if !strings.Contains(text, "**A · app**: 1 firing · web-1 · critical") || strings.Contains(text, "is in trouble") || strings.Contains(text, "](") {
			t.Errorf("%s", text)
		}
		for i := range 4 { // with the two of before: all the room there is
			g.tell(t, robot.DingTalk, of("A", "critical", fmt.Sprintf("first-%d", i), "web-1"))
		}
		r.Script(robottest.Answer{Code: 430101})
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() {
				if w := g.tell(t, robot.DingTalk, of("A", "critical", fmt.Sprintf("together-%d", i), "web-1")); w.Code != 200 {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			})
		}
		all.Wait()
		if n := g.failures(robot.DingTalk, catalog.NotifyContent); n != 2 || g.result(robot.DingTalk, catalog.NotifyPlain) != 4 {
			t.Errorf("%v refused\n%s", n, g.told(t))
		}
		if !strings.Contains(g.logs.String(), "reason=content") {
			t.Errorf("no line in the log: %s", g.logs)
		}
		time.Sleep(time.Minute) // of the test's own time: there is room again
		r.Script(robottest.Answer{Code: 430101}, robottest.Answer{Code: 430101})
		if w := g.tell(t, robot.DingTalk, of("A", "critical", "app", "web-1")); w.Code != 400 {
			t.Errorf("its name is refused too: %d %s", w.Code, w.Body)
		}
	})
}
