package pages

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// groupRow is a group in the list.
type groupRow struct {
	ID, Title, Culprit, App, Namespace, Bucket, Version, Hosts string
	State, StateText                                           string
	Count                                                      uint64
	Seen                                                       string
	Bad                                                        bool
}

func (p *Pages) groupRow(lang language, g sessionstore.Group) groupRow {
	return groupRow{
		ID: g.ID, Title: g.Title, Culprit: g.Culprit, App: g.App, Namespace: g.Namespace, Bucket: g.Bucket, Version: g.Version,
		Hosts: strings.Join(g.Hosts, ", "), State: string(g.State), StateText: lang.T("group." + string(g.State)), Count: g.Count,
		Seen: lang.T("ago", lang.Duration(p.opts.Now().Sub(g.LastSeen))),
		Bad:  g.State == sessionstore.StateNew || g.State == sessionstore.StateRegressed,
	}
}

// groupPage is all of one group.
type groupPage struct {
	groupRow
	First, Last string
	Versions    []versionCount // of the time of the spark; the group's own where nothing was seen in it
	More        string         // of the state: until when, in which version, by whom
	Owner, Note string
	Reopen      bool // rather than resolve and mute
	Spark       *spark
	Sample      *sampleView
	Samples     []choice
	Runs        []runView
	Done        string
}

// versionCount is how often one version showed a group.
type versionCount struct {
	Name  string
	Count uint64
}

// groupView asks for all of a group, and for the sample that is chosen, the
// newest where none is.
func (p *Pages) groupView(ctx context.Context, lang language, id, sample string) (*groupPage, error) {
	store, now := p.opts.Exceptions, p.opts.Now()
	g, err := store.Group(ctx, id)
	if err != nil {
		return nil, err
	}
	v := &groupPage{
		groupRow: p.groupRow(lang, g), First: p.moment(lang, g.FirstSeen), Last: p.moment(lang, g.LastSeen),
		More: p.stateMore(lang, g), Owner: g.Owner, Note: g.Note,
		Reopen: g.State == sessionstore.StateResolved || g.State == sessionstore.StateMuted,
	}
	hours, err := store.GroupHours(ctx, id, now.Add(-sparkSpan))
	if err != nil {
		return nil, err
	}
	v.Spark, v.Versions = newSpark(hours, now), versionsOf(lang, hours)
	samples, err := store.GroupSamples(ctx, id, samplesShown)
	if err != nil {
		return nil, err
	}
	for i, r := range samples {
		chosen := r.ID == sample || i == 0 && v.Sample == nil
		if chosen {
			v.Sample = p.sampleView(lang, r)
		}
		v.Samples = append(v.Samples, choice{"/exceptions/" + id + "?sample=" + r.ID, date(r.Time().In(now.Location())) + " · " + r.Host, false})
	}
	for i, r := range samples {
		v.Samples[i].Chosen = v.Sample.id == r.ID
	}
	runs, err := store.Runs(ctx, sessionstore.RunQuery{Bucket: g.Bucket, Namespace: g.Namespace, App: g.App, PMID: -1, Since: now.Add(-sparkSpan), Limit: runsShown})
	for _, run := range runs {
		v.Runs = append(v.Runs, p.runView(lang, run))
	}
	return v, err
}

func (p *Pages) moment(lang language, t time.Time) string {
	now := p.opts.Now()
	return date(t.In(now.Location())) + " (" + lang.T("ago", lang.Duration(now.Sub(t))) + ")"
}

// versionsOf counts by version, the most first.
func versionsOf(lang language, hours []sessionstore.HourCount) []versionCount {
	by := map[string]uint64{}
	for _, h := range hours {
		by[cmp.Or(h.Version, lang.T("exceptions.noversion"))] += h.Count
	}
	out := make([]versionCount, 0, len(by))
	for name, n := range by {
		out = append(out, versionCount{name, n})
	}
	slices.SortFunc(out, func(a, b versionCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Name, b.Name))
	})
	return out[:min(len(out), versionsShown)]
}

