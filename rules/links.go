package rules

import (
	"fmt"
	"net/url"
	"strings"
)

// links makes the templates of an alert's links.
type links struct{ Config }

// pm25 is where people reach PM25.
func (l links) pm25() string {
	if l.PM25URL == "" {
		return "{{ $externalURL }}"
	}
	return strings.TrimSuffix(l.PM25URL, "/")
}

func (l links) runbook(a Alert) string {
	if l.RunbookURL != "" {
		return strings.TrimSuffix(l.RunbookURL, "/") + "/" + a.Name
	}
	return l.pm25() + "/runbooks/" + a.Name
}

// dashboard links to the board of the scope, or to the live page, with only what
// the alert is about.
func (l links) dashboard(a Alert) string {
	if a.Scope == ScopeException && l.GrafanaURL == "" {
		return l.exceptions(a)
	}
	if l.GrafanaURL != "" {
		return l.grafana(a)
	}
	labels := a.Scope.labels()
	if len(labels) == 0 {
		return l.pm25() + "/"
	}
	var query []string
	if labels[0] == "host" {
		query = append(query, "host={{ or $labels.host $labels.instance | urlQueryEscape }}")
	}
	if a.Scope.hasApp() {
		query = append(query, "q={{ urlQueryEscape $labels.app }}")
	}
	return l.pm25() + "/?" + strings.Join(query, "&")
}

// Board is the uid of the Grafana board that shows things of a scope.
func (s Scope) Board() string {
	switch s {
	case ScopeHost, ScopeDaemon:
		return "pm25-host"
	case ScopeApp, ScopeService:
		return "pm25-app"
	case ScopeProcess:
		return "pm25-process"
	case ScopeRoute:
		return "pm25-routes"
	case ScopeException:
		return "pm25-exceptions"
	default:
		return "pm25-self"
	}
}

func (l links) grafana(a Alert) string {
	link := strings.TrimSuffix(l.GrafanaURL, "/") + "/d/" + a.Scope.Board() + "?from=now-1h&to=now"
	for _, name := range a.Scope.labels() {
		switch name {
		case "host": // not every scrape job names it
			link += "{{ if $labels.host }}&var-host={{ urlQueryEscape $labels.host }}{{ end }}"
		case "pm2_namespace", "app", "pm_id", "route":
			link += fmt.Sprintf("&var-%s={{ urlQueryEscape $labels.%s }}", name, name)
		}
	}
	return link
}

// silence links to the page that silences just this alert.
func (l links) silence(a Alert) string {
	if l.AlertmanagerURL != "" {
		return l.silenceElsewhere(a)
	}
	link := l.pm25() + "/silence?matcher=" + url.QueryEscape(fmt.Sprintf("alertname=%q", a.Name))
	matcher := func(name string) string {
		return fmt.Sprintf(`&matcher={{ printf "%s=%%q" $labels.%s | urlQueryEscape }}`, name, name)
	}
	for _, name := range a.Scope.labels() {
		if name == "host" { // not every scrape job names it
			link += "{{ if $labels.host }}" + matcher("host") + "{{ else }}" + matcher("instance") + "{{ end }}"
			continue
		}
		link += matcher(name)
	}
	return link
}

// silenceElsewhere links to Alertmanager's own page. That takes a + for itself.
func (l links) silenceElsewhere(a Alert) string {
	link := strings.TrimSuffix(l.AlertmanagerURL, "/") + "/#/silences/new?filter=" + url.QueryEscape(fmt.Sprintf("{alertname=%q", a.Name))
	matcher := func(name string) string {
		return fmt.Sprintf(`%%2C{{ printf "%s=%%q" $labels.%s | urlQueryEscape | reReplaceAll "[+]" "%%20" }}`, name, name)
	}
	for _, name := range a.Scope.labels() {
		if name == "host" { // not every scrape job names it
			link += "{{ if $labels.host }}" + matcher("host") + "{{ else }}" + matcher("instance") + "{{ end }}"
			continue
		}
		link += matcher(name)
	}
	return link + "%7D"
}

// exceptions links to the exception groups of the app.
func (l links) exceptions(a Alert) string {
	if a.Scope == ScopeException {
		return l.pm25() + "/exceptions/{{ urlQueryEscape $labels.group }}"
	}
	return l.pm25() + "/exceptions?app={{ urlQueryEscape $labels.app }}&pm2_namespace={{ urlQueryEscape $labels.pm2_namespace }}" +
		"{{ with $labels.bucket }}&bucket={{ urlQueryEscape . }}{{ end }}" // not every agent has one
}
