package routing

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Options of a configuration of Alertmanager.
type Options struct {
	// BridgeURL is the address of PM25's bridge to chat robots, without /notify;
	// needed when a receiver is a robot.
	BridgeURL string
	// BridgeTokenFile holds what the bridge wants to see; "": nothing.
	BridgeTokenFile string
	// TemplateGlob are the files that Templates returned; "": Alertmanager knows
	// them already.
	TemplateGlob string
	// ExternalURL is where people reach PM25, for what a message has no room for;
	// "": it has no such link.
	ExternalURL string
}

func (o Options) validate(r Receivers) error {
	if robots := r.Robots(); len(robots) > 0 && o.BridgeURL == "" {
		return fmt.Errorf("receiver %q is a robot, which Alertmanager can not speak to by itself: say where PM25's bridge is", robots[0])
	}
	for _, link := range []string{o.BridgeURL, o.ExternalURL} {
		if link == "" {
			continue
		}
		if err := checkURL(link); err != nil || strings.Contains(link, "{{") {
			return errors.New("the address of the bridge or of PM25 is no URL that begins with http:// or https:// and names a host")
		}
	}
	return nil
}

// Alertmanager returns the configuration of an Alertmanager 0.34 or later: who
// is told of which alert, when, and what keeps quiet when something larger is
// broken. The same values give the same text.
func Alertmanager(r Receivers, o Owners, opts Options) (string, error) {
	if err := Check(r, o); err != nil {
		return "", err
	}
	if err := opts.validate(r); err != nil {
		return "", err
	}
	w := &writer{receivers: r, opts: opts, used: map[string][]string{}, said: map[string]bool{}}
	w.header()
	w.hours()
	w.root(o)
	w.inhibitions()
	w.lists()
	return w.String(), nil
}

// writer builds the text.
type writer struct {
	strings.Builder
	receivers Receivers
	opts      Options
	used      map[string][]string // the receivers of each list that a route names
	said      map[string]bool     // reasons that are written already
}

// line writes one line at a depth.
func (w *writer) line(depth int, format string, args ...any) {
	w.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(w, format, args...)
	w.WriteByte('\n')
}

// why writes a comment.
func (w *writer) why(depth int, text string) {
	for line := range strings.Lines(text) {
		w.line(depth, "# %s", strings.TrimSuffix(line, "\n"))
	}
}

func (w *writer) header() {
	w.why(0, "Written by PM25 from its files of receivers and owners: change those, not this.")
	w.line(0, "global:")
	w.why(1, "Prometheus says itself when an alert has ended; this is for the time when it is gone.")
	w.line(1, "resolve_timeout: 5m")
	if w.opts.TemplateGlob != "" {
		w.line(0, "templates: [%s]", quote(w.opts.TemplateGlob))
	}
}

const digest = "digest" // the hours in which alerts of severity info are told

// hours writes when alerts of severity info are told. Without a location they
// would be those of UTC.
func (w *writer) hours() {
	from, to, _ := w.receivers.Info.hours() // ParseReceivers has seen them
	days, _ := w.receivers.Info.weekdays()
	if from == "" && days == nil {
		return
	}
	w.line(0, "time_intervals:")
	w.line(1, "- name: %s", digest)
	w.line(2, "time_intervals:")
	location := w.receivers.Timezone
	if location == "" {
		location = "Local"
	}
	w.line(3, "- location: %s", quote(location))
	if from != "" {
		w.line(4, "times: [{start_time: %s, end_time: %s}]", quote(from), quote(to))
	}
	if days != nil {
		w.line(4, "weekdays: [%s]", quote(days[0]+":"+days[len(days)-1]))
	}
}

// hasHours says that info is not told at all hours.
func (i Info) hasHours() bool { return i.Between != "" || i.Days != "" }

// list returns the name of a list of receivers, by which routes call it.
func (w *writer) list(receivers ...string) string {
	var names []string
	for _, name := range receivers {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	name := strings.Join(names, "+")
	if name == "" {
		name = nobody
	}
	w.used[name] = names
	return name
}

// nobody is the list without receivers. No receiver can have that name.
const nobody = "(nobody)"

// lists writes the receivers' lists that routes name.
func (w *writer) lists() {
	w.line(0, "receivers:")
	for _, list := range sortedKeys(w.used) {
		w.line(1, "- name: %s", quote(list))
		members := map[string][]string{} // by section
		for _, name := range w.used[list] {
			s := section(w.receivers.Receivers[name].Kind())
			members[s] = append(members[s], name)
		}
		for _, s := range sortedKeys(members) {
			w.integrations(s, members[s])
		}
	}
}

// section is where Alertmanager has the settings of a kind.
func section(kind string) string {
	switch kind {
	case KindTeams:
		return "msteamsv2_configs"
	case KindWeComApp:
		return "wechat_configs"
	case KindDingTalk, KindFeishu, KindWeCom:
		return "webhook_configs"
	}
	return kind + "_configs"
}

// bridge is the address at which PM25's bridge takes messages for a robot.
func (o Options) bridge(kind, name string) string {
	return strings.TrimSuffix(o.BridgeURL, "/") + "/notify/" + kind + "/" + url.PathEscape(name)
}
