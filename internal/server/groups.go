package server

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

const (
	// hoursOfGroup is how far back the counts of a group go.
	hoursOfGroup = 14 * 24 * time.Hour
	samplesShown = 5
	runsShown    = 20
)

func (s *Server) listGroups(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query(), now: s.opts.Now()}
	q := sessionstore.GroupQuery{
		Bucket: p.text("bucket"), Namespace: p.text("pm2_namespace"), App: p.text("app"), States: p.states("state"), Text: p.text("q"),
		Since: p.since("since", 0), Limit: p.number("limit", defaultLimit, 1, maxLimit), Before: p.cursor("after"),
	}
	if p.err != nil {
		refuse(w, http.StatusBadRequest, p.err.Error())
		return
	}
	groups, err := s.opts.Store.Groups(r.Context(), q)
	if err != nil {
		s.fail(w, r, "listing the exception groups", err)
		return
	}
	out := api.Groups{Groups: make([]api.Group, len(groups))}
	for i, g := range groups {
		out.Groups[i] = groupView(g)
	}
	if len(groups) == q.Limit {
		out.Next = cursorText(groups[len(groups)-1])
	}
	answer(w, out)
}

func (s *Server) showGroup(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query(), now: s.opts.Now()}
	since := p.since("since", hoursOfGroup)
	samples, runs := p.number("samples", samplesShown, 0, 50), p.number("runs", runsShown, 0, 200)
	if p.err != nil {
		refuse(w, http.StatusBadRequest, p.err.Error())
		return
	}
	d, err := s.groupDetails(r, r.PathValue("id"), since, samples, runs)
	if err != nil {
		s.fail(w, r, "exception group "+clip(r.PathValue("id")), err)
		return
	}
	answer(w, d)
}

func (s *Server) groupDetails(r *http.Request, id string, since time.Time, samples, runs int) (d api.GroupDetails, err error) {
	ctx, store := r.Context(), s.opts.Store
	g, err := store.Group(ctx, id)
	if err != nil {
		return d, err
	}
	hours, err := store.GroupHours(ctx, id, since)
	if err != nil {
		return d, err
	}
	d = api.GroupDetails{Group: groupView(g), Hours: make([]api.Hour, len(hours)), Samples: []*record.Record{}, Runs: []api.Run{}}
	for i, h := range hours {
		d.Hours[i] = api.Hour{Hour: h.Hour.UTC(), Version: h.Version, Count: h.Count}
	}
	if samples > 0 {
		if d.Samples, err = store.GroupSamples(ctx, id, samples); err != nil {
			return d, err
		}
	}
	if runs > 0 {
		found, err := store.Runs(ctx, sessionstore.RunQuery{Bucket: g.Bucket, Namespace: g.Namespace, App: g.App, PMID: -1, Since: since, Limit: runs})
		if err != nil {
			return d, err
		}
		for _, run := range found {
			d.Runs = append(d.Runs, runView(run))
		}
	}
	return d, nil
}

func (s *Server) changeGroup(w http.ResponseWriter, r *http.Request) {
	var asked api.Change
	if !read(w, r, &asked) {
		return
	}
	who, _ := s.opts.Who(r.Context())
	change, err := changeOf(asked, who)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	g, err := s.opts.Store.ChangeGroup(r.Context(), r.PathValue("id"), change)
	if err != nil {
		s.fail(w, r, "exception group "+clip(r.PathValue("id")), err)
		return
	}
	answer(w, groupView(g))
}

// changeOf checks what is asked for. A name of the credentials goes before one
// that is only said.
func changeOf(asked api.Change, who string) (sessionstore.Change, error) {
	c := sessionstore.Change{
		To: sessionstore.State(asked.State), By: asked.By, Owner: asked.Owner, Note: asked.Note,
		InVersion: asked.InVersion, InNextDeploy: asked.InNextDeploy, Count: asked.Count,
	}
	if c.By == "" || who != "" && who != "operator" {
		c.By = who
	}
	texts := map[string]string{"by": c.By, "in_version": c.InVersion}
	if c.Owner != nil {
		texts["owner"] = *c.Owner
	}
	for name, text := range texts {
		if len(text) > record.MaxName || strings.ContainsFunc(text, isControl) {
			return c, fmt.Errorf("%s: it is longer than %d bytes, or has control characters in it", name, record.MaxName)
		}
	}
	if c.Note != nil && (len(*c.Note) > record.MaxMessage || strings.ContainsRune(*c.Note, 0)) {
		return c, fmt.Errorf("note: it is longer than %d bytes, or has NUL in it", record.MaxMessage)
	}
	var err error
	if c.For, err = duration(asked.For); err != nil {
		return c, fmt.Errorf("for: %w", err)
	}
	return c, checkState(c)
}

func checkState(c sessionstore.Change) error {
	switch c.To {
	case "", sessionstore.StateOngoing, sessionstore.StateResolved, sessionstore.StateMuted:
	default:
		return fmt.Errorf("state: it has to be resolved, muted or ongoing (which reopens)")
	}
	switch {
	case (c.InVersion != "" || c.InNextDeploy) && c.To != sessionstore.StateResolved:
		return fmt.Errorf("in_version and in_next_deploy are for state resolved")
	case c.InVersion != "" && c.InNextDeploy:
		return fmt.Errorf("in_version and in_next_deploy exclude each other")
	case (c.For != 0 || c.Count != 0) && c.To != sessionstore.StateMuted:
		return fmt.Errorf("for and count are for state muted")
	case c.Count > 1<<53:
		return fmt.Errorf("count: it is more than 2^53")
	case c.To == "" && c.Owner == nil && c.Note == nil:
		return fmt.Errorf("nothing to change: give state, owner or note")
	}
	return nil
}
