package routing

import "strings"

// inhibition keeps target alerts quiet while a source alert fires with which all
// labels of equal are the same.
//
// Labels that both lack count as the same. So a source is held to have the
// labels that tell one thing from another, and alerts of a service, which are
// about no host, and of exceptions, which the server tells for all hosts, are no
// targets of what is about one host. No two alerts inhibit each other, not even
// in a circle: else nobody would be told.
type inhibition struct {
	name, why      string
	source, target []string // matchers
	equal          []string
}

const (
	onHost  = `scope=~"host|exporter|daemon|app|process|route"`
	onAgent = `scope=~"exporter|daemon|app|process|route"`
	onPM2   = `scope=~"daemon|app|process|route"`
	inApp   = `scope=~"process|route"`
)

var (
	instance  = []string{"job", "instance"}
	ofDaemon  = []string{"job", "instance", "daemon"}
	ofApp     = []string{"job", "instance", "daemon", "pm2_namespace", "app"}
	ofProcess = []string{"job", "instance", "daemon", "pm2_namespace", "app", "pm_id"}
	service   = []string{"bucket", "pm2_namespace", "app"}
)

// alerts is a matcher of alerts by their names.
func alerts(names ...string) string { return `alertname=~"` + strings.Join(names, "|") + `"` }

// unlike is a matcher of all alerts but one.
func unlike(name string) string { return `alertname!="` + name + `"` }

// inhibitions lists all, the larger things first.
func inhibitions() []inhibition {
	return append(append(around(), ofApps()...), beside()...)
}

// around is what larger things do to what is in them.
func around() []inhibition {
	return []inhibition{
		{
			name: "host-down", why: "Nothing on a host answers that is down. Agents and the host's own exporter are two instances, so the label host counts.",
			source: []string{alerts("PM2HostDown"), `host!=""`}, target: []string{onHost, unlike("PM2HostDown"), `host!=""`},
			equal: []string{"bucket", "host"},
		},
		{
			name: "host-down-of-any-bucket", why: "Where the host's own exporter knows no bucket, the host's name is enough.",
			source: []string{alerts("PM2HostDown"), `host!=""`, `bucket=""`}, target: []string{onHost, unlike("PM2HostDown"), `host!=""`},
			equal: []string{"host"},
		},
		{
			name: "exporter-down", why: "What an agent does not tell any more is not known to be broken.",
			source: []string{alerts("PM2ExporterDown"), `instance!=""`}, target: []string{onAgent, unlike("PM2ExporterDown")},
			equal: instance,
		},
		{
			name: "daemon-down", why: "Apps end with the PM2 that runs them.",
			source: []string{alerts("PM2DaemonDown"), `instance!=""`, `daemon!=""`}, target: []string{onPM2, unlike("PM2DaemonDown")},
			equal: ofDaemon,
		},
		{
			name: "critical", why: "An alert that is critical is not told as a warning too.",
			source: []string{`severity="critical"`, `scope!=""`}, target: []string{`severity=~"warning|info"`, `scope!=""`},
			equal: []string{"alertname", "job", "instance", "host", "bucket", "daemon", "pm2_namespace", "app", "pm_id", "method", "route", "slo", "mountpoint"},
		},
	}
}

// states are the alerts that say how bad it is with an app on one host, the one
// that tells most first. Each keeps those after it quiet.
//
// PM2ProcessErrored is none of them: it fires until somebody acts, perhaps for
// days, and says nothing of the app's other processes. What they do meanwhile is
// told. What the crashes of its own process brought is over in minutes.
var states = []string{"PM2AppMissing", "PM2CrashLoop", "PM2AppDown", "PM2DeployRegression"}

// symptoms are what each of those states brings with it.
var symptoms = []string{"PM2InstancesBelowExpected", "PM2FrequentRestarts", "PM2ProcessKilled", "PM2ExceptionSpike"}

