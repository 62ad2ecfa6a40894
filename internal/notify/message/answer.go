package message

import (
	"strings"
	"time"

	"github.com/pm25/pm25/internal/notify/facts"
	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/rules/routing"
)

// answer is what a person would look up first.
func (s Style) answer(k facts.Known) []robot.Line {
	var out []robot.Line
	add := func(rank int, quote bool, spans ...robot.Span) {
		out = append(out, robot.Line{Rank: rank, Quote: quote, Spans: spans})
	}
	if k.End != nil {
		add(robot.Answer, false, robot.Text(s.end(*k.End)))
	}
	if e := k.Exception; e != nil {
		spans := []robot.Span{robot.Text(s.say("exception")), robot.Bold(shorten(e.Title, maxSummary))}
		if e.Frame != "" {
			spans = append(spans, robot.Text(" · "+shorten(e.Frame, 150)))
		}
		add(robot.Answer, false, spans...)
	}
	if d := k.Deploy; d != nil {
		ago := s.duration(s.Now.Sub(d.At))
		text := s.say("deploy", ago, shorten(d.From, 60), shorten(d.To, 60))
		if d.From == "" {
			text = s.say("deploy.to", ago, shorten(d.To, 60))
		}
		add(robot.Answer, false, robot.Text(text))
	}
	if share := s.shares(k); share != "" {
		add(robot.Answer, false, robot.Text(share))
	}
	if len(k.Logs) > 0 {
		add(robot.Log, false, robot.Text(s.say("log")))
	}
	for _, line := range k.Logs {
		add(robot.Log, true, robot.Text(line))
	}
	return out
}

// end is "Last end: crash, code 1, lived 12 s, peak memory 182 MiB, 3 s ago".
func (s Style) end(e facts.End) string {
	var parts []string
	switch {
	case e.Signal != "":
		parts = append(parts, e.Signal)
	case e.Code >= 0:
		parts = append(parts, s.say("end.code", e.Code))
	}
	if e.Lived > 0 {
		parts = append(parts, s.say("end.lived", s.duration(e.Lived)))
	}
	if e.Peak > 0 {
		parts = append(parts, s.say("end.peak", bytesText(e.Peak)))
	}
	parts = append(parts, s.say("end.ago", s.duration(max(s.Now.Sub(e.At), time.Second))))
	reason := e.Reason
	if _, ok := words["reason."+e.Reason]; ok {
		reason = s.say("reason." + e.Reason)
	}
	return s.say("end", reason, strings.Join(parts, s.comma()))
}

// shares is "3 of 4 processes affected, on 2 of 5 hosts".
func (s Style) shares(k facts.Known) string {
	var parts []string
	if k.Affected != nil && k.Affected.Of > 1 {
		parts = append(parts, s.say("workers.hit", k.Affected.Part, k.Affected.Of))
	} else if k.Workers != nil {
		parts = append(parts, s.say("workers", k.Workers.Part, k.Workers.Of))
	}
	if k.Hosts != nil && k.Hosts.Of > 1 {
		parts = append(parts, s.say("hosts", k.Hosts.Part, k.Hosts.Of))
	}
	return strings.Join(parts, s.comma())
}

func (s Style) comma() string {
	if s.Language == routing.Chinese {
		return "，"
	}
	return ", "
}
