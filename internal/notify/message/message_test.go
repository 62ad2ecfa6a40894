package message

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/template"

	"github.com/pm25/pm25/internal/notify/facts"
	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/rules/routing"
)

var now = time.Date(2026, 11, 26, 6, 3, 5, 0, time.UTC)

func style(t *testing.T, language string) Style {
	t.Helper()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return Style{Receiver: "ding", Language: language, Location: shanghai, Now: now}
}

func alert(labels ...string) Alert {
	a := Alert{Firing: true, Labels: template.KV{}, Annotations: template.KV{}, Starts: now.Add(-125 * time.Second)}
	for i := 0; i < len(labels); i += 2 {
		a.Labels[labels[i]] = labels[i+1]
	}
	return a
}

// plain is a document as text.
func plain(d robot.Document) string {
	var b strings.Builder
	b.WriteString(d.Title + "\n")
	for _, block := range d.Blocks {
		for _, l := range block.Lines {
			for _, s := range l.Spans {
				b.WriteString(s.Text)
				if s.URL != "" {
					b.WriteString("<" + s.URL + ">")
				}
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func TestParse(t *testing.T) {
	n, err := Parse([]byte(`{"externalURL": "http://a/alertmanager", "truncatedAlerts": 3, "alerts": [
		{"status": "resolved", "labels": {"alertname": "R", "severity": "critical"}},
		{"status": "firing", "labels": {"alertname": "I", "severity": "info"}},
		{"status": "firing", "labels": {"alertname": "W", "severity": "warning"}},
		{"status": "firing", "labels": {"alertname": "Own"}},
		{"status": "firing", "labels": {"alertname": "C", "severity": "critical"}, "startsAt": "2026-11-26T06:01:00Z"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range n.Alerts {
		names = append(names, a.name())
	}
	if got := strings.Join(names, " "); got != "C W Own I R" || n.Truncated != 3 || n.Count() != 8 || n.All != "http://a/alertmanager" || n.Alerts[0].Starts.Minute() != 1 {
		t.Errorf("%s %+v", got, n)
	}
	for _, bad := range []string{"", "[]", "{}", "null", `{"alerts": [{"labels": 3}]}`, `{"alerts": []}`} {
		if _, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"A","app":"api","severity":"critical"},"annotations":{"summary":"s"},"startsAt":"2026-11-26T06:01:00Z"}],"externalURL":"http://a"}`))
	f.Add([]byte(`{"alerts":[{"labels":null,"endsAt":"9999-12-31T23:59:59Z"},{},{},{},{},{},{},{}],"truncatedAlerts":18446744073709551615}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := Parse(body)
		if err != nil {
			return
		}
		for _, language := range []string{routing.English, routing.Chinese} {
			s := Style{Language: language, Location: time.UTC, Now: now}
			for _, d := range []robot.Document{s.Detailed(n, nil), s.Digest([]Notification{n, n})} {
				if d.Title == "" || len(d.Blocks) == 0 {
					t.Errorf("an empty message of %s", body)
				}
			}
		}
	})
}

func TestDetailed(t *testing.T) {
	a := alert("alertname", "PM2CrashLoop", "severity", "critical", "scope", "app", "app", "api", "pm2_namespace", "default", "host", "web-1", "bucket", "shop")
	a.Annotations["summary"] = "api on web-1 is in a crash loop"
	a.Annotations["dashboard_url"] = "http://a/?q=api"
	known := facts.Known{
		End:       &facts.End{At: now.Add(-3 * time.Second), Reason: "crash", Code: 1, Lived: 12 * time.Second, Peak: 182 << 20},
		Exception: &facts.Exception{Group: "00112233", Title: "TypeError: x is not a function", Frame: "pay (routes/pay.js:12)"},
		Logs:      []string{"connecting", "TypeError: x"},
		Deploy:    &facts.Deploy{At: now.Add(-6 * time.Minute), From: "1.4.2", To: "1.4.3"},
		Workers:   &facts.Share{Part: 3, Of: 4}, Hosts: &facts.Share{Part: 2, Of: 5},
	}
	for language, wants := range map[string][]string{
		routing.English: {
			"[FIRING:1] PM2CrashLoop api · web-1\n", "critical · since 14:01:00 (2 min) · host web-1 · bucket shop\n",
			"Last end: crash, code 1, lived 12 s, peak memory 182 MiB, 3 s ago\n", "Exception: TypeError: x is not a function · pay (routes/pay.js:12)\n",
			"Deployed 6 min ago: 1.4.2 → 1.4.3\n", "3 of 4 processes online, on 2 of 5 hosts\n", "Last lines of its log:\nconnecting\nTypeError: x\n",
			"Look: pm2 logs api --err --lines 50\n", "Dashboard<http://a/?q=api>",
		},
		routing.Chinese: {
			"【告警 1】 PM2CrashLoop api · web-1\n", "严重 · 自 14:01:00 起（2 分钟） · 主机 web-1 · 分组 shop\n",
			"上次退出：崩溃，退出码 1，存活 12 秒，内存峰值 182 MiB，3 秒前\n", "6 分钟前部署：1.4.2 → 1.4.3\n", "4 个进程中 3 个在线，5 台主机中 2 台受影响\n",
			"查看：pm2 logs api --err --lines 50\n", "仪表盘<http://a/?q=api>",
		},
	} {
		got := plain(style(t, language).Detailed(Notification{Alerts: []Alert{a}}, map[facts.Subject]facts.Known{a.subject(): known}))
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", language, want, got)
			}
		}
	}
	a.Firing, a.Ends = false, now.Add(-5*time.Second)
	got := plain(style(t, routing.English).Detailed(Notification{Alerts: []Alert{a}}, nil))
	if !strings.Contains(got, "[RESOLVED:1] ") || !strings.Contains(got, "resolved at 14:03:00, after 2 min") || strings.Contains(got, "Look:") {
		t.Errorf("%s", got)
	}
}

func TestWordsOfBothLanguages(t *testing.T) {
	for key, pair := range words {
		if pair[0] == "" || pair[1] == "" || strings.Count(pair[0], "%") != strings.Count(pair[1], "%") {
			t.Errorf("%s: %q", key, pair)
		}
	}
}

// Of many alerts each is counted, whatever the message shows.
func TestManyAreADigest(t *testing.T) {
	var n Notification
	for i := range 40 {
		a := alert("alertname", "A", "severity", "warning", "app", fmt.Sprintf("app%d", i%4), "host", fmt.Sprintf("web-%d", i))
		a.Firing = i%10 != 0
		n.Alerts = append(n.Alerts, a)
	}
	n.Truncated = 5
	d := style(t, routing.English).Detailed(n, nil)
	count := d.Left
	for _, b := range d.Blocks {
		count += b.Weight
	}
	if count != n.Count() || !strings.Contains(plain(d), "A · app0: 8 firing, 2 resolved · web-4, web-8, web-12 and 7 more hosts · warning") || !strings.HasPrefix(d.Title, "45 alerts: A") {
		t.Errorf("%d of %d in\n%s", count, n.Count(), plain(d))
	}
}

func TestMentions(t *testing.T) {
	s := style(t, routing.English)
	s.Owners = routing.Owners{
		{App: "api*", Mention: map[string][]string{"ding": {"1", "2"}, "other": {"9"}}},
		{Mention: map[string][]string{"ding": {"2", "3"}}, MentionOn: "warning"},
	}
	over := alert("severity", "critical", "app", "api")
	over.Firing = false
	for want, alerts := range map[string][]Alert{
		"":      {alert("severity", "warning", "app", "api"), over, alert("severity", "info", "app", "x")},
		"1 2":   {alert("severity", "critical", "app", "api-2")},
		"1 2 3": {alert("severity", "critical", "app", "api"), alert("severity", "warning", "app", "x")},
	} {
		for _, d := range []robot.Document{s.Detailed(Notification{Alerts: alerts}, nil), s.Digest([]Notification{{Alerts: alerts}})} {
			if got := strings.Join(d.Mentions, " "); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}

// The most urgent alert's people are called first, and those beyond are counted.
func TestManyMentions(t *testing.T) {
	for language, want := range map[string]string{
		routing.English: "5 more people are to be mentioned; a message mentions 20 at most.",
		routing.Chinese: "另有 5 人未被 @：一条消息最多 @ 20 人。",
	} {
		s := style(t, language)
		people := func(from, to int) (all []string) {
			for i := from; i < to; i++ {
				all = append(all, fmt.Sprint(i))
			}
			return all
		}
		s.Owners = routing.Owners{
			{App: "urgent", Mention: map[string][]string{"ding": people(0, 15)}},
			{Mention: map[string][]string{"ding": people(10, 25)}, MentionOn: "warning"},
		}
		alerts := []Alert{alert("severity", "warning", "app", "x"), alert("severity", "critical", "app", "urgent")}
		d := s.Digest([]Notification{{Alerts: alerts}})
		if len(d.Mentions) != 25 || d.Mentions[0] != "0" || d.Uncalled(5).Spans[0].Text != want {
			t.Errorf("%v: %s", d.Mentions, d.Uncalled(5).Spans[0].Text)
		}
	}
}

func TestCommands(t *testing.T) {
	for _, c := range []struct {
		app, id, want string
	}{
		{"api", "", "pm2 logs api --err --lines 50"},
		{"my app", "3", "pm2 logs 'my app' --err --lines 50"},
		{"it's", "3", `pm2 logs 'it'\''s' --err --lines 50`},
		{"$(reboot)", "3", "pm2 logs '$(reboot)' --err --lines 50"},
		{"服务", "", "pm2 logs '服务' --err --lines 50"},
		{"all", "3", "pm2 logs 3 --err --lines 50"},
		{"7", "3", "pm2 logs 3 --err --lines 50"},
		{"--help", "3", "pm2 logs 3 --err --lines 50"},
		{"/re/", "", ""},
		{"[x](http://a)", "", ""},
		{"a\nb", "", ""},
		{"`reboot`", "3; reboot", ""},
	} {
		if got := command(alert("alertname", "PM2CrashLoop", "scope", "app", "app", c.app, "pm_id", c.id)); got != c.want {
			t.Errorf("%q: %s, want %s", c.app, got, c.want)
		}
	}
	if got := command(alert("alertname", "PM2NewException", "scope", "exception", "app", "api")); got != "pm25 exceptions list --app api" {
		t.Errorf("%s", got)
	}
	if got := command(alert("alertname", "Foreign")); got != "" {
		t.Errorf("%s", got)
	}
}

// A shell reads just the name out of the word.
func FuzzWord(f *testing.F) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Skip(err)
	}
	for _, s := range []string{"api", "it's", `a"b`, "$(x)", "a b", "!x", "a&b;c", "{a,b}", "~x", "-x", "服务"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		quoted := word(name)
		if quoted == "" {
			return
		}
		out, err := exec.Command(sh, "-c", "printf %s "+quoted).CombinedOutput()
		if err != nil || string(out) != name {
			t.Errorf("%q became %s, which is %q: %v", name, quoted, out, err)
		}
	})
}
