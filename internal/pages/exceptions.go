package pages

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// Exceptions knows exception groups, and changes them.
type Exceptions interface {
	Groups(ctx context.Context, q sessionstore.GroupQuery) ([]sessionstore.Group, error)
	Group(ctx context.Context, id string) (sessionstore.Group, error)
	GroupHours(ctx context.Context, id string, since time.Time) ([]sessionstore.HourCount, error)
	GroupSamples(ctx context.Context, id string, limit int) ([]*record.Record, error)
	Runs(ctx context.Context, q sessionstore.RunQuery) ([]sessionstore.Run, error)
	ChangeGroup(ctx context.Context, id string, c sessionstore.Change) (sessionstore.Group, error)
}

const (
	groupsShown   = 100
	runsShown     = 10
	samplesShown  = 20
	versionsShown = 10
	maxNote       = 2000
)

// exceptionRoutes adds the pages of exceptions. Looking is for whoever may read;
// changing goes through Options.Changing.
func (p *Pages) exceptionRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /exceptions", p.exceptionList)
	mux.HandleFunc("GET /exceptions/{id}", p.exceptionShow)
	mux.Handle("POST /exceptions/{id}", p.opts.Changing(http.HandlerFunc(p.exceptionChange)))
}

// groupList is the page of all groups.
type groupList struct {
	Bucket, Namespace, App, Text, State string
	States                              []choice
	Rows                                []groupRow
	Next                                string // link to the next page
}

type choice struct {
	Value, Text string
	Chosen      bool
}

// shownStates are what the filter offers: "" is those that want attention.
var shownStates = []string{"", "new", "ongoing", "regressed", "resolved", "muted", "all"}

func (p *Pages) exceptionList(w http.ResponseWriter, r *http.Request) {
	lang, q := chooseLanguage(w, r), r.URL.Query()
	v := groupList{Bucket: q.Get("bucket"), Namespace: q.Get("pm2_namespace"), App: q.Get("app"), Text: q.Get("q"), State: q.Get("state")}
	for _, s := range shownStates {
		text := lang.T("exceptions.open")
		if s != "" {
			text = lang.T("group." + s)
		}
		v.States = append(v.States, choice{s, text, s == v.State})
	}
	query := sessionstore.GroupQuery{Bucket: v.Bucket, Namespace: v.Namespace, App: v.App, Text: v.Text, Limit: groupsShown, States: statesOf(v.State)}
	if at, err := time.Parse(time.RFC3339Nano, q.Get("before")); err == nil {
		query.Before = &sessionstore.GroupCursor{LastSeen: at, ID: q.Get("id")}
	}
	groups, err := p.opts.Exceptions.Groups(r.Context(), query)
	if err != nil {
		p.storeFailed(w, r, err)
		return
	}
	for _, g := range groups {
		v.Rows = append(v.Rows, p.groupRow(lang, g))
	}
	if len(groups) == groupsShown {
		last := groups[len(groups)-1]
		q.Set("before", last.LastSeen.UTC().Format(time.RFC3339Nano))
		q.Set("id", last.ID)
		v.Next = "/exceptions?" + q.Encode()
	}
	p.show(w, r, http.StatusOK, "exceptions", v)
}

func statesOf(filter string) []sessionstore.State {
	switch filter {
	case "all":
		return nil
	case "":
		return []sessionstore.State{sessionstore.StateNew, sessionstore.StateOngoing, sessionstore.StateRegressed}
	}
	return []sessionstore.State{sessionstore.State(filter)}
}

func (p *Pages) exceptionShow(w http.ResponseWriter, r *http.Request) {
	lang := chooseLanguage(w, r)
	v, err := p.groupView(r.Context(), lang, r.PathValue("id"), r.URL.Query().Get("sample"))
	if err != nil {
		p.storeFailed(w, r, err)
		return
	}
	if r.URL.Query().Has("done") {
		v.Done = lang.T("exceptions.done", v.StateText)
	}
	if _, known := p.opts.Who(r.Context()); !known {
		v.Password = p.opts.OperatorFile
	}
	p.show(w, r, http.StatusOK, "exception", v)
}

// exceptionChange does what a form asks for, and leads back to the page, so that
// a reload does not do it again.
func (p *Pages) exceptionChange(w http.ResponseWriter, r *http.Request) {
	lang, id := chooseLanguage(w, r), r.PathValue("id")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.fail(w, r, http.StatusBadRequest, err.Error())
		return
	}
	change, problem := changeOf(lang, r.PostForm)
	if problem != "" {
		p.fail(w, r, http.StatusBadRequest, problem)
		return
	}
	change.By, _ = p.opts.Who(r.Context())
	if _, err := p.opts.Exceptions.ChangeGroup(r.Context(), id, change); err != nil {
		p.storeFailed(w, r, err)
		return
	}
	http.Redirect(w, r, "/exceptions/"+url.PathEscape(id)+"?done=1", http.StatusSeeOther)
}

// changeOf reads a form.
func changeOf(lang language, form url.Values) (c sessionstore.Change, problem string) {
	switch form.Get("action") {
	case "resolve":
		c.To = sessionstore.StateResolved
		switch form.Get("how") {
		case "next":
			c.InNextDeploy = true
		case "version":
			if c.InVersion = strings.TrimSpace(form.Get("version")); c.InVersion == "" || len(c.InVersion) > record.MaxName {
				return c, lang.T("exceptions.bad.version")
			}
		}
	case "mute":
		c.To = sessionstore.StateMuted
		if count := strings.TrimSpace(form.Get("count")); count != "" {
			n, err := strconv.ParseUint(count, 10, 32)
			if err != nil || n == 0 {
				return c, lang.T("exceptions.bad.count", count)
			}
			c.Count = n
			return c, ""
		}
		if length := strings.TrimSpace(form.Get("for")); length != "" {
			d, err := model.ParseDuration(length)
			if err != nil || d <= 0 || time.Duration(d) > maxSilence {
				return c, lang.T("silence.bad.duration", length)
			}
			c.For = time.Duration(d)
		}
	case "reopen":
		c.To = sessionstore.StateOngoing
	case "note":
		owner, note := strings.TrimSpace(form.Get("owner")), strings.TrimSpace(form.Get("note"))
		if len(owner) > record.MaxName || len(note) > maxNote || strings.ContainsRune(note+owner, 0) {
			return c, lang.T("exceptions.bad.note", maxNote)
		}
		c.Owner, c.Note = &owner, &note
	default:
		return c, lang.T("exceptions.bad.action")
	}
	return c, ""
}

func (p *Pages) storeFailed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, sessionstore.ErrNotFound) {
		p.fail(w, r, http.StatusNotFound, chooseLanguage(w, r).T("exceptions.gone", r.PathValue("id")))
		return
	}
	p.opts.Logger.Error("Asking the store failed", "path", r.URL.Path, "err", err)
	p.fail(w, r, http.StatusInternalServerError, chooseLanguage(w, r).T("exceptions.failed"))
}
