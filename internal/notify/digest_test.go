package notify

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/internal/notify/robottest"
)

// insist tells an alert as Alertmanager does: with ten seconds for each try, again
// after what is 503, with more and more time between, until it is told. It
// returns how many tries it took, 0 for what was not told in five minutes.
func (g *rig) insist(t *testing.T, kind robot.Kind, a alert) (tries int) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for wait := 500 * time.Millisecond; ; wait = min(wait*3/2, time.Minute) {
		tries++
		try, done := context.WithTimeout(ctx, 10*time.Second)
		w := g.post(try, Path+string(kind)+"/"+string(kind), notification(a))
		done()
		switch w.Code {
		case http.StatusOK:
			return tries
		case http.StatusServiceUnavailable:
		default:
			t.Errorf("%d %s", w.Code, w.Body)
			return 0
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return 0
		}
	}
}

var (
	appName = regexp.MustCompile(`app-\d+`)
	moreOf  = regexp.MustCompile(`(\d+) more: `)
	shown   = regexp.MustCompile(`\[all alerts\]\(http://pm25.example/alertmanager\)`)
)

// busiest is the most messages within any time so long.
func busiest(asked []time.Time, window time.Duration) (most int) {
	for i := range asked {
		n := 0
		for _, other := range asked[i:] {
			if other.Sub(asked[i]) < window {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// 200 alerts within a minute, each of a group of its own, are told in digests
// within the limits, and none is lost; whether they come one after another or at
// once.
func TestDigests(t *testing.T) {
	for _, kind := range robot.Kinds() {
		for name, each := range map[string]time.Duration{"in a minute": 300 * time.Millisecond, "at once": 0} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { storm(t, newRig(t), kind, each) })
			})
		}
	}
}

func storm(t *testing.T, g *rig, kind robot.Kind, each time.Duration) {
	const alerts = 200
	begun := time.Now()
	var all sync.WaitGroup
	var mu sync.Mutex
	tries, worst := 0, time.Duration(0)
	for i := range alerts {
		all.Go(func() {
			time.Sleep(time.Duration(i) * each)
			came := time.Now()
			n := g.insist(t, kind, of("PM2CrashLoop", []string{"critical", "warning"}[i%2], fmt.Sprintf("app-%d", i), "web-1"))
			mu.Lock()
			defer mu.Unlock()
			tries, worst = tries+n, max(worst, time.Since(came))
			if n == 0 {
				t.Errorf("app-%d was not told", i)
			}
		})
	}
	all.Wait()
	r := g.robots[kind]
	names, left := map[string]bool{}, 0
	for _, m := range r.Taken() {
		for _, name := range appName.FindAllString(m.Text, -1) {
			names[name] = true
		}
		if more := moreOf.FindStringSubmatch(m.Text); more != nil {
			n, _ := strconv.Atoi(more[1])
			left += n
			if !shown.MatchString(m.Text) {
				t.Errorf("no link to what was left out:\n%s", m.Text)
			}
		}
	}
	if len(names)+left < alerts {
		t.Errorf("%d alerts by name and %d counted, of %d", len(names), left, alerts)
	}
	if kind != robot.WeCom && len(names) != alerts {
		t.Errorf("%d of %d alerts are told by name", len(names), alerts)
	}
	if len(r.Taken()) != len(r.Asked()) {
		t.Errorf("%d messages were not taken", len(r.Asked())-len(r.Taken()))
	}
	minute, second := busiest(r.Asked(), time.Minute), busiest(r.Asked(), time.Second)
	if most := map[robot.Kind]int{robot.Feishu: 100}[kind]; minute > max(most, 20) || kind == robot.Feishu && second > 5 {
		t.Errorf("%d messages in a minute, %d in a second", minute, second)
	}
	if told := g.result(kind, catalog.NotifyDelivered) + g.result(kind, catalog.NotifyDigested); told != alerts {
		t.Errorf("%v are counted as told", told)
	}
	if worst > patience {
		t.Errorf("one waited %s", worst)
	}
	t.Logf("%d alerts told in %d messages (%d bytes the longest) within %s: %d tries, at most %s each; %d a minute and %d a second at most; %d by name, %d counted",
		alerts, len(r.Taken()), longest(r.Taken()), time.Since(begun), tries, worst, minute, second, len(names), left)
}

func longest(all []robottest.Taken) (n int) {
	for _, m := range all {
		n = max(n, m.Bytes)
	}
	return n
}

// The most urgent comes first, and its owner is called.
func TestDigestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		var all sync.WaitGroup
		for i := range 30 {
			severity := "info"
			if i == 17 {
				severity = "critical"
			}
			all.Go(func() {
				g.insist(t, robot.DingTalk, of("PM2Alert"+severity, severity, fmt.Sprintf("app-%d", i), "web-1"))
			})
		}
		all.Wait()
		for _, m := range g.robots[robot.DingTalk].Taken() {
			if at := strings.Index(m.Text, "app-17"); at >= 0 && strings.Count(m.Text, "app-") > 1 && at != strings.Index(m.Text, "app-") {
				t.Errorf("the critical one is not the first in\n%s", m.Text)
			}
		}
	})
}

