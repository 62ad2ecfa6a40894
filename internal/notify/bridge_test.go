package notify

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/internal/notify/robottest"
	"github.com/pm25/pm25/rules/routing"
)

func TestTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, func(o *Options) {
			o.Owners = routing.Owners{{App: "api", Mention: map[string][]string{"dingtalk": {"13800000000"}, "feishu": {"ou_1"}, "wecom": {"user1"}}}}
		})
		for kind, who := range map[robot.Kind]string{robot.DingTalk: "13800000000", robot.Feishu: "ou_1", robot.WeCom: "user1"} {
			if w := g.tell(t, kind, of("PM2CrashLoop", "critical", "api", "web-1")); w.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", kind, w.Code, w.Body)
			}
			// What is no page calls nobody, nor does what is over.
			over := of("PM2CrashLoop", "critical", "api", "web-1")
			over.Status, over.EndsAt = "resolved", time.Now()
			if w := g.tell(t, kind, of("PM2RouteSlow", "warning", "api", "web-1"), over); w.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", kind, w.Code, w.Body)
			}
			all := g.robots[kind].Taken()
			if len(all) != 2 || strings.Join(all[0].Mentions, " ") != who || len(all[1].Mentions) != 0 {
				t.Errorf("%s: %+v", kind, all)
			}
			if g.result(kind, catalog.NotifyDelivered) != 2 {
				t.Errorf("%s: %v", kind, g.result(kind, catalog.NotifyDelivered))
			}
		}
	})
}

func TestUnknown(t *testing.T) {
	g := newRig(t)
	body := notification(of("A", "critical", "api", "web-1"))
	for path, want := range map[string]string{
		"/notify/slack/ops":      "dingtalk, feishu, wecom",
		"/notify/dingtalk/other": `no receiver "other" of the kind dingtalk; there is dingtalk`,
		"/notify/dingtalk/wecom": `there is dingtalk`,
		"/notify/":               "/notify/{kind}/{receiver}",
	} {
		if w := g.post(t.Context(), path, body); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for body, code := range map[string]int{"": 400, "{}": 400, "null": 400, `{"alerts":[]}`: 400, "x": 400, strings.Repeat(" ", maxBody+1): 413} {
		if w := g.post(t.Context(), "/notify/wecom/wecom", body); w.Code != code {
			t.Errorf("%.10q: %d %s", body, w.Code, w.Body)
		}
	}
}

// Each way in which a robot does not take a message: what Alertmanager is
// answered, what is counted, and that nothing secret is told anywhere.
func TestRejections(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   robot.Kind
		answer robottest.Answer
		code   int
		reason string
		result string
	}{
		{"rate", robot.DingTalk, robottest.Answer{Code: 130101, Text: "send too fast"}, 503, catalog.NotifyRateLimited, catalog.NotifyThrottled},
		{"rate", robot.Feishu, robottest.Answer{Code: 11232, Text: "frequency limited"}, 503, catalog.NotifyRateLimited, catalog.NotifyThrottled},
		{"gateway rate", robot.Feishu, robottest.Answer{Status: 400, Code: 9499, Text: "too many request"}, 503, catalog.NotifyRateLimited, catalog.NotifyThrottled},
		{"rate", robot.WeCom, robottest.Answer{Code: 45009, Text: "api freq out of limit"}, 503, catalog.NotifyRateLimited, catalog.NotifyThrottled},
		{"429", robot.WeCom, robottest.Answer{Status: 429, Header: [2]string{"Retry-After", "90"}}, 503, catalog.NotifyRateLimited, catalog.NotifyThrottled},
		{"500", robot.WeCom, robottest.Answer{Status: 500, Body: "oops"}, 503, catalog.NotifyServer, catalog.NotifyUndelivered},
		{"slow", robot.DingTalk, robottest.Answer{Slow: time.Minute}, 503, catalog.NotifyTimeout, catalog.NotifyUndelivered},
		{"dropped", robot.DingTalk, robottest.Answer{Drop: true}, 503, catalog.NotifyUnreachable, catalog.NotifyUndelivered},
		{"login page", robot.Feishu, robottest.Answer{Body: "<html>"}, 503, catalog.NotifyAnswer, catalog.NotifyUndelivered},
		{"redirect", robot.Feishu, robottest.Answer{Status: 302, Header: [2]string{"Location", "http://feishu.in-process/elsewhere"}}, 400, catalog.NotifyToken, catalog.NotifyRejected},
		{"token", robot.DingTalk, robottest.Answer{Code: 300001, Text: "token is not exist " + robottest.Token}, 400, catalog.NotifyToken, catalog.NotifyRejected},
		{"keyword", robot.Feishu, robottest.Answer{Code: 19024, Text: "Key Words Not Found"}, 400, catalog.NotifyKeyword, catalog.NotifyRejected},
		{"sign", robot.Feishu, robottest.Answer{Code: 19021, Text: "sign match fail " + secret}, 400, catalog.NotifySignature, catalog.NotifyRejected},
		{"malformed", robot.WeCom, robottest.Answer{Code: 40058, Text: "invalid Request Parameter"}, 400, catalog.NotifyMalformed, catalog.NotifyRejected},
	} {
		t.Run(string(c.kind)+" "+c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newRig(t)
				g.robots[c.kind].Script(c.answer)
				w := g.tell(t, c.kind, of("PM2CrashLoop", "critical", "api", "web-1"))
				if w.Code != c.code || !strings.Contains(w.Body.String(), c.reason) {
					t.Errorf("%d %s", w.Code, w.Body)
				}
				if g.failures(c.kind, c.reason) != 1 || g.result(c.kind, c.result) != 1 {
					t.Errorf("%s %v, %s %v", c.reason, g.failures(c.kind, c.reason), c.result, g.result(c.kind, c.result))
				}
				told := g.told(t) + w.Body.String()
				for _, hidden := range []string{robottest.Token, secret, "access_token", "/robot/send", "/open-apis/", "/cgi-bin/", "sign="} {
					if strings.Contains(told, hidden) {
						t.Errorf("%q is told in\n%s", hidden, told)
					}
				}
				if !strings.Contains(told, "did not take a message") || !strings.Contains(told, "advice=") {
					t.Errorf("no line in the log: %s", told)
				}
				time.Sleep(10 * time.Minute) // of the test's own time
				if w := g.tell(t, c.kind, of("PM2CrashLoop", "critical", "api", "web-1")); w.Code != http.StatusOK {
					t.Errorf("later: %d %s", w.Code, w.Body)
				}
				if g.result(c.kind, catalog.NotifyDelivered) != 1 || !strings.Contains(g.logs.String(), "takes messages again") {
					t.Errorf("it does not tell of the end: %s", g.logs)
				}
			})
		})
	}
}

