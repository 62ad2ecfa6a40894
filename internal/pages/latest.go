package pages

import (
	"context"
	"slices"
	"time"

	"github.com/pm25/pm25/sessionstore"
)

const (
	latestSpan   = 24 * time.Hour
	latestGroups = 5
	latestExits  = 10
	latestRuns   = 500 // that are looked at
)

// latest is what the live page has of exceptions and ends.
type latest struct {
	Groups []groupRow
	Exits  []exitRow
	Failed bool
}

// exitRow is an end that nobody wanted.
type exitRow struct{ App, Host, ID, Reason, Code, Seen, Version string }

// unwanted tells of a reason that is nobody's doing.
func unwanted(reason string) bool {
	switch reason {
	case "crash", "signal", "oom_kill", "memory_limit", "errored":
		return true
	}
	return false
}

// latest is what was thrown and what ended in the last day, nil where nothing did.
func (p *Pages) latest(ctx context.Context, lang language) *latest {
	if p.opts.Exceptions == nil {
		return nil
	}
	since := p.opts.Now().Add(-latestSpan)
	groups, err := p.opts.Exceptions.Groups(ctx, sessionstore.GroupQuery{States: statesOf(""), Since: since, Limit: latestGroups})
	if err != nil {
		p.opts.Logger.Error("Asking the store failed", "for", "groups", "err", err)
		return &latest{Failed: true}
	}
	l := &latest{}
	for _, g := range groups {
		l.Groups = append(l.Groups, p.groupRow(lang, g))
	}
	runs, err := p.opts.Exceptions.Runs(ctx, sessionstore.RunQuery{PMID: -1, Since: since, Limit: latestRuns})
	if err != nil {
		p.opts.Logger.Error("Asking the store failed", "for", "runs", "err", err)
		return &latest{Failed: true}
	}
	runs = slices.DeleteFunc(runs, func(r sessionstore.Run) bool { return r.Ended.IsZero() || !unwanted(r.Reason) })
	slices.SortFunc(runs, func(a, b sessionstore.Run) int { return b.Ended.Compare(a.Ended) })
	for _, r := range runs[:min(len(runs), latestExits)] {
		l.Exits = append(l.Exits, p.exitRow(lang, r))
	}
	if len(l.Groups)+len(l.Exits) == 0 {
		return nil
	}
	return l
}

func (p *Pages) exitRow(lang language, r sessionstore.Run) exitRow {
	row := exitRow{
		App: r.App, Host: r.Host, Version: r.Version, Reason: lang.T("reason." + r.Reason), Code: r.Signal,
		Seen: lang.T("ago", lang.Duration(p.opts.Now().Sub(r.Ended))), ID: p.runView(lang, r).ID,
	}
	if row.Code == "" && r.Code > 0 {
		row.Code = lang.T("exits.code", r.Code)
	}
	return row
}