// ofApps is what one trouble of an app on one host does to its others.
func ofApps() []inhibition {
	why := map[string]string{
		"PM2AppMissing":       "An app that PM2 does not know any more can not be down, crash or be too few.",
		"PM2CrashLoop":        "A crash loop is why an app is down now and then, restarts often, and throws.",
		"PM2AppDown":          "An app that is down has fewer processes than it should.",
		"PM2DeployRegression": "A deploy that made things worse is why errors rise.",
	}
	var all []inhibition
	for i, state := range states {
		followers := append(append([]string{}, states[i+1:]...), symptoms...)
		if state == "PM2AppMissing" {
			followers = append([]string{"PM2ProcessErrored"}, followers...)
		}
		all = append(all, inhibition{
			name: kebab(state), why: why[state],
			source: []string{alerts(state), `instance!=""`, `app!=""`}, target: []string{alerts(followers...)}, equal: ofApp,
		})
	}
	return append(all,
		inhibition{
			name: "app-to-its-parts", why: "Nothing is to be said of the processes and routes of an app that does not run. (Of one that is errored others may run.)",
			source: []string{alerts("PM2AppMissing", "PM2CrashLoop", "PM2AppDown"), `instance!=""`, `app!=""`},
			target: []string{inApp, unlike("PM2ProcessErrored")}, equal: ofApp,
		},
		inhibition{
			name: "errored-process", why: "A process that PM2 has given up is not measured any more. It says nothing of the app's others, nor of what they throw.",
			source: []string{alerts("PM2ProcessErrored"), `instance!=""`, `pm_id!=""`},
			target: []string{`scope="process"`, unlike("PM2ProcessErrored")}, equal: ofProcess,
		},
		inhibition{
			name: "deploy-regression-to-routes", why: "After a bad deploy routes are slow.",
			source: []string{alerts("PM2DeployRegression"), `instance!=""`, `app!=""`}, target: []string{`scope="route"`}, equal: ofApp,
		},
		inhibition{
			name: "app-to-its-exceptions", why: "What an app throws while it crashes is in the message about that. The server tells exceptions, so they name no host.",
			source: []string{alerts("PM2CrashLoop", "PM2AppDown", "PM2DeployRegression"), `app!=""`},
			target: []string{`scope="exception"`}, equal: service,
		},
		inhibition{
			name: "app-to-its-exceptions-here", why: "Exceptions of the host that PM25 itself runs on are in the bucket local, which its metrics do not name.",
			source: []string{alerts("PM2CrashLoop", "PM2AppDown", "PM2DeployRegression"), `app!=""`, `bucket=""`},
			target: []string{`scope="exception"`, `bucket="` + localBucket + `"`}, equal: []string{"pm2_namespace", "app"},
		},
	)
}

// beside is what one trouble does to its own consequences.
func beside() []inhibition {
	return []inhibition{
		{
			name: "error-budget-burn", why: "When an app fails its users, single routes are detail.",
			source: []string{alerts("PM2ErrorBudgetBurn"), `severity="critical"`, `app!=""`}, target: []string{alerts("PM2RouteSlow")},
			equal: service,
		},
		{
			name: "memory-restart-loop", why: "An app that PM2 restarts for its memory again and again leaks for sure.",
			source: []string{alerts("PM2MemoryRestartLoop"), `instance!=""`, `app!=""`},
			target: []string{alerts("PM2FrequentRestarts", "PM2MemoryNearRestartLimit", "PM2MemoryGrowth", "NodeHeapLeakFast", "NodeHeapLeakSlow")},
			equal:  ofApp,
		},
		{
			name: "heap-leak", why: "A heap that leaks is why memory grows.",
			source: []string{alerts("NodeHeapLeakFast"), `instance!=""`, `pm_id!=""`},
			target: []string{alerts("NodeHeapLeakSlow", "PM2MemoryGrowth")}, equal: ofProcess,
		},
		{
			name: "process-hung", why: "A process that hangs is blocked, and may burn a core.",
			source: []string{alerts("NodeProcessHung"), `instance!=""`, `pm_id!=""`},
			target: []string{alerts("NodeEventLoopSaturated", "NodeEventLoopBlocked", "NodeGCPressure", "PM2ProcessCPUSaturated")}, equal: ofProcess,
		},
		{
			name: "event-loop-saturated", why: "A loop that is always busy uses a core, and blocks now and then.",
			source: []string{alerts("NodeEventLoopSaturated"), `instance!=""`, `pm_id!=""`},
			target: []string{alerts("NodeEventLoopBlocked", "PM2ProcessCPUSaturated")}, equal: ofProcess,
		},
		{
			name: "server-down", why: "Agents can not ship to a server that is down.",
			source: []string{alerts("PM25ServerDown")}, target: []string{alerts("PM25AgentNotShipping")},
		},
		{
			name: "robot-failing", why: "To Alertmanager a chat robot is a webhook that fails.",
			source: []string{alerts("PM25NotifyFailing"), `instance!=""`}, target: []string{alerts("PM25AlertmanagerFailing"), `integration="webhook"`},
			equal: instance,
		},
		{
			name: "store-failing", why: "A server whose store fails refuses what is pushed.",
			source: []string{alerts("PM25StoreFailing"), `instance!=""`}, target: []string{alerts("PM25ServerRefusing")}, equal: instance,
		},
	}
}

// kebab writes PM2CrashLoop as crash-loop.
func kebab(alert string) string {
	var b strings.Builder
	for i, r := range strings.TrimPrefix(alert, "PM2") {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteString(strings.ToLower(string(r)))
	}
	return b.String()
}

func (w *writer) inhibitions() {
	w.line(0, "inhibit_rules:")
	for _, rule := range inhibitions() {
		w.why(1, rule.why)
		w.line(1, "- name: %s", rule.name)
		w.line(2, "source_matchers: [%s]", quoteAll(rule.source))
		w.line(2, "target_matchers: [%s]", quoteAll(rule.target))
		if len(rule.equal) > 0 {
			w.line(2, "equal: [%s]", strings.Join(rule.equal, ", "))
		}
	}
}

func quoteAll(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quote(text)
	}
	return strings.Join(quoted, ", ")
}
