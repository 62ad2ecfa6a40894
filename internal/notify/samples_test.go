package notify

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/notify/facts"
	"github.com/pm25/pm25/internal/notify/message"
	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/rules/routing"
)

// sampled is the time of the samples.
var sampled = time.Date(2026, 11, 26, 6, 3, 5, 0, time.UTC)

// wellKnown knows all that can be known.
type wellKnown struct{}

func (wellKnown) About(context.Context, facts.Subject) (facts.Known, error) {
	return facts.Known{
		End:       &facts.End{At: sampled.Add(-4 * time.Second), Reason: "crash", Code: 1, Lived: 9 * time.Second, Peak: 182 << 20},
		Exception: &facts.Exception{Group: "3f1c0a9be2d47755", Title: "TypeError: Cannot read properties of undefined (reading 'id')", Frame: "charge (src/payments.js:41)", Count: 12},
		Logs:      []string{"POST /charge order=1842", "const id = order.customer.id;", "TypeError: Cannot read properties of undefined (reading 'id')"},
		Deploy:    &facts.Deploy{At: sampled.Add(-6 * time.Minute), From: "1.4.2", To: "1.4.3"},
		Workers:   &facts.Share{Part: 3, Of: 4},
		Hosts:     &facts.Share{Part: 2, Of: 5},
	}, nil
}

// sampleAlert is PM2CrashLoop of an app.
func sampleAlert() alert {
	const site = "https://pm25.example.com"
	a := of("PM2CrashLoop", "critical", "payments", "web-1")
	a.StartsAt = sampled.Add(-40 * time.Second)
	a.Annotations = map[string]string{
		"summary":       "payments on web-1 is in a crash loop",
		"description":   "payments (namespace default, PM2 deploy) on web-1 ended more than three times in the last ten minutes by crashes or signals, and was started again.",
		"dashboard_url": site + "/?host=web-1&q=payments", "runbook_url": site + "/runbooks/PM2CrashLoop",
		"silence_url":    site + "/silence?matcher=alertname%3D%22PM2CrashLoop%22&matcher=app%3D%22payments%22",
		"exceptions_url": site + "/exceptions?app=payments",
	}
	return a
}

// TestSamples holds what messages look like, and what the guide shows of it.
func TestSamples(t *testing.T) {
	guide, err := os.ReadFile("../../docs/chat-robots.md")
	if err != nil {
		t.Fatal(err)
	}
	external, _ := url.Parse("https://pm25.example.com")
	for kind, c := range map[robot.Kind]struct{ language, who string }{
		robot.DingTalk: {routing.English, "13800000000"}, robot.Feishu: {routing.English, "ou_84aad35d084aa403a838cf73ee18467"}, robot.WeCom: {routing.Chinese, "zhangsan"},
	} {
		g := newRig(t, func(o *Options) {
			o.Now, o.Facts, o.ExternalURL = func() time.Time { return sampled }, []Facts{wellKnown{}}, external
			o.Receivers.Language = c.language
			o.Owners = routing.Owners{{Team: "payments", App: "payments", Mention: map[string][]string{string(kind): {c.who}}}}
		})
		g.robots[kind].Now = func() time.Time { return sampled }
		if w := g.tell(t, kind, sampleAlert()); w.Code != 200 {
			t.Fatalf("%s: %d %s", kind, w.Code, w.Body)
		}
		m := g.robots[kind].Taken()[0]
		text := m.Text
		if kind == robot.Feishu {
			text = m.Title + "\n\n" + text + "\n"
			for _, b := range m.Buttons {
				text += "\n[ " + b[0] + " ] " + b[1]
			}
		}
		golden(t, string(kind)+".md", text, string(guide))
		var whole map[string]any
		if err := json.Unmarshal([]byte(m.Body), &whole); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	t.Run("digest", func(t *testing.T) {
		g := newRig(t)
		shanghai, err := time.LoadLocation("Asia/Shanghai")
		if err != nil {
			t.Fatal(err)
		}
		style := message.Style{Language: routing.English, Location: shanghai, Now: sampled}
		var all []message.Notification
		for _, a := range []alert{
			of("PM2RouteSlow", "warning", "shop", "web-1"), of("PM2CrashLoop", "critical", "payments", "web-1"), of("PM2CrashLoop", "critical", "payments", "web-2"),
			of("PM2NewException", "warning", "shop", "web-3"), of("PM2AppDown", "critical", "search", "web-2"),
		} {
			n, err := message.Parse([]byte(notification(a)))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, n)
		}
		target, err := readTarget(robot.DingTalk, *g.receivers.Receivers["dingtalk"].DingTalk)
		if err != nil {
			t.Fatal(err)
		}
		r, _, err := target.Request(t.Context(), sampled, style.Digest(all))
		if err != nil {
			t.Fatal(err)
		}
		var body struct{ Markdown struct{ Text string } }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Fatal(err)
		}
		golden(t, "digest.md", body.Markdown.Text, string(guide))
	})
}

// golden compares with a file in testdata, and holds that the guide shows it.
func golden(t *testing.T, name, text, guide string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	text = strings.TrimRight(text, "\n") + "\n"
	if os.Getenv("PM25_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s is not what is sent; PM25_GOLDEN=1 writes it anew:\n%s", path, text)
	}
	if !strings.Contains(guide, "```\n"+text+"```\n") {
		t.Errorf("docs/chat-robots.md does not show %s", path)
	}
}
