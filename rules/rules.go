// Package rules holds what PM25 alerts on, as Go values, and writes it as
// Prometheus rule files.
//
// Expressions are plain PromQL text. A test holds that each parses, names only
// metrics and label values of the catalog, and fires when it should and not
// otherwise. Nothing here evaluates or delivers.
package rules

import (
	"time"
)

// Severity says how soon somebody has to look.
type Severity string

// The severities: critical wakes people, warning waits for the working day.
const (
	Critical Severity = "critical"
	Warning  Severity = "warning"
)

// Scope is the kind of thing an alert is about; alerts of a smaller scope are
// inhibited by those of a larger one around it.
type Scope string

// The scopes, from large to small.
const (
	ScopeHost    Scope = "host"
	ScopeDaemon  Scope = "daemon"
	ScopeApp     Scope = "app"
	ScopeProcess Scope = "process"
)

// labels are those that tell one thing of the scope from another.
func (s Scope) labels() []string {
	all := []string{"host", "daemon", "pm2_namespace", "app", "pm_id"}
	return all[:map[Scope]int{ScopeHost: 1, ScopeDaemon: 2, ScopeApp: 4, ScopeProcess: 5}[s]]
}

// Alert is one alerting rule.
type Alert struct {
	Name          string
	Expr          string // PromQL
	For           time.Duration
	KeepFiringFor time.Duration
	Severity      Severity
	Scope         Scope
	Summary       string // one line, a template of Prometheus
	Description   string // what it means and what to do first, likewise
	// Why is the reason for the form of the expression and its times.
	Why string
}

// Interval is how often the rules are evaluated: as often as PM2's metrics are
// scraped, so that each alert is told within a minute of its cause.
const Interval = 5 * time.Second

// Alerts lists all alerts.
func Alerts() []Alert { return []Alert{exporterDown(), daemonDown(), processErrored(), crashLoop()} }
