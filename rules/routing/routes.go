package routing

import (
	"fmt"
	"strings"
)

// What is told in one message, and when. One message is about one alert of one
// app on all its hosts; or, where alerts have no app, about one alert of all
// hosts of a bucket. So a network that is cut makes one message, not one for
// each host. It is never [...]: that would be a message for each alert, and the
// robots of chats refuse more than 20 a minute.
const groupBy = "[alertname, bucket, pm2_namespace, app]"

// timing is when a group of alerts is told.
type timing struct{ wait, interval, repeat, why string }

var (
	criticalTimes = timing{"5s", "15s", "1h", "Critical: who has to act is told within a minute of the cause. The rules have seen a lasting state already,\n" +
		"so 5s are for company that comes with the same evaluation, and who comes later is told within 15s."}
	warningTimes = timing{"10s", "5m", "4h", "Warning: 10s for company, and for something larger to fire, which inhibits it. More would make people wait longer than\n" +
		"45s after the time that the rule itself waits."}
	exceptTimes = timing{"1m", "15m", "24h", "Exceptions: a bad deploy brings many in its first minute. Each is told once; it fires for no more than an hour."}
	infoTimes   = timing{"5m", "30m", "24h", "Info: a digest, at most one each 30m, without repetition for a day."}
	watchTimes  = timing{"0s", "1m", "5m", "The watchdog always fires: who hears nothing of it for 15m knows that alerting is broken."}
)

// times writes those of a route; the reason for them where it comes first.
func (w *writer) times(depth int, t timing) {
	if !w.said[t.why] {
		w.said[t.why] = true
		w.why(depth, t.why)
	}
	w.line(depth, "group_wait: %s", t.wait)
	w.line(depth, "group_interval: %s", t.interval)
	w.line(depth, "repeat_interval: %s", t.repeat)
}

// root writes the tree of routes: the watchdog, digests, then the owners in
// their order, then the default.
func (w *writer) root(owners Owners) {
	r := w.receivers
	w.line(0, "route:")
	w.line(1, "receiver: %s", quote(w.list(r.Default...)))
	w.why(1, "One message is about one alert of one app on all its hosts, or of all hosts of a bucket where it is about no app.")
	w.line(1, "group_by: %s", groupBy)
	w.times(1, warningTimes)
	w.line(1, "labels:")
	zone := r.Timezone
	if zone == "" {
		zone = "Local"
	}
	w.line(2, "timezone: %s", quote(zone))
	if w.opts.ExternalURL != "" {
		w.line(2, "pm25_url: %s", quote(strings.TrimSuffix(w.opts.ExternalURL, "/")))
	}
	w.line(1, "routes:")
	w.watchdog()
	if len(r.Info.Receivers) > 0 {
		w.info(2, r.Info.Receivers)
	}
	for _, owner := range owners {
		w.owner(owner)
	}
	w.bySeverity(2, r.Default, r.Page)
}

func (w *writer) watchdog() {
	var told []string
	if w.receivers.Watchdog != "" {
		told = []string{w.receivers.Watchdog}
	}
	w.line(2, "- receiver: %s", quote(w.list(told...)))
	w.line(3, `matchers: ['alertname="PM25Watchdog"']`)
	w.line(3, "group_by: [alertname]")
	w.times(3, watchTimes)
	w.why(2, "Severity none is for machines only.")
	w.line(2, "- receiver: %s", quote(w.list()))
	w.line(3, `matchers: ['severity="none"']`)
}

// owner writes the routes of an owner. They carry the team's name to templates.
func (w *writer) owner(o Owner) {
	told, page := o.warned(w.receivers), o.paged(w.receivers)
	w.line(2, "- receiver: %s", quote(w.list(told...)))
	if matchers := o.matchers(); len(matchers) > 0 {
		w.line(3, "matchers: [%s]", strings.Join(matchers, ", "))
	}
	w.line(3, "labels: {team: %s}", quote(o.Team))
	w.line(3, "routes:")
	w.bySeverity(4, told, page)
}

// bySeverity writes the routes of what is no plain warning.
func (w *writer) bySeverity(depth int, told, page []string) {
	w.line(depth, "- receiver: %s", quote(w.list(append(append([]string{}, told...), page...)...)))
	w.line(depth+1, `matchers: ['severity="critical"']`)
	w.times(depth+1, criticalTimes)
	if len(w.receivers.Info.Receivers) == 0 {
		w.info(depth, told)
	}
	w.line(depth, "- receiver: %s", quote(w.list(told...)))
	w.line(depth+1, `matchers: ['scope="exception"']`)
	w.times(depth+1, exceptTimes)
}

// info writes the route of digests. What fires outside of their hours is told
// when they begin, if it still fires then.
func (w *writer) info(depth int, told []string) {
	w.line(depth, "- receiver: %s", quote(w.list(told...)))
	w.line(depth+1, `matchers: ['severity="info"']`)
	w.line(depth+1, "group_by: [severity]")
	w.times(depth+1, infoTimes)
	if w.receivers.Info.hasHours() {
		w.line(depth+1, "active_time_intervals: [%s]", digest)
	}
}

// matchers are those of an owner's globs, quoted for YAML.
func (o Owner) matchers() []string {
	var all []string
	for _, glob := range []struct{ label, text string }{{"bucket", o.Bucket}, {"pm2_namespace", o.Namespace}, {"app", o.App}} {
		switch {
		case strings.Trim(glob.text, "*") == "":
		case glob.label == "bucket" && match(glob.text, localBucket):
			all = append(all, quote(fmt.Sprintf("%s=~%s", glob.label, matcherText(expression(glob.text)+"|"))))
		case literal(glob.text):
			all = append(all, quote(fmt.Sprintf("%s=%s", glob.label, matcherText(glob.text))))
		default:
			all = append(all, quote(fmt.Sprintf("%s=~%s", glob.label, matcherText(expression(glob.text)))))
		}
	}
	return all
}

// matcherText quotes the value of a matcher in the one way that both of
// Alertmanager's parsers of matchers read alike.
func matcherText(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}
