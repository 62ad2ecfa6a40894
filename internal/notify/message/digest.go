package message

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm25/pm25/internal/notify/robot"
)

// row is all alerts of one name of one app.
type row struct {
	first            Alert // the most urgent
	firing, resolved int
	hosts            []string
	known            map[string]bool // hosts, which may be many
}

const maxHosts = 3

// Digest tells several notifications, or one of many alerts, in one message: a
// line for each alert's name and app, the most urgent first, with how many there
// are and where.
func (s Style) Digest(notifications []Notification) robot.Document {
	var alerts []Alert
	var all string
	left, count := 0, 0
	for _, n := range notifications {
		alerts = append(alerts, n.Alerts...)
		left += n.Truncated
		count += n.Count()
		if all == "" {
			all = n.All
		}
	}
	slices.SortStableFunc(alerts, func(a, b Alert) int { return a.urgency() - b.urgency() })
	d := s.document(alerts, all)
	d.Title, d.Left, d.List = s.say("title.digest", count)+": "+s.names(alerts), left, true
	if len(notifications) > 1 {
		d.Blocks = append(d.Blocks, robot.Block{Lines: []robot.Line{{Rank: robot.Must, Spans: []robot.Span{robot.Text(s.say("digest.reason"))}}}})
	}
	for _, r := range rows(alerts) {
		d.Blocks = append(d.Blocks, s.row(r))
	}
	return d
}

// rows gathers alerts, which are in order, by name and app.
func rows(alerts []Alert) []*row {
	var out []*row
	known := map[[3]string]*row{}
	for _, a := range alerts {
		key := [3]string{a.name(), a.Labels["pm2_namespace"], a.Labels["app"]}
		r := known[key]
		if r == nil {
			r = &row{first: a, known: map[string]bool{}}
			known[key] = r
			out = append(out, r)
		}
		if a.Firing {
			r.firing++
		} else {
			r.resolved++
		}
		if host := a.host(); host != "" && !r.known[host] {
			r.known[host] = true
			r.hosts = append(r.hosts, host)
		}
	}
	slices.SortStableFunc(out, func(a, b *row) int {
		if d := a.first.urgency() - b.first.urgency(); d != 0 {
			return d
		}
		return (b.firing + b.resolved) - (a.firing + a.resolved)
	})
	return out
}

func (s Style) row(r *row) robot.Block {
	name := r.first.name()
	if app := r.first.Labels["app"]; app != "" {
		name += " · " + app
	}
	spans := []robot.Span{robot.Bold(shorten(name, maxSummary)), robot.Text(": " + s.counts(r))}
	if len(r.hosts) > 0 {
		spans = append(spans, robot.Text(" · "+s.hosts(r.hosts)))
	}
	if r.firing > 0 && r.first.severity() != "" {
		spans = append(spans, robot.Text(" · "+s.severity(r.first.severity())))
	}
	b := robot.Block{Weight: r.firing + r.resolved, Lines: []robot.Line{{Rank: robot.Must, Spans: spans}}}
	if r.firing+r.resolved == 1 {
		b.Lines = append(b.Lines, robot.Line{Rank: robot.Detail, Spans: []robot.Span{robot.Text(shorten(s.summary(r.first), maxSummary))}})
	}
	return b
}

func (s Style) counts(r *row) string {
	switch {
	case r.resolved == 0:
		return s.say("row", r.firing)
	case r.firing == 0:
		return s.say("row.resolved", r.resolved)
	}
	return s.say("row.both", r.firing, r.resolved)
}

func (s Style) hosts(hosts []string) string {
	if len(hosts) <= maxHosts {
		return strings.Join(hosts, ", ")
	}
	return s.say("row.hosts", fmt.Sprint(strings.Join(hosts[:maxHosts], ", ")), len(hosts)-maxHosts)
}