// A robot that cannot be reached, and files that are not there.
func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		delete(g.robots, robot.DingTalk)
		w := g.tell(t, robot.DingTalk, of("A", "critical", "api", "web-1"))
		if w.Code != 503 || g.failures(robot.DingTalk, catalog.NotifyUnreachable) != 1 || strings.Contains(g.told(t)+w.Body.String(), robottest.Token) {
			t.Errorf("%d %s\n%s", w.Code, w.Body, g.told(t))
		}
		if err := os.Remove(g.receivers.Receivers["feishu"].Feishu.SecretFile); err != nil {
			t.Fatal(err)
		}
		w = g.tell(t, robot.Feishu, of("A", "critical", "api", "web-1"))
		if w.Code != 503 || g.failures(robot.Feishu, catalog.NotifyFiles) != 1 || !strings.Contains(w.Body.String(), "secret_file") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// All series are there before anything happened, and leave with their robot.
func TestMetrics(t *testing.T) {
	g := newRig(t)
	all := func() (n int) {
		families, err := g.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.Metric {
				n++
				if m.GetCounter().GetValue() != 0 || m.GetGauge().GetValue() != 0 {
					t.Errorf("%s: %s", f.GetName(), m)
				}
			}
		}
		return n
	}
	each := len(catalog.NotifyResults()) + len(catalog.NotifyFailures()) + 3
	if n := all(); n != 3*each {
		t.Errorf("%d series, want %d", n, 3*each)
	}
	delete(g.receivers.Receivers, "wecom")
	g.bridge.Reload(g.receivers, nil)
	if n := all(); n != 2*each {
		t.Errorf("%d series after the reload, want %d", n, 2*each)
	}
	if w := g.tell(t, robot.WeCom, of("A", "critical", "api", "web-1")); w.Code != 404 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
