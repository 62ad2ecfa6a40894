package routing

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pm25/pm25/rules/strictyaml"
)

const allKinds = `
language: zh
timezone: Asia/Shanghai
default: [ops, wx]
page: [pager]
watchdog: deadman
info: {receivers: [ops], between: "09:00-18:00", days: "monday:friday"}
receivers:
  ops:     {email: {to: [ops@example.com], from: pm25@example.com, smarthost: "smtp.example.com:587", username: pm25, password_file: smtp.secret}}
  slack:   {slack: {url_file: slack.url, channel: "#ops"}}
  teams:   {teams: {url_file: teams.url}}
  pager:   {pagerduty: {routing_key_file: pager.key}}
  app:     {wecom_app: {corp_id: ww0, agent_id: 1000002, secret_file: app.secret, to_user: "@all"}}
  deadman: {webhook: {url: "https://deadman.example.com/x"}}
  hook:    {webhook: {url_file: /etc/pm25/hook.url, token_file: hook.token}}
  ding:    {dingtalk: {url_file: ding.url, secret_file: ding.secret}}
  lark:    {feishu: {url_file: lark.url, secret_file: lark.secret}}
  wx:      {wecom: {url_file: wx.url}}
`

func TestParseReceivers(t *testing.T) {
	r, err := ParseReceivers([]byte(allKinds))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, name := range r.Names() {
		kinds[r.Receivers[name].Kind()] = true
	}
	if len(kinds) != len(Kinds()) {
		t.Errorf("kinds %v", kinds)
	}
	if got := r.Receivers["app"].WeComApp.AgentID; got != "1000002" {
		t.Errorf("agent_id is %q", got)
	}
	if got := strings.Join(r.Robots(), " "); got != "ding lark wx" {
		t.Errorf("robots %s", got)
	}
	if r.Location().String() != "Asia/Shanghai" || (Receivers{}).Location() == nil {
		t.Errorf("time zone %s", r.Location())
	}
	moved := r.In("/etc/pm25")
	if got := strings.Join(moved.Files(), " "); got != "/etc/pm25/app.secret /etc/pm25/ding.secret /etc/pm25/ding.url /etc/pm25/hook.token /etc/pm25/hook.url "+
		"/etc/pm25/lark.secret /etc/pm25/lark.url /etc/pm25/pager.key /etc/pm25/slack.url /etc/pm25/smtp.secret /etc/pm25/teams.url /etc/pm25/wx.url" {
		t.Errorf("files %s", got)
	}
	if r.Receivers["wx"].WeCom.URLFile != "wx.url" {
		t.Error("In changed what it was called on")
	}
}

