package routing

import (
	"maps"
	"path/filepath"
	"slices"
	"time"
)

// The languages of messages.
const (
	English = "en"
	Chinese = "zh"
)

// Receivers is receivers.yml: who can be told, how they are reached, and who is
// told of what no owner takes. The zero value tells nobody.
type Receivers struct {
	Language string `yaml:"language"` // English or Chinese; "" is English
	Timezone string `yaml:"timezone"` // of times in messages, as "Asia/Shanghai"; "" is the machine's own
	// Default are told of what no owner takes, and Page besides them of what is
	// critical. A file without Default is refused: who wants nobody writes [].
	Default []string `yaml:"default"`
	Page    []string `yaml:"page"`
	// Watchdog is the receiver of the alert that always fires; "": nobody.
	Watchdog  string              `yaml:"watchdog"`
	Info      Info                `yaml:"info"`
	Receivers map[string]Receiver `yaml:"receivers"`
}

// Info says when alerts of severity info are told, and to whom.
type Info struct {
	Receivers []string `yaml:"receivers"` // instead of owners and Default; none: those
	Between   string   `yaml:"between"`   // "09:00-18:00"; "": at any hour
	Days      string   `yaml:"days"`      // "monday:friday", or one day; "": on all
}

// A Receiver is reached in one way: exactly one field is set.
type Receiver struct {
	Email     *Email     `yaml:"email"`
	Slack     *Slack     `yaml:"slack"`
	Teams     *Teams     `yaml:"teams"`
	PagerDuty *PagerDuty `yaml:"pagerduty"`
	WeComApp  *WeComApp  `yaml:"wecom_app"`
	Webhook   *Webhook   `yaml:"webhook"`
	DingTalk  *Robot     `yaml:"dingtalk"`
	Feishu    *Robot     `yaml:"feishu"` // or Lark: the URL's host tells
	WeCom     *Robot     `yaml:"wecom"`
}

// Email is sent over SMTP with TLS.
type Email struct {
	To           []string `yaml:"to"`
	From         string   `yaml:"from"`
	Smarthost    string   `yaml:"smarthost"` // host:port
	Username     string   `yaml:"username"`
	PasswordFile string   `yaml:"password_file"`
	// RequireTLS is only ever false for a mail server on the same machine; nil is
	// true.
	RequireTLS *bool `yaml:"require_tls"`
}

// Slack is an incoming webhook of Slack.
type Slack struct {
	URLFile string `yaml:"url_file"`
	Channel string `yaml:"channel"` // "": the webhook's own
}

// Teams is a workflow of Microsoft Teams that takes webhooks.
type Teams struct {
	URLFile string `yaml:"url_file"`
}

// PagerDuty is an integration of its Events API v2.
type PagerDuty struct {
	RoutingKeyFile string `yaml:"routing_key_file"`
}

// WeComApp is an application of WeCom (not a group's robot).
type WeComApp struct {
	CorpID     string `yaml:"corp_id"`
	AgentID    string `yaml:"agent_id"`
	SecretFile string `yaml:"secret_file"`
	ToUser     string `yaml:"to_user"`  // "id|id", or @all; "" is @all
	ToParty    string `yaml:"to_party"` // departments, likewise
}

// Webhook takes Alertmanager's own JSON. One of URL and URLFile is set.
type Webhook struct {
	URL       string `yaml:"url"`
	URLFile   string `yaml:"url_file"`
	TokenFile string `yaml:"token_file"` // a bearer token; "": none
}

// Robot is the robot of a chat group, which PM25's bridge speaks to.
type Robot struct {
	URLFile    string `yaml:"url_file"`
	SecretFile string `yaml:"secret_file"` // what messages are signed with; "": they are not
}

// The kinds of receivers, as they are called in receivers.yml.
const (
	KindEmail     = "email"
	KindSlack     = "slack"
	KindTeams     = "teams"
	KindPagerDuty = "pagerduty"
	KindWeComApp  = "wecom_app"
	KindWebhook   = "webhook"
	KindDingTalk  = "dingtalk"
	KindFeishu    = "feishu"
	KindWeCom     = "wecom"
)

