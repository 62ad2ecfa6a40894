package dashboards

import (
	"regexp"
	"strings"
)

// Matchers and labels of each level: {@app} in a query chooses what the variables
// do, and by (#app) keeps what tells one app from another.
//
// A label that targets lack is the empty text to a matcher, and .* is what "All"
// stands for: so boards work without the labels of service discovery too.
var (
	variableLabels = []string{"bucket", "host", "pm2_namespace", "app", "pm_id"}

	matchers = map[string]string{
		"target":  matching("bucket", "host"),
		"app":     matching("bucket", "host", "pm2_namespace", "app"),
		"service": matching("bucket", "pm2_namespace", "app"),
		"process": matching(variableLabels...),
		"served":  matching("bucket", "pm2_namespace", "app", "route"),
	}
	labelsOf = map[string]string{
		"target":  "bucket, host, instance",
		"daemon":  "bucket, host, instance, daemon",
		"service": "bucket, pm2_namespace, app",
		"slo":     "bucket, pm2_namespace, app, slo",
		"app":     "bucket, host, instance, daemon, pm2_namespace, app",
		"process": "bucket, host, instance, daemon, pm2_namespace, app, pm_id",
		"route":   "bucket, pm2_namespace, app, method, route",
	}
	unwanted = `crash|signal|oom_kill`

	token = regexp.MustCompile(`[@#]([a-z]+)\b`)
)

func matching(labels ...string) string {
	out := make([]string, len(labels))
	for i, label := range labels {
		out[i] = label + `=~"$` + label + `"`
	}
	return strings.Join(out, ", ")
}

// expand writes out what stands for matchers, labels, jobs and the reasons of ends
// that nobody asked for. What it does not know stays, and does not parse.
func (o Options) expand(expr string) string {
	expr = strings.TrimSpace(expr)
	expr = token.ReplaceAllStringFunc(expr, func(t string) string {
		name, known := t[1:], labelsOf
		if t[0] == '@' {
			known = matchers
			switch name {
			case "agents":
				return `job="` + o.Job + `", ` + matchers["target"]
			case "server":
				return `job="` + o.ServerJob + `"`
			case "unwanted":
				return `reason=~"` + unwanted + `"`
			}
		}
		if text, ok := known[name]; ok {
			return text
		}
		return t
	})
	return expr
}
