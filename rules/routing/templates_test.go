package routing

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/common/model"
)

// loadTemplates are those of both languages, as Alertmanager reads their files.
func loadTemplates(t *testing.T) *template.Template {
	t.Helper()
	dir := t.TempDir()
	for _, language := range []string{English, Chinese} {
		for name, text := range Templates(language) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	templates, err := template.FromGlobs([]string{filepath.Join(dir, "*.tmpl")})
	if err != nil {
		t.Fatal(err)
	}
	templates.ExternalURL = &url.URL{Scheme: "https", Host: "pm25.example.com", Path: "/alertmanager"}
	return templates
}

// message is what a receiver is told of alerts, with the templates that the
// configuration names for each kind, by "kind.key".
func message(t *testing.T, language string, data *template.Data) map[string]string {
	t.Helper()
	r, _ := world(t, strings.Replace(allKinds, "language: zh", "language: "+language, 1), "")
	r.Default = []string{"ops", "slack", "teams", "pager", "app"}
	text, err := Alertmanager(r, nil, bridged)
	if err != nil {
		t.Fatal(err)
	}
	templates := loadTemplates(t)
	var receiver config.Receiver
	for _, rc := range load(t, text).Receivers {
		if rc.Name == "ops+slack+teams+pager+app" {
			receiver = rc
		}
	}
	email, slack, teams, pager, wecom := receiver.EmailConfigs[0], receiver.SlackConfigs[0], receiver.MSTeamsV2Configs[0], receiver.PagerdutyConfigs[0], receiver.WechatConfigs[0]
	told := map[string]string{}
	for key, text := range map[string]string{
		"email.subject": email.Headers["Subject"], "email.txt": email.Text,
		"slack.color": slack.Color, "slack.title": slack.Title, "slack.link": slack.TitleLink, "slack.fallback": slack.Fallback, "slack.txt": slack.Text,
		"teams.title": teams.Title, "teams.md": teams.Text,
		"pagerduty.summary": pager.Description, "pagerduty.severity": pager.Severity, "pagerduty.link": pager.ClientURL, "pagerduty.txt": pager.Details["firing"].(string),
		"pagerduty.runbook": pager.Links[0].Href, "wecom.txt": wecom.Message,
	} {
		if told[key], err = templates.ExecuteTextString(text, data); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if told["email.html"], err = templates.ExecuteHTMLString(email.HTML, data); err != nil {
		t.Error(err)
	}
	return told
}

// alertOf is an alert as the rules make them; ended says how long ago it ended.
func alertOf(name, severity, scope, labels, summary string, age, ended time.Duration) *alert.Alert {
	set := model.LabelSet{"alertname": model.LabelValue(name), "severity": model.LabelValue(severity), "scope": model.LabelValue(scope)}
	query := url.Values{}
	for pair := range strings.FieldsSeq(labels) {
		key, value, _ := strings.Cut(pair, "=")
		set[model.LabelName(key)] = model.LabelValue(value)
		query.Add("matcher", fmt.Sprintf("%s=%q", key, value))
	}
	a := &alert.Alert{Alert: model.Alert{Labels: set, StartsAt: time.Now().Add(-age), Annotations: model.LabelSet{
		"summary":       model.LabelValue(summary),
		"description":   `It ended more than three times in the last ten minutes by crashes or signals. "pm2 logs api --err --lines 50" shows why.`,
		"runbook_url":   model.LabelValue("https://pm25.example.com/runbooks/" + name),
		"dashboard_url": model.LabelValue("https://pm25.example.com/?host=" + url.QueryEscape(string(set["host"])) + "&q=" + url.QueryEscape(string(set["app"]))),
		"silence_url":   model.LabelValue("https://pm25.example.com/silence?" + query.Encode()),
	}}}
	if set["app"] != "" {
		a.Annotations["exceptions_url"] = model.LabelValue("https://pm25.example.com/exceptions?app=" + url.QueryEscape(string(set["app"])))
	}
	if ended > 0 {
		a.EndsAt = time.Now().Add(-ended)
	}
	return a
}

func crashLoop(app, host string, age, ended time.Duration) *alert.Alert {
	return alertOf("PM2CrashLoop", "critical", "app", "job=pm2 instance="+host+" host="+host+" daemon=deploy pm2_namespace=default app="+app,
		app+" on "+host+" is in a crash loop", age, ended)
}

// stories are what messages are about.
func stories() map[string][]*alert.Alert {
	storm := []*alert.Alert{}
	for i := range 200 {
		storm = append(storm, alertOf("PM2ExporterDown", "critical", "exporter", fmt.Sprintf("job=pm2 instance=web-%d host=web-%[1]d", i), fmt.Sprintf("web-%d does not answer", i), time.Minute, 0))
	}
	return map[string][]*alert.Alert{
		"one":      {crashLoop("api", "web-1", 200*time.Second, 0)},
		"two":      {crashLoop("api", "web-1", 50*time.Hour, 0), crashLoop("api", "web-2", 42*time.Second, 0)},
		"resolved": {crashLoop("api", "web-1", time.Hour, time.Minute)},
		"partly":   {crashLoop("api", "web-1", time.Hour, time.Minute), crashLoop("api", "web-2", time.Hour, 0)},
		"storm":    storm,
		"digest": {
			alertOf("PM2SaveStale", "info", "app", "job=pm2 instance=web-1 host=web-1 daemon=deploy pm2_namespace=default app=api", "api would not come back after a reboot", time.Hour, 0),
			alertOf("PM2DaemonRestarted", "info", "daemon", "job=pm2 instance=web-2 host=web-2 daemon=deploy", "PM2 on web-2 was restarted", time.Minute, 0),
		},
		"process":   {alertOf("PM2ProcessErrored", "critical", "process", "job=pm2 instance=web-1 host=web-1 daemon=deploy pm2_namespace=default app=api pm_id=3", "PM2 has given up api", time.Minute, 0)},
		"route":     {alertOf("PM2RouteSlow", "warning", "route", "job=pm2 instance=web-1 host=web-1 daemon=deploy pm2_namespace=default app=api method=GET route=/users/:id", "GET /users/:id is slow", time.Minute, 0)},
		"exception": {alertOf("PM2NewException", "warning", "exception", "job=pm25 instance=server host=server bucket=prod pm2_namespace=default app=api group=0a", "<!channel> *TypeError*: [x](http://evil.example.com) & <b>y</b> {{ .Z }}", time.Minute, 0)},
		"theirs":    {{Alert: model.Alert{Labels: model.LabelSet{"alertname": "Mine"}, StartsAt: time.Now().Add(-time.Minute)}}},
	}
}

// dataOf is what Alertmanager hands to templates.
func dataOf(t *testing.T, alerts []*alert.Alert, labels model.LabelSet) *template.Data {
	return loadTemplates(t).Data("ops", nil, labels, "", alerts...)
}

var routeLabels = model.LabelSet{"timezone": "Asia/Shanghai", "team": "Payments & Co", "pm25_url": "https://pm25.example.com"}

func TestTemplates(t *testing.T) {
	for _, language := range []string{English, Chinese} {
		synctest.Test(t, func(t *testing.T) { // the clock stands still
			for name, alerts := range stories() {
				told := message(t, language, dataOf(t, alerts, routeLabels))
				for key, text := range told {
					if strings.Contains(text, "<no value>") || strings.Contains(text, "%!") {
						t.Errorf("%s %s %s:\n%s", language, name, key, text)
					}
					if strings.HasSuffix(key, ".title") || strings.HasSuffix(key, ".subject") {
						if text != strings.TrimSpace(text) || strings.Contains(text, "\n") {
							t.Errorf("%s %s %s is no line: %q", language, name, key, text)
						}
					}
				}
				var all strings.Builder
				for _, key := range sortedKeys(told) {
					fmt.Fprintf(&all, "==== %s\n%s\n", key, strings.TrimRight(told[key], "\n"))
				}
				golden(t, filepath.Join("messages", language, name+".txt"), all.String())
			}
		})
	}
}

func TestTitle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := stories()
		for name, want := range map[string]string{
			"one": "[FIRING:1] PM2CrashLoop api@web-1", "two": "[FIRING:2] PM2CrashLoop api", "resolved": "[RESOLVED] PM2CrashLoop api@web-1",
			"storm": "[FIRING:200] PM2ExporterDown", "digest": "[FIRING:2] digest", "process": "[FIRING:1] PM2ProcessErrored api:3@web-1",
			"route": "[FIRING:1] PM2RouteSlow api@web-1 GET /users/:id", "exception": "[FIRING:1] PM2NewException api", "theirs": "[FIRING:1] Mine",
		} {
			if got := message(t, English, dataOf(t, all[name], routeLabels))["email.subject"]; got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	})
}