// Kinds of receivers, in the order in which they are told.
func Kinds() []string {
	return []string{KindEmail, KindSlack, KindTeams, KindPagerDuty, KindWeComApp, KindWebhook, KindDingTalk, KindFeishu, KindWeCom}
}

func (r Receiver) set() []bool {
	return []bool{
		r.Email != nil, r.Slack != nil, r.Teams != nil, r.PagerDuty != nil, r.WeComApp != nil, r.Webhook != nil,
		r.DingTalk != nil, r.Feishu != nil, r.WeCom != nil,
	}
}

// ways counts how many fields are set.
func (r Receiver) ways() (n int) {
	for _, is := range r.set() {
		if is {
			n++
		}
	}
	return n
}

// Kind is how the receiver is reached; "" when no field is set.
func (r Receiver) Kind() string {
	if i := slices.Index(r.set(), true); i >= 0 {
		return Kinds()[i]
	}
	return ""
}

// Robot is the robot of a chat group that the receiver is, nil for other kinds.
func (r Receiver) Robot() *Robot {
	switch r.Kind() {
	case KindDingTalk:
		return r.DingTalk
	case KindFeishu:
		return r.Feishu
	case KindWeCom:
		return r.WeCom
	}
	return nil
}

// Names of all receivers, sorted.
func (r Receivers) Names() []string { return sortedKeys(r.Receivers) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Robots are the names of those receivers that are robots, sorted.
func (r Receivers) Robots() []string {
	return slices.DeleteFunc(r.Names(), func(name string) bool { return r.Receivers[name].Robot() == nil })
}

// Location is the time zone of messages.
func (r Receivers) Location() *time.Location {
	if r.Timezone == "" {
		return time.Local
	}
	location, err := time.LoadLocation(r.Timezone)
	if err != nil { // not of ParseReceivers
		return time.Local
	}
	return location
}

// Files are the secrets' files, sorted, each once.
func (r Receivers) Files() []string {
	var files []string
	r.eachFile(func(file *string) { files = append(files, *file) })
	slices.Sort(files)
	return slices.Compact(files)
}

// In returns the receivers with files relative to the folder, which is that of
// receivers.yml. The receiver is not changed.
func (r Receivers) In(dir string) Receivers {
	moved := make(map[string]Receiver, len(r.Receivers))
	for name, receiver := range r.Receivers {
		moved[name] = receiver.clone()
	}
	r.Receivers = moved
	r.eachFile(func(file *string) {
		if !filepath.IsAbs(*file) {
			*file = filepath.Join(dir, *file)
		}
	})
	return r
}

// eachFile calls f for each file that is named.
func (r Receivers) eachFile(f func(file *string)) {
	for _, receiver := range r.Receivers {
		for _, file := range receiver.files() {
			if *file != "" {
				f(file)
			}
		}
	}
}

func (r Receiver) files() []*string {
	switch r.Kind() {
	case KindEmail:
		return []*string{&r.Email.PasswordFile}
	case KindSlack:
		return []*string{&r.Slack.URLFile}
	case KindTeams:
		return []*string{&r.Teams.URLFile}
	case KindPagerDuty:
		return []*string{&r.PagerDuty.RoutingKeyFile}
	case KindWeComApp:
		return []*string{&r.WeComApp.SecretFile}
	case KindWebhook:
		return []*string{&r.Webhook.URLFile, &r.Webhook.TokenFile}
	}
	if robot := r.Robot(); robot != nil {
		return []*string{&robot.URLFile, &robot.SecretFile}
	}
	return nil
}

func (r Receiver) clone() Receiver {
	return Receiver{
		Email: clone(r.Email), Slack: clone(r.Slack), Teams: clone(r.Teams), PagerDuty: clone(r.PagerDuty), WeComApp: clone(r.WeComApp),
		Webhook: clone(r.Webhook), DingTalk: clone(r.DingTalk), Feishu: clone(r.Feishu), WeCom: clone(r.WeCom),
	}
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}