// A digest that is longer than a message goes on in the next, while there is room;
// when that fails all is told again.
func TestPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		r := g.robots[robot.WeCom]
		var alerts []alert
		for i := range 150 {
			alerts = append(alerts, of("PM2CrashLoop", "critical", fmt.Sprintf("app-%d", i), "web-1"))
		}
		r.Script(robottest.Answer{Take: true}, robottest.Answer{Status: 500})
		if w := g.tell(t, robot.WeCom, alerts...); w.Code != 503 || len(r.Taken()) != 1 {
			t.Errorf("%d %s after %d messages", w.Code, w.Body, len(r.Taken()))
		}
		if w := g.tell(t, robot.WeCom, alerts...); w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		all := r.Taken()[1:]
		names := map[string]bool{}
		for i, m := range all {
			for _, name := range appName.FindAllString(m.Text, -1) {
				names[name] = true
			}
			if last := i == len(all)-1; last == strings.Contains(m.Text, "more in the next message") || (i > 0) != strings.Contains(m.Text, fmt.Sprintf("(%d)", i+1)) {
				t.Errorf("message %d of %d:\n%s", i+1, len(all), m.Text)
			}
		}
		if len(names) != 150 || len(all) < 2 || len(all) > maxPages {
			t.Errorf("%d apps in %d messages", len(names), len(all))
		}
	})
}

// After DingTalk has blocked a robot it is left alone; what came meanwhile is told
// when it takes messages again.
func TestBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		r := g.robots[robot.DingTalk]
		r.Script(robottest.Answer{Code: 130101}, robottest.Answer{Code: 130101})
		if n := g.insist(t, robot.DingTalk, of("A", "critical", "app-1", "web-1")); n == 0 {
			t.Error("it was not told")
		}
		if len(r.Asked()) != 3 || r.Asked()[1].Sub(r.Asked()[0]) < time.Minute || r.Asked()[2].Sub(r.Asked()[1]) < 2*time.Minute {
			t.Errorf("asked at %v", r.Asked())
		}
		if g.result(robot.DingTalk, catalog.NotifyThrottled) < 3 {
			t.Errorf("%v throttled", g.result(robot.DingTalk, catalog.NotifyThrottled))
		}
	})
}

// A robot that is slow keeps no other waiting, and what waits for it is told.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		g.robots[robot.DingTalk].Script(robottest.Answer{Slow: 3 * time.Second}, robottest.Answer{Slow: 3 * time.Second})
		begun := time.Now()
		var slow sync.WaitGroup
		for i := range 5 {
			slow.Go(func() {
				if n := g.insist(t, robot.DingTalk, of("A", "critical", fmt.Sprintf("app-%d", i), "web-1")); n != 1 {
					t.Errorf("app-%d was told after %d tries", i, n)
				}
			})
		}
		synctest.Wait()
		if w := g.tell(t, robot.WeCom, of("A", "critical", "api", "web-1")); w.Code != http.StatusOK || time.Since(begun) > 100*time.Millisecond {
			t.Errorf("%d after %s", w.Code, time.Since(begun))
		}
		slow.Wait()
		if n := len(g.robots[robot.DingTalk].Taken()); n != 2 || time.Since(begun) > patience {
			t.Errorf("%d messages in %s", n, time.Since(begun))
		}
	})
}

// Who leaves before its turn is not told of; who leaves while it is told may be
// told of again.
func TestLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		for i := range 6 { // all the room there is
			g.tell(t, robot.DingTalk, of("A", "critical", fmt.Sprintf("first-%d", i), "web-1"))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if w := g.post(ctx, "/notify/dingtalk/dingtalk", notification(of("A", "critical", "gone", "web-1"))); w.Code != 503 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if w := g.tell(t, robot.DingTalk, of("A", "critical", "stays", "web-1")); w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		var all strings.Builder
		for _, m := range g.robots[robot.DingTalk].Taken() {
			all.WriteString(m.Text)
		}
		if strings.Contains(all.String(), "gone") || !strings.Contains(all.String(), "stays") || g.result(robot.DingTalk, catalog.NotifyAbandoned) != 1 {
			t.Errorf("%s", g.told(t))
		}
	})
}

// What waits is bounded in number and bytes.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		g.robots[robot.WeCom].Script(robottest.Answer{Slow: 3 * time.Second})
		var all sync.WaitGroup
		var mu sync.Mutex
		codes := map[int]int{}
		all.Go(func() { g.tell(t, robot.WeCom, of("A", "warning", "first", "web-1")) })
		synctest.Wait() // the robot has it, and takes its time
		for i := range maxWaiting + 50 {
			all.Go(func() {
				w := g.tell(t, robot.WeCom, of("A", "warning", fmt.Sprintf("app-%d", i), "web-1"))
				mu.Lock()
				defer mu.Unlock()
				codes[w.Code]++
			})
		}
		all.Wait()
		if codes[200] != maxWaiting || codes[503] != 50 {
			t.Errorf("%v", codes)
		}
		if g.result(robot.WeCom, catalog.NotifyThrottled) != 50 {
			t.Errorf("%v throttled", g.result(robot.WeCom, catalog.NotifyThrottled))
		}
	})
}

// What waits when the bridge ends is answered, and a message under way ends.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		g.robots[robot.DingTalk].Script(robottest.Answer{Slow: time.Second})
		codes := make(chan int, 2)
		go func() { codes <- g.tell(t, robot.DingTalk, of("A", "critical", "under-way", "web-1")).Code }()
		synctest.Wait()
		go func() { codes <- g.tell(t, robot.DingTalk, of("A", "critical", "waits", "web-1")).Code }()
		synctest.Wait()
		if err := g.bridge.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if a, b := <-codes, <-codes; a+b != 200+503 {
			t.Errorf("answers %d and %d", a, b)
		}
		if w := g.tell(t, robot.DingTalk, of("A", "critical", "late", "web-1")); w.Code != 503 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
