package message

import (
	"strings"
	"unicode"
)

// Commands to look with, by alert; {app} is the app's name, {id} the process',
// {target} the name or the id. None changes anything.
var commands = map[string]string{
	"PM2HostDown":               "",
	"PM2DaemonDown":             "ps -eo pid,user,lstart,args --sort=user | grep -F 'PM2 v'",
	"PM2DaemonRestarted":        "pm2 ls",
	"PM2AppMissing":             "pm2 ls",
	"PM2AppStopped":             "pm2 describe {target}",
	"PM2SaveStale":              "pm2 ls",
	"PM2HostMemoryLow":          "ps -eo pid,user,rss,args --sort=-rss | head",
	"PM2HostOverloaded":         "ps -eo pid,user,pcpu,args --sort=-pcpu | head",
	"PM2LogDiskFilling":         "df -h",
	"PM2LogNotRotated":          "pm2 describe {target}",
	"NodeHeapLeakFast":          "pm2 describe {target}",
	"NodeHeapLeakSlow":          "pm2 describe {target}",
	"PM2MemoryGrowth":           "pm2 describe {target}",
	"PM2MemoryRestartLoop":      "pm2 describe {target}",
	"PM2ProcessCPUSaturated":    "pm2 describe {target}",
	"PM2MemoryNearRestartLimit": "pm2 describe {target}",
	"PM2ClusterImbalance":       "pm2 ls",
	"PM2ErrorBudgetBurn":        "pm25 events query --kind slow_request --app {app}",
	"PM2RouteSlow":              "pm25 events query --kind slow_request --app {app}",
	"PM2ExceptionSpike":         "pm25 exceptions list --app {app}",
	"PM2NewException":           "pm25 exceptions list --app {app}",
	"PM2DeployRegression":       "pm25 events query --kind deploy --app {app}",
}

// Commands of alerts that have none, by scope.
var scopeCommands = map[string]string{
	"app":       "pm2 logs {target} --err --lines 50",
	"process":   "pm2 logs {target} --err --lines 50",
	"service":   "pm25 exceptions list --app {app}",
	"route":     "pm25 events query --kind slow_request --app {app}",
	"exception": "pm25 exceptions list --app {app}",
	"exporter":  "systemctl status pm25-agent",
	"pm25":      "journalctl -u 'pm25*' -n 50",
}

// command is what to look with on the host of an alert, "" where there is
// nothing to propose.
func command(a Alert) string {
	text, known := commands[a.name()]
	if !known {
		text = scopeCommands[a.Labels["scope"]]
	}
	app, id := a.Labels["app"], a.Labels["pm_id"]
	name, which := word(app), target(app, id)
	if name == "" && strings.Contains(text, "{app}") || which == "" && strings.Contains(text, "{target}") {
		return ""
	}
	// All at once: what looks like a placeholder in a name is none.
	return strings.NewReplacer("{app}", name, "{target}", which).Replace(text)
}

// target is how PM2 is told of an app: by its name, but for names that mean
// something else to PM2, for which the process' id stands.
func target(app, id string) string {
	number := app != "" && strings.Trim(app, "0123456789") == ""
	special := app == "all" || number || strings.HasPrefix(app, "-") || strings.HasPrefix(app, "/") || strings.HasSuffix(app, ".json") || strings.HasSuffix(app, ".js")
	if name := word(app); name != "" && !special {
		return name
	}
	if id != "" && strings.Trim(id, "0123456789") == "" {
		return id
	}
	return ""
}

// word is text as one word of a shell, quoted where it has to be; "" for what
// would not look in a chat as it is.
func word(text string) string {
	if text == "" || len(text) > 100 || strings.HasPrefix(text, "-") || marked(text) {
		return ""
	}
	plain := true
	for _, r := range text {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-/:@%+,=", r):
			plain = plain && r < unicode.MaxASCII
		case r == ' ' || strings.ContainsRune("'\"$!&;()?#{}^", r):
			plain = false
		default:
			return ""
		}
	}
	if plain {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// marked tells of what chats could take for markup: a mark that is not seen would
// be put there, and copied.
func marked(text string) bool {
	return strings.ContainsAny(text, "@#") || strings.Contains(text, "__") || strings.Contains(text, "://") ||
		strings.HasPrefix(text, "_") || strings.HasSuffix(text, "_")
}
