package routing

import (
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/pm25/pm25/rules/strictyaml"
)

// checker notes what is wrong in a file.
type checker struct{ *strictyaml.Document }

// decode reads a file strictly.
func decode(data []byte, into any) (checker, error) {
	d, err := strictyaml.Decode(data, into, noTemplate)
	return checker{d}, err
}

// noTemplate refuses what Alertmanager would run.
func noTemplate(text string) string {
	if strings.Contains(text, "{{") {
		return "templates are not taken here: remove {{"
	}
	return ""
}

// ParseReceivers reads receivers.yml strictly. Errors, one a line, name the
// line, the key, what is wrong with it and how to mend it, but no value that may
// be a secret.
func ParseReceivers(data []byte) (Receivers, error) {
	var r Receivers
	d, err := decode(data, &r)
	if err != nil {
		return Receivers{}, err
	}
	d.checkReceivers(r)
	if err := d.Err(); err != nil {
		return Receivers{}, err
	}
	return r, nil
}

// ParseOwners reads owners.yml as ParseReceivers does. Check holds its names
// against those of receivers.yml.
func ParseOwners(data []byte) (Owners, error) {
	var o Owners
	d, err := decode(data, &o)
	if err != nil {
		return nil, err
	}
	for i, owner := range o {
		d.checkOwner(fmt.Sprintf("[%d]", i), owner)
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return o, nil
}

// Check holds that owners name only receivers that there are, and mention people
// only where a robot that is told of their alerts can call them.
func Check(r Receivers, o Owners) error {
	d := checker{&strictyaml.Document{}}
	for i, owner := range o {
		who := fmt.Sprintf("owner %d (team %s)", i+1, owner.Team)
		for _, name := range slices.Concat(owner.Receivers, owner.Page) {
			if _, ok := r.Receivers[name]; !ok {
				d.Add(fmt.Errorf("%s: there is no receiver %q: add it to the receivers' file, or name one of %s", who, name, orNone(r.Names())))
			}
		}
		for _, name := range sortedKeys(owner.Mention) {
			if problem := owner.checkMention(r, name); problem != "" {
				d.Add(fmt.Errorf("%s: mention: %s", who, problem))
			}
		}
	}
	return d.Err()
}

// checkMention says why nobody whom the owner mentions by a receiver would ever be
// called, or "".
func (o Owner) checkMention(r Receivers, name string) string {
	receiver, ok := r.Receivers[name]
	switch {
	case !ok:
		return fmt.Sprintf("there is no receiver %q: name one of the robots %s, or remove it", name, orNone(r.Robots()))
	case receiver.Robot() == nil:
		return fmt.Sprintf("receiver %q is reached by %s, which calls nobody; robots of chats do: name one of %s, or remove it", name, receiver.Kind(), orNone(r.Robots()))
	case !slices.Contains(o.canCall(r), name):
		return fmt.Sprintf("receiver %q is not told of this team's alerts, so it would call nobody: add it to the owner's receivers or page, or remove it", name)
	}
	return ""
}

func (d checker) checkReceivers(r Receivers) {
	if r.Language != "" && r.Language != English && r.Language != Chinese {
		d.Wrong("language", "write en or zh")
	}
	if r.Timezone != "" {
		if _, err := time.LoadLocation(r.Timezone); err != nil {
			d.Wrong("timezone", "there is no such time zone: write one as Asia/Shanghai or Europe/Berlin, or remove the line")
		}
	}
	for _, name := range r.Names() {
		d.checkReceiver("receivers."+name, name, r.Receivers[name])
	}
	if r.Default == nil {
		d.Wrong("default", "nobody is told of what no owner takes: name receivers, as in [ops], or write [] if nobody is to be")
	}
	d.checkNames(r, "default", r.Default)
	d.checkNames(r, "page", r.Page)
	d.checkNames(r, "info.receivers", r.Info.Receivers)
	if _, ok := r.Receivers[r.Watchdog]; !ok && r.Watchdog != "" {
		d.Wrong("watchdog", "there is no receiver of that name: add it under receivers, or name one of %s", orNone(r.Names()))
	}
	if _, _, err := r.Info.hours(); err != nil {
		d.Wrong("info.between", "%v", err)
	}
	if _, err := r.Info.weekdays(); err != nil {
		d.Wrong("info.days", "%v", err)
	}
}

func (d checker) checkNames(r Receivers, path string, names []string) {
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		if _, ok := r.Receivers[name]; !ok {
			d.Wrong(at, "there is no receiver of that name: add it under receivers, or name one of %s", orNone(r.Names()))
		}
		if slices.Index(names, name) < i {
			d.Wrong(at, "it is there twice: remove one")
		}
	}
}

var receiverName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

