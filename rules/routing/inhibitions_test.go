package routing

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/rules"
)

// known returns all alerts as "severity scope" by name, of those with variants the
// first.
func known() map[string]string {
	all := map[string]string{}
	for _, a := range rules.Alerts(rules.Default()) {
		if all[a.Name] == "" {
			all[a.Name] = string(a.Severity) + " " + string(a.Scope)
		}
	}
	return all
}

// scopeLabels are those of an alert of a scope, beside what says what it is.
var scopeLabels = map[string]string{
	"host":      "job=node instance=web-1:9100 host=web-1",
	"exporter":  "job=pm2 instance=web-1 host=web-1",
	"daemon":    "job=pm2 instance=web-1 host=web-1 daemon=deploy",
	"app":       "job=pm2 instance=web-1 host=web-1 daemon=deploy pm2_namespace=default app=api",
	"process":   "job=pm2 instance=web-1 host=web-1 daemon=deploy pm2_namespace=default app=api pm_id=3",
	"route":     "job=pm2 instance=web-1 host=web-1 daemon=deploy pm2_namespace=default app=api method=GET route=/a",
	"service":   "pm2_namespace=default app=api",
	"exception": "job=pm25 instance=web-1 host=web-1 bucket=local pm2_namespace=default app=api group=0a state=new title=TypeError",
	"pm25":      "job=pm25 instance=web-1 host=web-1",
}

// an is an alert by its name, with other labels than usual: "PM2AppDown host=".
func an(t testing.TB, text string) model.LabelSet {
	t.Helper()
	name, changes, _ := strings.Cut(text, " ")
	severity, scope, ok := strings.Cut(known()[name], " ")
	if !ok {
		t.Fatalf("there is no alert %s", name)
	}
	labels := model.LabelSet{"alertname": model.LabelValue(name), "severity": model.LabelValue(severity), "scope": model.LabelValue(scope)}
	for _, pair := range strings.Fields(scopeLabels[scope] + " " + changes) {
		key, value, _ := strings.Cut(pair, "=")
		if labels[model.LabelName(key)] = model.LabelValue(value); value == "" {
			delete(labels, model.LabelName(key))
		}
	}
	return labels
}

