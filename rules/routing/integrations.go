package routing

import (
	"encoding/json"
	"strings"
	"unicode"
)

// integrations writes a section with its receivers.
func (w *writer) integrations(section string, names []string) {
	w.line(2, "%s:", section)
	for _, name := range names {
		w.integration(name, w.receivers.Receivers[name])
	}
}

// integration writes one receiver. All are told when an alert has ended.
func (w *writer) integration(name string, r Receiver) {
	w.line(3, "- send_resolved: true")
	switch kind := r.Kind(); kind {
	case KindEmail:
		w.email(*r.Email)
	case KindSlack:
		w.slack(*r.Slack)
	case KindTeams:
		w.setting("webhook_url_file", r.Teams.URLFile)
		w.setting("title", w.template("title"))
		w.setting("text", w.template("teams"))
	case KindPagerDuty:
		w.pagerDuty(*r.PagerDuty)
	case KindWeComApp:
		w.weComApp(*r.WeComApp)
	case KindWebhook:
		w.webhook(r.Webhook.URL, r.Webhook.URLFile, r.Webhook.TokenFile)
	default:
		w.webhook(w.opts.bridge(kind, name), "", w.opts.BridgeTokenFile)
	}
}

// setting writes one key of a receiver, unless it has no value.
func (w *writer) setting(key, value string) {
	if value != "" {
		w.line(4, "%s: %s", key, quote(value))
	}
}

// template calls one of the templates in the language of messages.
func (w *writer) template(name string) string {
	return `{{ template "pm25.` + w.language() + "." + name + `" . }}`
}

func (w *writer) language() string {
	if w.receivers.Language == "" {
		return English
	}
	return w.receivers.Language
}

func (w *writer) email(e Email) {
	w.setting("to", strings.Join(e.To, ", "))
	w.setting("from", e.From)
	w.setting("smarthost", e.Smarthost)
	w.setting("auth_username", e.Username)
	w.setting("auth_password_file", e.PasswordFile)
	w.line(4, "require_tls: %t", e.RequireTLS == nil || *e.RequireTLS)
	w.line(4, "headers: {Subject: %s}", quote(w.template("title")))
	w.setting("html", w.template("email.html"))
	w.setting("text", w.template("email.text"))
}

func (w *writer) slack(s Slack) {
	w.setting("api_url_file", s.URLFile)
	w.setting("channel", s.Channel)
	w.setting("username", "PM25")
	w.setting("color", `{{ template "pm25.color" . }}`)
	w.setting("title", w.template("slack.title"))
	w.setting("title_link", `{{ template "pm25.link" . }}`)
	w.setting("fallback", w.template("slack.title"))
	w.setting("text", w.template("slack"))
	w.line(4, "timeout: 10s")
}

func (w *writer) pagerDuty(p PagerDuty) {
	w.setting("routing_key_file", p.RoutingKeyFile)
	w.setting("description", w.template("title"))
	w.setting("severity", `{{ template "pm25.severity" . }}`)
	w.setting("client", "PM25")
	w.setting("client_url", `{{ template "pm25.link" . }}`)
	w.why(4, "Alertmanager would add all alerts as firing and resolved, however many.")
	w.line(4, "details: {firing: %s, resolved: ''}", quote(w.template("pagerduty")))
	w.line(4, "links: [{href: %s, text: Runbook}]", quote("{{ .CommonAnnotations.runbook_url }}"))
	w.line(4, "timeout: 10s")
}

func (w *writer) weComApp(a WeComApp) {
	w.setting("corp_id", a.CorpID)
	w.setting("agent_id", a.AgentID)
	w.setting("api_secret_file", a.SecretFile)
	if a.ToUser == "" && a.ToParty == "" {
		a.ToUser = "@all"
	}
	w.setting("to_user", a.ToUser)
	w.setting("to_party", a.ToParty)
	w.setting("message", w.template("wecom"))
}

// webhook gets 2000 alerts of a group at most, and the number of the others: the
// bridge, as others, takes no body of any size, and what is refused is told never.
func (w *writer) webhook(url, urlFile, tokenFile string) {
	w.setting("url", url)
	w.setting("url_file", urlFile)
	if tokenFile != "" {
		w.line(4, "http_config: {authorization: {credentials_file: %s}}", quote(tokenFile))
	}
	w.line(4, "max_alerts: 2000")
	w.line(4, "timeout: 10s")
}

// quote writes a YAML text. JSON is YAML, for what can not be seen.
func quote(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string
	}
	return string(data)
}
