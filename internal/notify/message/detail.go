package message

import (
	"strings"

	"github.com/pm25/pm25/internal/notify/facts"
	"github.com/pm25/pm25/internal/notify/robot"
)

const (
	// MaxDetailed is how many alerts are told one by one; more become a digest.
	MaxDetailed = 6
	// maxAnswers is how many of them come with what a person would look up.
	maxAnswers = 3
	// Characters of one text of an annotation.
	maxSummary, maxDescription = 300, 600
)

// Subjects are what to look up before a notification is told: at most three.
func (n Notification) Subjects() []facts.Subject {
	var out []facts.Subject
	if len(n.Alerts) > MaxDetailed {
		return nil
	}
	for _, a := range n.Alerts {
		if a.Firing && a.Labels["app"] != "" && len(out) < maxAnswers {
			out = append(out, a.subject())
		}
	}
	return out
}

func (a Alert) subject() facts.Subject {
	return facts.Subject{
		Alert: a.name(), Bucket: a.Labels["bucket"], Host: a.Labels["host"], Daemon: a.Labels["daemon"], Namespace: a.Labels["pm2_namespace"],
		App: a.Labels["app"], PMID: a.Labels["pm_id"], At: a.Starts,
	}
}

// Detailed tells a notification alert by alert, with what is known of each; known
// is by Subject. Of many alerts it is a digest.
func (s Style) Detailed(n Notification, known map[facts.Subject]facts.Known) robot.Document {
	if len(n.Alerts) > MaxDetailed {
		return s.Digest([]Notification{n})
	}
	d := s.document(n.Alerts, n.All)
	d.Title, d.Left = s.title(n.Alerts), n.Truncated
	for _, a := range n.Alerts {
		d.Blocks = append(d.Blocks, s.block(a, known[a.subject()]))
	}
	return d
}

// document has what all messages have.
func (s Style) document(alerts []Alert, all string) robot.Document {
	return robot.Document{
		Tone: tone(alerts), Mentions: s.mentions(alerts),
		More: func(left int) robot.Line {
			return robot.Line{Spans: []robot.Span{robot.Text(s.say("more", left)), robot.Link(s.say("more.all"), all)}}
		},
		Next: func(left int) robot.Line {
			return robot.Line{Spans: []robot.Span{robot.Text(s.say("more.next", left))}}
		},
		Uncalled: func(people int) robot.Line {
			return robot.Line{Spans: []robot.Span{robot.Text(s.say("uncalled", people, robot.MaxMentions))}}
		},
		Foot: robot.Line{Spans: []robot.Span{robot.Text(keyword + " · " + s.Now.In(s.Location).Format("2006-01-02 15:04:05 MST"))}},
	}
}

func tone(alerts []Alert) robot.Tone {
	tone := robot.Over
	for _, a := range alerts {
		if !a.Firing {
			continue
		}
		of := map[string]robot.Tone{"critical": robot.Critical, "info": robot.Calm, "none": robot.Calm}
		t, ok := of[a.severity()]
		if !ok {
			t = robot.Warning
		}
		if tone == robot.Over || t > tone {
			tone = t
		}
	}
	return tone
}

// title is "[FIRING:2] PM2CrashLoop api · web-1".
func (s Style) title(alerts []Alert) string {
	firing := 0
	for _, a := range alerts {
		if a.Firing {
			firing++
		}
	}
	status := s.say("title.firing", firing)
	if firing == 0 {
		status = s.say("title.resolved", len(alerts))
	}
	return strings.TrimSpace(status + " " + s.names(alerts) + " " + places(alerts))
}

// names are the alerts' names: the first, and how many others.
func (s Style) names(alerts []Alert) string {
	var names []string
	seen := map[string]bool{}
	for _, a := range alerts {
		if !seen[a.name()] {
			seen[a.name()] = true
			names = append(names, a.name())
		}
	}
	if len(names) > 2 {
		return s.say("title.names", names[0], len(names)-1)
	}
	return strings.Join(names, ", ")
}

// places are where it is, if that is few.
func places(alerts []Alert) string {
	var out []string
	seen := map[string]bool{}
	for _, a := range alerts {
		if w := a.where(); w != "" && !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	if len(out) > 3 {
		return strings.Join(out[:3], ", ") + " …"
	}
	return strings.Join(out, ", ")
}

// block tells one alert.
func (s Style) block(a Alert, known facts.Known) robot.Block {
	b := robot.Block{Weight: 1}
	add := func(rank int, spans ...robot.Span) { b.Lines = append(b.Lines, robot.Line{Rank: rank, Spans: spans}) }
	add(robot.Must, robot.Bold(shorten(s.summary(a), maxSummary)))
	add(robot.Must, robot.Text(s.facts(a)))
	if a.Firing {
		if description := a.Annotations["description"]; description != "" {
			add(robot.Detail, robot.Text(shorten(description, maxDescription)))
		}
		b.Lines = append(b.Lines, s.answer(known)...)
		if look := command(a); look != "" {
			add(robot.Answer, robot.Text(s.say("run")), robot.Code(look))
		}
	}
	if links := s.links(a, known); len(links.Spans) > 0 {
		b.Lines = append(b.Lines, links)
	}
	return b
}

func (s Style) summary(a Alert) string {
	if summary := a.Annotations["summary"]; summary != "" {
		return summary
	}
	return strings.TrimSpace(a.name() + " " + a.where())
}

// facts is severity, time and place in one line.
func (s Style) facts(a Alert) string {
	var parts []string
	if a.severity() != "" {
		parts = append(parts, s.severity(a.severity()))
	}
	switch {
	case !a.Firing && !a.Ends.IsZero() && a.Ends.After(a.Starts):
		parts = append(parts, s.say("resolved.after", s.clock(a.Ends), s.duration(a.Ends.Sub(a.Starts))))
	case !a.Firing:
		parts = append(parts, s.say("resolved"))
	case !a.Starts.IsZero():
		parts = append(parts, s.say("since", s.clock(a.Starts), s.duration(s.Now.Sub(a.Starts))))
	}
	if host := a.host(); host != "" {
		parts = append(parts, s.say("host", host))
	}
	if bucket := a.Labels["bucket"]; bucket != "" {
		parts = append(parts, s.say("bucket", bucket))
	}
	return strings.Join(parts, " · ")
}

// links are the buttons of an alert.
func (s Style) links(a Alert, known facts.Known) robot.Line {
	line := robot.Line{Rank: robot.Links, Links: true}
	exceptions := a.Annotations["exceptions_url"]
	if known.Exception != nil && s.External != nil {
		exceptions = s.exceptionURL(known.Exception.Group)
	}
	for _, l := range []struct{ word, address string }{
		{"link.board", a.Annotations["dashboard_url"]},
		{"link.error", exceptions},
		{"link.runbook", a.Annotations["runbook_url"]},
		{"link.silence", a.Annotations["silence_url"]},
	} {
		if !a.Firing && l.word != "link.board" {
			continue
		}
		if link := robot.Link(s.say(l.word), l.address); link.URL != "" {
			line.Spans = append(line.Spans, link)
		}
	}
	return line
}

// shorten cuts a text after so many characters.
func shorten(text string, limit int) string {
	n := 0
	for i := range text {
		if n++; n > limit {
			return text[:i] + "…"
		}
	}
	return text
}