func TestReceiversErrors(t *testing.T) {
	const ok = "default: [a]\nreceivers:\n  a: {slack: {url_file: f}}\n"
	mail := func(rest string) string {
		return "default: [a]\nreceivers:\n  a:\n    email: {from: a@example.com, smarthost: 'h:25', " + rest + "}\n"
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "line 1: default: nobody is told"},
		{"default of nothing", "default:\nreceivers:\n  a: {slack: {url_file: f}}\n", "line 1: default: nobody is told"},
		{"no default", "receivers:\n  a: {slack: {url_file: f}}\n", "line 1: default: nobody is told"},
		{"unknown default", "default:\n- b\nreceivers:\n  a: {slack: {url_file: f}}\n", "line 2: default[0]: there is no receiver of that name: add it under receivers, or name one of a"},
		{"default twice", "default: [a, a]\nreceivers:\n  a: {slack: {url_file: f}}\n", "line 1: default[1]: it is there twice"},
		{"page", ok + "page: [x]", "line 4: page[0]: there is no receiver"},
		{"watchdog", ok + "watchdog: x", "line 4: watchdog: there is no receiver"},
		{"unknown key", ok + "watchdgo: a", "line 4: watchdgo: there is no such key; did you mean watchdog? known here: language, timezone, default, page, watchdog, info, receivers"},
		{"unknown key below", "default: [a]\nreceivers:\n  a:\n    slack: {url: https://hunter2}\n", "line 4: receivers.a.slack.url: there is no such key; known here: url_file, channel"},
		{"unknown kind", "default: [a]\nreceivers:\n  a: {pager: {}}\n", "line 3: receivers.a.pager: there is no such key; did you mean pagerduty? known here: email, slack"},
		{"key twice", ok + "default: [a]", "line 4: default: it is there twice"},
		{"receiver twice", ok + "  a: {slack: {url_file: f}}", "line 4: receivers.a: it is there twice"},
		{"no way", "default: [a]\nreceivers:\n  a: {}\n", "line 3: receivers.a: it says not how it is reached"},
		{"null", "default: [a]\nreceivers:\n  a:\n", "line 3: receivers.a: it says not how it is reached"},
		{"two ways", "default: [a]\nreceivers:\n  a: {slack: {url_file: f}, teams: {url_file: f}}\n", "line 3: receivers.a: it is reached in 2 ways"},
		{"name", "default: [a/b]\nreceivers:\n  a/b: {slack: {url_file: f}}\n", "line 3: receivers.a/b: a receiver's name has 1 to 64"},
		{"missing file", "default: [a]\nreceivers:\n  a: {slack: {channel: x}}\n", "line 3: receivers.a.slack.url_file: it is missing: name a file"},
		{"no list", "default: a\nreceivers:\n  a: {slack: {url_file: f}}\n", "line 1: default: a list is expected here, as in [one, other]"},
		{"empty item", "default: [a, ]\nreceivers:\n  a: {slack: {url_file: f}}\n" + "page:\n-\n", "line 5: page[0]: the item is empty"},
		{"no text", "default: [a]\nreceivers:\n  a: {slack: {url_file: [f]}}\n", "line 3: receivers.a.slack.url_file: one text is expected"},
		{"no map", "default: [a]\nreceivers: [a]\n", "line 2: receivers: keys with values are expected here"},
		{"no mapping", "- a\n", "line 1: the file: keys with values are expected here"},
		{"alias", "default: &x [a]\npage: *x\nreceivers:\n  a: {slack: {url_file: f}}\n", "line 1: default: anchors and aliases"},
		{"merge", "<<: {default: [a]}\n", "the file: a key is expected to be a plain name"},
		{"two documents", ok + "---\n{}\n", "more than one document"},
		{"no YAML", "default: [a\n", "it is no YAML"},
		{"language", ok + "language: de", "line 4: language: write en or zh"},
		{"timezone", ok + "timezone: Mars/Base", "line 4: timezone: there is no such time zone"},
		{"hours", ok + "info: {between: 9-18}", `line 4: info.between: write it as "09:00-18:00"`},
		{"hours over midnight", ok + "info: {between: '22:00-06:00'}", "line 4: info.between: it ends before it begins"},
		{"days", ok + "info: {days: mon}", "line 4: info.days: write it as monday:friday"},
		{"days in turn", ok + "info: {days: 'friday:monday'}", "line 4: info.days: it ends before it begins"},
		{"nobody", mail("to: []"), "line 4: receivers.a.email.to: nobody is named"},
		{"address", mail("to: [hunter2]"), "line 4: receivers.a.email.to[0]: write a mail address"},
		{"address with template", mail("to: ['{{x}}@example.com']"), "line 4: receivers.a.email.to[0]: templates are not taken here: remove {{"},
		{"password", mail("to: [a@example.com], username: u"), "line 4: receivers.a.email: username and password_file belong together"},
		{"tls", mail("to: [a@example.com], require_tls: 1"), "receivers.a.email.require_tls: write true or false"},
		{"no tls", mail("to: [a@example.com], require_tls: false"), "line 4: receivers.a.email.require_tls: without TLS the password and every alert go in clear to a mail server that is not on this machine: remove the line, or name a smarthost on localhost"},
		{"smarthost", "default: [a]\nreceivers:\n  a: {email: {to: [a@example.com], from: a@example.com, smarthost: smtp.example.com}}\n", "line 3: receivers.a.email.smarthost: write the mail server as host:port"},
		{"webhook", "default: [a]\nreceivers:\n  a: {webhook: {}}\n", "line 3: receivers.a.webhook: write either url_file"},
		{"webhook both", "default: [a]\nreceivers:\n  a: {webhook: {url: 'http://hunter2', url_file: f}}\n", "line 3: receivers.a.webhook: write either url_file"},
		{"webhook url", "default: [a]\nreceivers:\n  a: {webhook: {url: 'hunter2'}}\n", "line 3: receivers.a.webhook.url: it is no URL"},
		{"webhook template", "default: [a]\nreceivers:\n  a: {webhook: {url: 'http://hunter2/{{.X}}'}}\n", "line 3: receivers.a.webhook.url: templates are not taken here"},
		{"wecom secret", "default: [a]\nreceivers:\n  a: {wecom: {url_file: f, secret_file: s}}\n", "line 3: receivers.a.wecom.secret_file: WeCom's robots do not sign"},
		{"large", strings.Repeat("#", strictyaml.MaxFile+1), "at most 1048576 are taken"},
		{"many", "default: [a,b,c,d,e,f,g,h,i,j,k,l]", "and 2 more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := ParseReceivers([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret is told: %v", err)
			}
			if !reflect.DeepEqual(r, Receivers{}) {
				t.Errorf("with an error it returns %+v", r)
			}
		})
	}
}