// firing is an inhibitor of the generated configuration that knows of alerts.
func firing(t testing.TB, sources ...model.LabelSet) *inhibit.Inhibitor {
	t.Helper()
	text, err := Alertmanager(Receivers{}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.DiscardHandler)
	all, err := mem.NewAlerts(t.Context(), time.Hour, 0, nil, logger, eventrecorder.NopRecorder(), prometheus.NewRegistry(), featurecontrol.NoopFlags{})
	if err != nil {
		t.Fatal(err)
	}
	for _, labels := range sources {
		a := &alert.Alert{Alert: model.Alert{Labels: labels, StartsAt: time.Now().Add(-time.Minute), EndsAt: time.Now().Add(time.Hour)}, UpdatedAt: time.Now()}
		if err := all.Put(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	i := inhibit.NewInhibitor(all, load(t.(*testing.T), text).InhibitRules, logger, eventrecorder.NopRecorder())
	done := make(chan struct{})
	go func() { defer close(done); i.Run() }()
	i.WaitForLoading()
	t.Cleanup(func() { i.Stop(); <-done; all.Close() })
	return i
}

func TestInhibitions(t *testing.T) {
	for _, c := range []struct {
		source, target string
		want           bool
	}{
		{"PM2HostDown", "PM2ExporterDown", true},
		{"PM2HostDown", "PM2CrashLoop", true},
		{"PM2HostDown", "PM2HostMemoryLow", true},
		{"PM2HostDown", "PM2RouteSlow", true},
		{"PM2HostDown", "PM2CrashLoop host=web-2 instance=web-2", false},
		{"PM2HostDown", "PM2HostDown host=web-2", false},
		{"PM2HostDown bucket=prod", "PM2CrashLoop bucket=prod", true},
		{"PM2HostDown bucket=prod", "PM2CrashLoop bucket=staging", false},
		{"PM2HostDown", "PM2CrashLoop bucket=prod", true}, // the host's own exporter knows no bucket
		// Labels that both lack count as the same: not where they say what it is about.
		{"PM2HostDown host=", "PM2CrashLoop host=", false},
		{"PM2HostDown", "PM2ErrorBudgetBurn", false},
		{"PM2HostDown host=", "PM2ErrorBudgetBurn", false},
		{"PM2HostDown", "PM2ErrorBudgetBurn host=web-1", false}, // of a rule that keeps a label too many
		// What the server tells has the server's labels.
		{"PM2HostDown", "PM2NewException", false},
		{"PM2HostDown", "PM25StoreFailing", false},
		{"PM2HostDown", "PM25Watchdog", false},

		{"PM2ExporterDown", "PM2DaemonDown", true},
		{"PM2ExporterDown", "PM25CollectorFailing", true},
		{"PM2ExporterDown", "PM2CrashLoop", true},
		{"PM2ExporterDown", "NodeProcessHung", true},
		{"PM2ExporterDown", "PM2CrashLoop instance=web-1/other", false},
		{"PM2ExporterDown", "PM2HostDown", false},
		{"PM2ExporterDown", "PM2ErrorBudgetBurn", false},
		{"PM2ExporterDown", "PM2NewException", false},
		{"PM2ExporterDown", "PM2NewException job=pm2", false}, // both in one scrape job
		{"PM2ExporterDown", "PM25NotifyFailing", false},
		{"PM2ExporterDown instance= host=", "PM2AppDown instance= host=", false}, // absent(up) says not whose
		{"PM2ExporterDown host=", "PM2AppDown", true},
		{"PM2ExporterDown", "PM2AppDown host=", true},

		{"PM2DaemonDown", "PM2DaemonRestarted", true},
		{"PM2DaemonDown", "PM2AppMissing", true},
		{"PM2DaemonDown", "PM2ProcessErrored", true},
		{"PM2DaemonDown", "PM2CrashLoop daemon=other", false},
		{"PM2DaemonDown", "PM2ExporterDown", false},
		{"PM2DaemonDown daemon=", "PM2CrashLoop daemon=", false},

		{"PM2AppMissing", "PM2CrashLoop", true},
		{"PM2AppMissing", "PM2InstancesBelowExpected", true},
		{"PM2AppMissing", "PM2InstancesBelowExpected app=web", false},
		{"PM2AppMissing", "PM2ProcessErrored", true},
		// It fires until somebody acts. Others of the app run, and may fall later.
		{"PM2ProcessErrored", "PM2CrashLoop", false},
		{"PM2ProcessErrored", "PM2AppDown", false},
		{"PM2ProcessErrored", "PM2DeployRegression", false},
		{"PM2ProcessErrored", "PM2FrequentRestarts", false},
		{"PM2ProcessErrored", "PM2ProcessKilled reason=oom_kill", false},
		{"PM2ProcessErrored", "PM2ExceptionSpike", false},
		{"PM2ProcessErrored", "PM2InstancesBelowExpected", false},
		{"PM2ProcessErrored", "PM2ProcessErrored pm_id=4", false},
		{"PM2ProcessErrored", "PM2MemoryGrowth", true},
		{"PM2ProcessErrored", "PM2MemoryGrowth pm_id=4", false},
		{"PM2ProcessErrored", "PM2RouteSlow", false},
		{"PM2ProcessErrored", "PM2NewException", false},
		{"PM2ProcessErrored bucket=prod", "PM2NewException bucket=prod", false},
		{"PM2CrashLoop", "PM2ProcessErrored", false},
		{"PM2CrashLoop", "PM2AppDown", true},
		{"PM2CrashLoop", "PM2FrequentRestarts", true},
		{"PM2CrashLoop", "PM2ProcessKilled reason=oom_kill", true},
		{"PM2CrashLoop", "PM2ExceptionSpike", true},
		{"PM2CrashLoop", "PM2DeployRegression", true},
		{"PM2CrashLoop", "NodeEventLoopSaturated", true},
		{"PM2CrashLoop", "PM2RouteSlow", true},
		{"PM2CrashLoop", "PM2RouteSlow instance=web-2 host=web-2", false},
		{"PM2CrashLoop", "PM2SaveStale", false},
		{"PM2CrashLoop", "PM2ErrorBudgetBurn", false},
		{"PM2CrashLoop", "PM2ErrorBudgetBurn job=pm2", false},
		{"PM2CrashLoop instance=", "PM2AppDown instance=", false},
		{"PM2AppDown", "PM2InstancesBelowExpected", true},
		{"PM2DeployRegression", "PM2ExceptionSpike", true},
		{"PM2DeployRegression", "PM2RouteSlow", true},
		{"PM2DeployRegression", "NodeHeapLeakFast", false},
		{"PM2DeployRegression", "PM2CrashLoop", false},

		// Exceptions: the same app, with a host or without.
		{"PM2CrashLoop", "PM2NewException", true}, // bucket local
		{"PM2CrashLoop", "PM2NewException bucket=prod", false},
		{"PM2CrashLoop bucket=prod", "PM2NewException bucket=prod", true},
		{"PM2CrashLoop bucket=prod", "PM2NewException bucket=staging", false},
		{"PM2CrashLoop bucket=prod", "PM2NewException", false},
		{"PM2CrashLoop host=web-9 instance=web-9", "PM2NewException", true},
		{"PM2CrashLoop", "PM2NewException app=web", false},
		{"PM2ExceptionSpike", "PM2NewException", false},

		// A warning beside its own critical.
		{"NodeEventLoopSaturated severity=critical", "NodeEventLoopSaturated severity=warning", true},
		{"NodeEventLoopSaturated severity=critical", "NodeEventLoopSaturated pm_id=4", false},
		{"NodeEventLoopSaturated", "NodeEventLoopSaturated severity=critical", false},
		{"PM2ErrorBudgetBurn", "PM2ErrorBudgetBurn severity=warning", true},
		{"PM2ErrorBudgetBurn", "PM2ErrorBudgetBurn severity=warning app=web", false},
		{"PM2ErrorBudgetBurn slo=fast", "PM2ErrorBudgetBurn severity=warning slo=slow", false},
		{"PM2ErrorBudgetBurn scope=", "PM2ErrorBudgetBurn severity=warning scope=", false}, // not ours

		{"PM2ErrorBudgetBurn", "PM2RouteSlow", true},
		{"PM2ErrorBudgetBurn bucket=prod", "PM2RouteSlow bucket=staging", false},
		{"PM2ErrorBudgetBurn severity=warning", "PM2RouteSlow", false},
		{"PM2ErrorBudgetBurn", "PM2CrashLoop", false},
		{"PM2MemoryRestartLoop", "PM2FrequentRestarts", true},
		{"PM2MemoryRestartLoop", "NodeHeapLeakFast", true},
		{"PM2MemoryRestartLoop", "PM2CrashLoop", false},
		{"NodeHeapLeakFast", "PM2MemoryGrowth", true},
		{"NodeHeapLeakFast", "PM2MemoryGrowth pm_id=4", false},
		{"NodeProcessHung", "NodeEventLoopBlocked", true},
		{"NodeEventLoopSaturated", "PM2ProcessCPUSaturated", true},
		{"NodeEventLoopSaturated", "PM2ProcessCPUSaturated pm_id=4", false},
		{"PM25ServerDown", "PM25AgentNotShipping", true},
		{"PM25StoreFailing", "PM25ServerRefusing", true},
		{"PM25NotifyFailing", "PM25AlertmanagerFailing integration=webhook", true},
		{"PM25NotifyFailing", "PM25AlertmanagerFailing integration=email", false},
		{"PM25StoreFailing", "PM25ServerRefusing instance=other", false},
		{"PM2HostMemoryLow", "PM2MemoryNearRestartLimit", false},
	} {
		t.Run(c.source+" to "+c.target, func(t *testing.T) {
			if got := firing(t, an(t, c.source)).Mutes(context.Background(), an(t, c.target)); got != c.want {
				t.Errorf("inhibited = %t", got)
			}
		})
	}
}

// However much is broken at once, somebody is told: no alerts keep each other
// quiet, not even in a circle. The watchdog is never inhibited.
func TestInhibitionsEnd(t *testing.T) {
	var all []model.LabelSet
	for _, name := range sortedKeys(known()) {
		all = append(all, an(t, name))
		if name == "NodeEventLoopSaturated" || name == "PM2ErrorBudgetBurn" { // fire as both
			all = append(all, an(t, name+" severity=critical"), an(t, name+" severity=warning"))
		}
	}
	inhibits := make([][]bool, len(all))
	for i, source := range all {
		by := firing(t, source)
		inhibits[i] = make([]bool, len(all))
		for j, target := range all {
			inhibits[i][j] = by.Mutes(context.Background(), target)
			if inhibits[i][j] && target["alertname"] == "PM25Watchdog" {
				t.Errorf("%s inhibits the watchdog", source)
			}
		}
	}
	const open, closed = 1, 2
	state := make([]int, len(all))
	var walk func(i int, path []string)
	walk = func(i int, path []string) {
		path = append(path, string(all[i]["alertname"]))
		state[i] = open
		for j := range all {
			if inhibits[i][j] && state[j] == open {
				t.Fatalf("a circle: %v to %s", path, all[j]["alertname"])
			}
			if inhibits[i][j] && state[j] == 0 {
				walk(j, path)
			}
		}
		state[i] = closed
	}
	for i := range all {
		if state[i] == 0 {
			walk(i, nil)
		}
	}
}

// Every name in a rule is one of an alert, and each rule does something.
func TestInhibitionsName(t *testing.T) {
	names := map[string]bool{}
	seen := map[string]bool{}
	for _, rule := range inhibitions() {
		if seen[rule.name] || rule.why == "" {
			t.Errorf("%s: a name is twice, or has no reason", rule.name)
		}
		seen[rule.name] = true
		for _, matcher := range slices.Concat(rule.source, rule.target) {
			if m := regexp.MustCompile(`^alertname!?=~?"(.*)"$`).FindStringSubmatch(matcher); m != nil {
				for name := range strings.SplitSeq(m[1], "|") {
					names[name] = true
				}
			}
		}
	}
	for _, name := range sortedKeys(names) {
		if known()[name] == "" {
			t.Errorf("there is no alert %s", name)
		}
	}
}