func (d checker) checkReceiver(path, name string, r Receiver) {
	if !receiverName.MatchString(name) {
		d.Wrong(path, "a receiver's name has 1 to 64 letters, digits, _ or - and begins with a letter or digit")
	}
	switch n := r.ways(); {
	case n == 0:
		d.Wrong(path, "it says not how it is reached: write one of %s with what it needs", strings.Join(Kinds(), ", "))
		return
	case n > 1:
		d.Wrong(path, "it is reached in %d ways: give each a name of its own, and list both names where they are told", n)
		return
	}
	path += "." + r.Kind()
	switch r.Kind() {
	case KindEmail:
		d.checkEmail(path, *r.Email)
	case KindSlack:
		d.need(path+".url_file", r.Slack.URLFile, "name a file with the incoming webhook's URL")
	case KindTeams:
		d.need(path+".url_file", r.Teams.URLFile, "name a file with the workflow's URL")
	case KindPagerDuty:
		d.need(path+".routing_key_file", r.PagerDuty.RoutingKeyFile, "name a file with the integration key of Events API v2")
	case KindWeComApp:
		d.need(path+".corp_id", r.WeComApp.CorpID, "write the ID of the company")
		d.need(path+".agent_id", r.WeComApp.AgentID, "write the ID of the application")
		d.need(path+".secret_file", r.WeComApp.SecretFile, "name a file with the application's secret")
	case KindWebhook:
		d.checkWebhook(path, *r.Webhook)
	default:
		d.need(path+".url_file", r.Robot().URLFile, "name a file with the robot's URL")
		if r.Kind() == KindWeCom && r.WeCom.SecretFile != "" {
			d.Wrong(path+".secret_file", "WeCom's robots do not sign: remove the line")
		}
	}
}

// need notes that a value is missing.
func (d checker) need(path, value, remedy string) {
	if strings.TrimSpace(value) == "" {
		d.Wrong(path, "it is missing: %s", remedy)
	}
}

func (d checker) checkEmail(path string, e Email) {
	if len(e.To) == 0 {
		d.Wrong(path+".to", "nobody is named: write addresses, as in [ops@example.com]")
	}
	for i, to := range e.To {
		d.checkAddress(fmt.Sprintf("%s.to[%d]", path, i), to)
	}
	d.checkAddress(path+".from", e.From)
	if host, port, err := net.SplitHostPort(e.Smarthost); err != nil || host == "" || !isPort(port) {
		d.Wrong(path+".smarthost", "write the mail server as host:port, as in smtp.example.com:587")
	}
	if e.RequireTLS != nil && !*e.RequireTLS && !onThisMachine(e.Smarthost) {
		d.Wrong(path+".require_tls", "without TLS the password and every alert go in clear to a mail server that is not on this machine: remove the line, or name a smarthost on localhost")
	}
	if (e.Username == "") != (e.PasswordFile == "") {
		d.Wrong(path, "username and password_file belong together: add the other, or remove both")
	}
}

// onThisMachine is true for an address of the loopback interface.
func onThisMachine(smarthost string) bool {
	host, _, err := net.SplitHostPort(smarthost)
	ip := net.ParseIP(host)
	return err == nil && (strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback())
}

func (d checker) checkAddress(path, address string) {
	if a, err := mail.ParseAddress(address); err != nil || a.Address == "" {
		d.Wrong(path, "write a mail address, as in ops@example.com")
	}
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

func (d checker) checkWebhook(path string, w Webhook) {
	if (w.URL == "") == (w.URLFile == "") {
		d.Wrong(path, "write either url_file, a file with the URL, or url, where that is no secret")
		return
	}
	if w.URL == "" {
		return
	}
	if err := checkURL(w.URL); err != nil {
		d.Wrong(path+".url", "%v", err)
	}
}

// checkURL says what is wrong with a webhook's URL, without it.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return fmt.Errorf("it is no URL that begins with http:// or https:// and names a host")
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("it holds a control character: remove it")
	}
	return nil
}

func (d checker) checkOwner(path string, o Owner) {
	for _, glob := range []struct{ key, text string }{{"bucket", o.Bucket}, {"pm2_namespace", o.Namespace}, {"app", o.App}} {
		if len(glob.text) > maxGlob {
			d.Wrong(path+"."+glob.key, "it has more than %d bytes: shorten it with *", maxGlob)
		}
	}
	switch {
	case o.Team == "":
		d.Wrong(path+".team", "it is missing: write the name of the team")
	case len(o.Team) > maxGlob || strings.ContainsFunc(o.Team, unicode.IsControl):
		d.Wrong(path+".team", "write a short name on one line")
	}
	for key, names := range map[string][]string{"receivers": o.Receivers, "page": o.Page} {
		for i, name := range names {
			if slices.Index(names, name) < i {
				d.Wrong(fmt.Sprintf("%s.%s[%d]", path, key, i), "it is there twice: remove one")
			}
		}
	}
	for robot, people := range o.Mention {
		if len(people) == 0 {
			d.Wrong(path+".mention."+robot, "nobody is named: write IDs, as in [\"13800000000\"], or remove the line")
		}
	}
	if !slices.Contains([]string{"", critical, warning, info}, o.MentionOn) {
		d.Wrong(path+".mention_on", "write critical, warning or info: the least severity that calls people")
	}
}

const maxGlob = 256 // bytes, of a team's name too

func orNone(names []string) string {
	if len(names) == 0 {
		return "(there are none)"
	}
	return strings.Join(names, ", ")
}