// stateMore says what a state is without.
func (p *Pages) stateMore(lang language, g sessionstore.Group) string {
	var parts []string
	switch {
	case g.State == sessionstore.StateResolved && g.ResolvedIn != "":
		parts = append(parts, lang.T("exceptions.in", g.ResolvedIn))
	case g.State == sessionstore.StateResolved && g.ResolvedNext:
		parts = append(parts, lang.T("exceptions.next"))
	case g.State == sessionstore.StateMuted && g.MutedCount > 0:
		parts = append(parts, lang.T("exceptions.untilcount", g.MutedCount))
	case g.State == sessionstore.StateMuted && !g.MutedUntil.IsZero():
		parts = append(parts, lang.T("silence.until", date(g.MutedUntil.In(p.opts.Now().Location())), lang.Duration(g.MutedUntil.Sub(p.opts.Now()))))
	}
	if g.ChangedBy != "" {
		parts = append(parts, lang.T("exceptions.by", g.ChangedBy))
	}
	return strings.Join(parts, ", ")
}

// sampleView is one exception of the group that was kept whole.
type sampleView struct {
	id                                          string
	When, Host, Process, Version, Node, Request string
	Mechanism, Message, Context                 string
	Occurrences                                 uint64
	Stack                                       string // as the runtime wrote it
	Frames                                      []frameLine
	Causes                                      []record.Cause
	Logs                                        []record.LogLine
	Truncated                                   bool
}

type frameLine struct {
	Function, Place, Link string
	InApp                 bool
	Source                []sourceLine
}

type sourceLine struct {
	Number int
	Text   string
	Here   bool
}

func (p *Pages) sampleView(lang language, r *record.Record) *sampleView {
	v := &sampleView{
		id: r.ID, When: date(r.Time().In(p.opts.Now().Location())), Host: r.Host, Version: r.Version, Node: r.Node,
		Occurrences: r.Count(), Logs: r.Logs, Truncated: r.Truncated,
	}
	if r.PMID >= 0 {
		v.Process = strconv.Itoa(r.PMID)
	}
	e := r.Exception
	if e == nil {
		return v
	}
	v.Stack, v.Causes, v.Request = e.Stack, e.Causes, strings.TrimSpace(e.Method+" "+e.Route)
	v.Message, v.Mechanism, v.Context = e.Name+": "+e.Message, lang.T("mechanism."+string(e.Mechanism)), indented(e.Context)
	if v.Stack == "" {
		v.Stack = v.Message
	}
	for _, f := range e.Frames {
		v.Frames = append(v.Frames, p.frameLine(r, f))
	}
	return v
}

func (p *Pages) frameLine(r *record.Record, f record.Frame) frameLine {
	l := frameLine{Function: f.Function, Place: f.File, InApp: f.InApp}
	if f.Line > 0 {
		l.Place = fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	if f.InApp {
		l.Link = sourceLink(p.opts.SourceURL, r, f)
	}
	if f.Text == "" {
		return l
	}
	for i, text := range f.Before {
		l.Source = append(l.Source, sourceLine{Number: f.Line - len(f.Before) + i, Text: text})
	}
	l.Source = append(l.Source, sourceLine{Number: f.Line, Text: f.Text, Here: true})
	for i, text := range f.After {
		l.Source = append(l.Source, sourceLine{Number: f.Line + 1 + i, Text: text})
	}
	return l
}

func indented(raw json.RawMessage) string {
	var out bytes.Buffer
	if len(raw) == 0 || json.Indent(&out, raw, "", "  ") != nil {
		return string(raw)
	}
	return out.String()
}

// runView is one life of a process.
type runView struct {
	Host, ID, Started, Lived, Version, Reason string
	Exceptions                                uint64
	Bad                                       bool
}

func (p *Pages) runView(lang language, r sessionstore.Run) runView {
	v := runView{Host: r.Host, Version: r.Version, Exceptions: r.Exceptions}
	if r.PMID >= 0 {
		v.ID = strconv.Itoa(r.PMID)
	}
	end := r.Ended
	if !r.Started.IsZero() {
		v.Started = date(r.Started.In(p.opts.Now().Location()))
		if end.IsZero() {
			end = p.opts.Now()
		}
		v.Lived = lang.Duration(end.Sub(r.Started))
	}
	if r.Reason != "" {
		v.Reason = lang.T("reason." + r.Reason)
	}
	v.Bad = unwanted(r.Reason)
	return v
}
