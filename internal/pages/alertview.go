package pages

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/alertmanager"
	"github.com/pm25/pm25/rules"
)

// alertView is an alert as pages show it.
type alertView struct {
	Name, Severity, SeverityText string
	Summary, Where, Since        string
	Graph, Silence, Runbook      string // links
	Silenced, Inhibited          bool
	Bad                          bool // critical
}

func (p *Pages) viewOfAlert(lang language, f firing, now time.Time) alertView {
	l := f.Labels
	v := alertView{Name: l["alertname"], Severity: l["severity"], Where: where(l), Silence: silenceLink(l)}
	v.Bad = v.Severity == "critical"
	v.SeverityText = v.Severity
	if _, ok := messages["severity."+v.Severity]; ok {
		v.SeverityText = lang.T("severity." + v.Severity)
	}
	if !f.Since.IsZero() {
		v.Since = lang.T("since", lang.Duration(now.Sub(f.Since)))
	}
	if f.Told != nil {
		v.Silenced, v.Inhibited = len(f.Told.SilencedBy) > 0, len(f.Told.InhibitedBy) > 0
		v.Summary = f.Told.Annotations["summary"]
		v.Graph = graphLink(f.Told.GeneratorURL)
		v.Runbook = runbookLink(f.Told.Annotations["runbook_url"], f.Told.GeneratorURL)
	}
	// Rules are written in one language; what our own say is known in both.
	if v.Summary == "" || lang.Code != rules.English {
		if text, ours := p.summaries.In(lang.Code, l); ours {
			v.Summary = text
		}
	}
	return v
}

// where tells what an alert is about.
func where(labels map[string]string) string {
	var parts []string
	for _, name := range []string{"host", "daemon", "app", "pm_id", "mountpoint"} {
		if labels[name] != "" {
			parts = append(parts, labels[name])
		}
	}
	if len(parts) == 0 && labels["instance"] != "" {
		parts = append(parts, labels["instance"])
	}
	return strings.Join(parts, " · ")
}

// viewsOfAlerts puts the loud ones first, the critical among them, and the
// newest of those.
func (p *Pages) viewsOfAlerts(lang language, alerts []firing, now time.Time) []alertView {
	sorted := slices.Clone(alerts)
	quiet := func(f firing) int {
		if f.Told != nil && len(f.Told.SilencedBy)+len(f.Told.InhibitedBy) > 0 {
			return 1
		}
		return 0
	}
	severity := func(f firing) int {
		order := []string{"critical", "warning", "info"}
		if i := slices.Index(order, f.Labels["severity"]); i >= 0 {
			return i
		}
		return 1
	}
	slices.SortStableFunc(sorted, func(a, b firing) int {
		return cmp.Or(
			cmp.Compare(quiet(a), quiet(b)), cmp.Compare(severity(a), severity(b)), b.Since.Compare(a.Since),
			strings.Compare(a.Labels["alertname"], b.Labels["alertname"]), natural(where(a.Labels), where(b.Labels)),
		)
	})
	out := make([]alertView, 0, len(sorted))
	for _, f := range sorted {
		out = append(out, p.viewOfAlert(lang, f, now))
	}
	return out
}

// webURL parses an absolute link to a web address, and nothing else.
func webURL(link string) *url.URL {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil
	}
	return u
}

// graphLink leads to our own page of the expression that an alert came from,
// under whatever name the reader reaches this server; or, where the alert says
// no expression, to where it came from.
func graphLink(generator string) string {
	u := webURL(generator)
	if u == nil {
		return ""
	}
	if expr := u.Query().Get("g0.expr"); expr != "" {
		return "/graph?" + url.Values{"g0.expr": {expr}, "g0.tab": {"1"}}.Encode()
	}
	return u.String()
}

// runbookLink leads to a runbook. One beside what raised the alert is ours.
func runbookLink(link, generator string) string {
	if strings.HasPrefix(link, "/") && !strings.HasPrefix(link, "//") && !strings.HasPrefix(link, `/\`) {
		return link
	}
	u := webURL(link)
	if u == nil {
		return ""
	}
	if g := webURL(generator); g != nil && g.Scheme == u.Scheme && g.Host == u.Host && strings.HasPrefix(u.Path, "/runbooks/") {
		return u.EscapedPath()
	}
	return u.String()
}

// silenceLink leads to the page that silences an alert: by all that tells it
// from others, not by how bad it is or who measured it.
func silenceLink(labels map[string]string) string {
	skip := []string{"severity", "scope", "job"}
	if labels["host"] != "" {
		skip = append(skip, "instance")
	}
	q := url.Values{}
	add := func(name string) {
		q.Add("matcher", alertmanager.Matcher{Name: name, Value: labels[name]}.String())
	}
	if labels["alertname"] != "" {
		add("alertname")
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name != "alertname" && !slices.Contains(skip, name) {
			add(name)
		}
	}
	return "/silence?" + q.Encode()
}