// What an app says of itself does nothing in a chat or a mail.
func TestTemplatesEscape(t *testing.T) {
	told := message(t, English, dataOf(t, stories()["exception"], routeLabels))
	for key, bad := range map[string]string{"slack.txt": "<!channel", "teams.md": "[x](http", "email.html": "<b>y"} {
		if strings.Contains(told[key], bad) {
			t.Errorf("%s has %s:\n%s", key, bad, told[key])
		}
	}
}

// A storm of alerts with long names makes no message that its receiver refuses.
func TestTemplatesAreBounded(t *testing.T) {
	limits := map[string]int{ // bytes
		"email.subject": 500, "email.txt": 64 << 10, "email.html": 64 << 10, "slack.title": 500, "slack.txt": 40000, "teams.title": 500, "teams.md": 20 << 10,
		"pagerduty.txt": 64 << 10, "pagerduty.summary": 500, "wecom.txt": 2048,
	}
	long := strings.Repeat("应", 40)
	for name, ended := range map[string]time.Duration{"firing": 0, "resolved": time.Second} {
		var alerts []*alert.Alert
		for i := range 300 {
			alerts = append(alerts, crashLoop(long, fmt.Sprintf("%s%d", strings.Repeat("h", 60), i), time.Minute, ended))
		}
		alerts = append(alerts, crashLoop(strings.Repeat("a", 3000), "h", time.Minute, 0))
		for _, language := range []string{English, Chinese} {
			for key, text := range message(t, language, dataOf(t, alerts, routeLabels)) {
				if limit := limits[key]; limit > 0 && len(text) > limit {
					t.Errorf("%s %s %s has %d bytes, more than %d", name, language, key, len(text), limit)
				}
				if !utf8.ValidString(text) {
					t.Errorf("%s %s %s is cut in the middle of a character", name, language, key)
				}
			}
		}
	}
}