// TestWithoutTLS is taken where nothing leaves the machine.
func TestWithoutTLS(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost:25": true, "LOCALHOST:25": true, "127.0.0.1:25": true, "127.1.2.3:2525": true, "'[::1]:25'": true,
		"localhost.example.com:25": false, "10.0.0.1:25": false, "mail:25": false, "'[fe80::1]:25'": false, "127.0.0.1.example.com:25": false,
	} {
		text := "default: [a]\nreceivers:\n  a: {email: {to: [a@example.com], from: a@example.com, smarthost: " + host + ", require_tls: "
		if _, err := ParseReceivers([]byte(text + "false}}\n")); (err == nil) != want {
			t.Errorf("%s without TLS: %v", host, err)
		}
		if _, err := ParseReceivers([]byte(text + "true}}\n")); err != nil {
			t.Errorf("%s with TLS: %v", host, err)
		}
	}
}

func TestOwners(t *testing.T) {
	o, err := ParseOwners([]byte(`
- {bucket: "prod-*", app: "pay*", team: Payments, receivers: [ops], page: [pager, ding], mention: {ding: ["13800000000"]}}
- {pm2_namespace: shop, app: "web-?", team: Shop, receivers: [slack, wx], mention: {wx: [all]}, mention_on: warning}
- {team: Platform}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ bucket, namespace, app, team string }{
		{"prod-eu", "default", "payments", "Payments"},
		{"staging", "default", "payments", "Platform"},
		{"staging", "shop", "web-1", "Shop"},
		{"staging", "shop", "web-12", "Platform"},
		{"", "", "", "Platform"},
	} {
		owner, ok := o.Find(c.bucket, c.namespace, c.app)
		if !ok || owner.Team != c.team {
			t.Errorf("%+v belongs to %s", c, owner.Team)
		}
	}
	if _, ok := o[:2].Find("staging", "", ""); ok {
		t.Error("it belongs to somebody")
	}
	if got := o[0].Mentions("ding", "critical"); len(got) != 1 {
		t.Errorf("critical calls %v", got)
	}
	if got := o[0].Mentions("ding", "warning"); got != nil {
		t.Errorf("warning calls %v", got)
	}
	if got := o[1].Mentions("wx", "warning"); len(got) != 1 {
		t.Errorf("warning calls %v", got)
	}
	if got := o[1].Mentions("wx", "info"); got != nil {
		t.Errorf("info calls %v", got)
	}

	r, err := ParseReceivers([]byte(allKinds))
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(r, o); err != nil {
		t.Error(err)
	}
	o[0].Page = append(o[0].Page, "nobody")
	o[1].Mention["slack"] = []string{"x"}
	o[1].Mention["lark"] = []string{"x"}
	o[1].Mention["slick"] = []string{"x"}
	o[2].Mention = map[string][]string{"wx": {"x"}, "ding": {"x"}} // by default to ops and wx
	for _, want := range []string{
		`owner 1 (team Payments): there is no receiver "nobody": add it to the receivers' file, or name one of app, deadman, ding`,
		`owner 2 (team Shop): mention: receiver "lark" is not told of this team's alerts, so it would call nobody: add it to the owner's receivers or page, or remove it`,
		`owner 2 (team Shop): mention: receiver "slack" is reached by slack, which calls nobody; robots of chats do: name one of ding, lark, wx, or remove it`,
		`owner 2 (team Shop): mention: there is no receiver "slick": name one of the robots ding, lark, wx, or remove it`,
		`owner 3 (team Platform): mention: receiver "ding" is not told`,
	} {
		if err := Check(r, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
	if err := Check(r, o); strings.Contains(err.Error(), "wx\" is not told") {
		t.Errorf("default is told: %v", err)
	}
	r.Info.Receivers = []string{"ding"}
	if err := Check(r, o[2:]); err == nil {
		t.Error("digests call nobody, as they are not critical")
	}
	o[2].MentionOn = info
	if err := Check(r, o[2:]); err != nil {
		t.Errorf("told of digests: %v", err)
	}
}

func TestOwnersErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no list", "team: a\n", "line 1: the file: a list is expected here, as in - {bucket: …}"},
		{"no team", "- {app: x}\n- {app: y, team: b}\n", "line 1: [0].team: it is missing"},
		{"unknown key", "- {team: a}\n- {team: b, apps: x}\n", "line 2: [1].apps: there is no such key; did you mean app? known here: bucket, pm2_namespace, app, team, receivers, page, mention, mention_on"},
		{"twice", "- {team: a, receivers: [x, x]}\n", "line 1: [0].receivers[1]: it is there twice"},
		{"mention", "- {team: a, mention: {ding: []}}\n", "line 1: [0].mention.ding: nobody is named"},
		{"mention_on", "- {team: a, mention_on: none}\n", "line 1: [0].mention_on: write critical, warning or info"},
		{"team of two lines", "- {team: \"a\\nb\"}\n", "line 1: [0].team: write a short name"},
		{"long glob", "- {team: a, app: " + strings.Repeat("a", maxGlob+1) + "}\n", "line 1: [0].app: it has more than 256 bytes"},
		{"empty item", "- {team: a}\n-\n", "line 2: [1]: the item is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if o, err := ParseOwners([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) || o != nil {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
	if o, err := ParseOwners([]byte("# nobody yet\n")); err != nil || len(o) != 0 {
		t.Errorf("an empty file: %v, %v", o, err)
	}
}

func FuzzParseReceivers(f *testing.F) {
	for _, seed := range []string{allKinds, "default: &a [*a]", "a: {<<: x}", "? [a]\n: b", "default: !!binary x", "%YAML 1.2\n---\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseReceivers([]byte(text))
		if err != nil {
			return
		}
		if len(r.Default) == 0 {
			t.Error("nobody is told")
		}
		for name, receiver := range r.Receivers {
			if receiver.ways() != 1 || !receiverName.MatchString(name) {
				t.Errorf("receiver %q is %+v", name, receiver)
			}
		}
		if err := Check(r, Owners{{Receivers: r.Default}}); err != nil {
			t.Error(err)
		}
	})
}

func FuzzParseOwners(f *testing.F) {
	for _, seed := range []string{"- {app: '*', team: a, receivers: [b], mention: {c: [d]}, mention_on: info}", "[]", "- &a {team: *a}", "-\n-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseOwners([]byte(text))
		if err != nil {
			return
		}
		for _, owner := range o {
			if owner.Team == "" {
				t.Errorf("nobody's: %+v", owner)
			}
		}
		o.Find("a", "b", "c")
	})
}
