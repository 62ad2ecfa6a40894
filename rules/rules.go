// Package rules holds what PM25 alerts on, as Go values, and writes it as
// Prometheus rule files.
//
// Expressions are plain PromQL text, in which ${name} stands for a threshold of
// the configuration. Tests hold that each parses, names only metrics and label
// values of the catalog, and fires when it should and not otherwise. Nothing here
// evaluates or delivers.
package rules

import (
	"slices"
	"time"
)

// Severity says how soon somebody has to look.
type Severity string

// The severities.
const (
	Critical Severity = "critical" // wakes people
	Warning  Severity = "warning"  // waits for the working day
	Info     Severity = "info"     // good to know
	None     Severity = "none"     // for machines: the watchdog
)

// Severities lists them, the most severe first.
func Severities() []Severity { return []Severity{Critical, Warning, Info, None} }

// Scope is the kind of thing an alert is about; alerts of a smaller scope are
// inhibited by those of a larger one around it.
type Scope string

// The scopes, from large to small; service, exception and pm25 are beside them.
const (
	ScopeHost     Scope = "host"
	ScopeExporter Scope = "exporter" // one pm25-agent
	ScopeDaemon   Scope = "daemon"
	ScopeApp      Scope = "app"
	ScopeProcess  Scope = "process"
	ScopeRoute    Scope = "route"

	ScopeService   Scope = "service"   // an app on all its hosts
	ScopeException Scope = "exception" // an exception group
	ScopePM25      Scope = "pm25"      // PM25 itself
)

// Scopes lists them.
func Scopes() []Scope {
	return []Scope{ScopeHost, ScopeExporter, ScopeDaemon, ScopeApp, ScopeProcess, ScopeRoute, ScopeService, ScopeException, ScopePM25}
}

// labels are those that tell one thing of the scope from another, and that its
// alerts have.
func (s Scope) labels() []string {
	switch s {
	case ScopeHost, ScopeExporter:
		return []string{"host"}
	case ScopeDaemon:
		return []string{"host", "daemon"}
	case ScopeApp:
		return []string{"host", "daemon", "pm2_namespace", "app"}
	case ScopeProcess:
		return []string{"host", "daemon", "pm2_namespace", "app", "pm_id"}
	case ScopeRoute:
		return []string{"host", "daemon", "pm2_namespace", "app", "method", "route"}
	case ScopeService:
		return []string{"pm2_namespace", "app"}
	case ScopeException:
		return []string{"pm2_namespace", "app", "group"}
	default:
		return nil
	}
}

// hasApp is true where alerts are about one app.
func (s Scope) hasApp() bool {
	labels := s.labels()
	return len(labels) > 0 && s != ScopeHost && s != ScopeExporter && s != ScopeDaemon
}

// Text is a text for people in each language. Those of alerts are templates of
// Prometheus.
type Text struct{ EN, ZH string }

// in returns the text in a language.
func (t Text) in(language string) string {
	if language == Chinese && t.ZH != "" {
		return t.ZH
	}
	return t.EN
}

// Alert is one alerting rule.
type Alert struct {
	Name          string
	Expr          string // PromQL, ${name} is a threshold
	For           time.Duration
	KeepFiringFor time.Duration
	Severity      Severity
	Scope         Scope
	Summary       Text // one line; no threshold and no $value, or it would be told again whenever that changes
	Description   Text // what it means and what to do first; ${name} is a threshold, ${name:duration} one of seconds in words
	// Why is the reason for the form of the expression and its times.
	Why string
}

// Record is one recording rule.
type Record struct {
	Name   string // level:metric:operations
	Expr   string // PromQL, ${name} is a threshold
	Labels map[string]string
	Why    string
}

// Group is a number of rules that are evaluated together, in order, records
// first.
type Group struct {
	Name     string
	Interval time.Duration
	Why      string // the reason for the interval
	Records  []Record
	Alerts   []Alert
}

// Groups lists all groups that have rules, as the configuration wants them. It has
// to be valid: see Config.Validate.
func Groups(c Config) []Group {
	all, err := c.customize(builtin(c))
	if err != nil {
		all = builtin(c)
	}
	return slices.DeleteFunc(all, func(g Group) bool { return len(g.Records)+len(g.Alerts) == 0 })
}

// builtin are all groups as they are written.
func builtin(c Config) []Group {
	return []Group{
		availability(), hosts(), memory(), node(), requests(c), slo(c), sloDays(), exceptions(), usual(), self(), boards(c),
	}
}

// Alerts lists the alerts of all groups.
func Alerts(c Config) (all []Alert) {
	for _, g := range Groups(c) {
		all = append(all, g.Alerts...)
	}
	return all
}