var (
	actions = regexp.MustCompile(`(?s)\{\{-?(.*?)-?\}\}`)
	words   = regexp.MustCompile(`"digest"|"汇总"`)
)

// Both languages say the same: their templates differ in words only.
func TestLanguagesAgree(t *testing.T) {
	english, chinese := Templates(English), Templates(Chinese)
	if len(english) != len(chinese) {
		t.Errorf("%d and %d files", len(english), len(chinese))
	}
	shape := func(text string) string {
		var all []string
		for _, m := range actions.FindAllStringSubmatch(text, -1) {
			action := words.ReplaceAllString(strings.ReplaceAll(m[1], "pm25.zh.", "pm25.en."), "word")
			// Durations have words of their own.
			action = strings.ReplaceAll(action, `template "pm25.en.duration" `, "")
			all = append(all, strings.TrimSpace(action))
		}
		return strings.Join(all, "\n")
	}
	for name, text := range english {
		other, ok := chinese[strings.Replace(name, "_en_", "_zh_", 1)]
		if !ok {
			t.Errorf("%s has no pair", name)
		}
		if !strings.HasPrefix(shape(other), shape(text)) {
			t.Errorf("%s differs from its pair:\n%s\n---\n%s", name, shape(text), shape(other))
		}
	}
	for name := range english {
		if !strings.HasSuffix(name, ".tmpl") || strings.ContainsRune(name, '/') {
			t.Errorf("%s is no file's name", name)
		}
	}
}
