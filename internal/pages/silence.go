package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/alertmanager"
)

const (
	maxSilence  = 366 * 24 * time.Hour
	maxForm     = 64 << 10
	maxSilences = 200 // that are listed
	maxMatchers = 50
)

var durations = []string{"30m", "2h", "8h", "1d", "1w"}

// silenceView is the page of silences.
type silenceView struct {
	Matchers   []string
	Conditions string // the matchers in one line, to change them
	Would      []alertView
	WouldText  string
	Duration   string // one of Durations
	Other      string // or another
	Durations  []string
	Author     string
	Comment    string
	Problem    string
	Done       string // what was just done
	Undo       string // id of the silence that was just made
	Active     []silenceLine
	More       int
}

type silenceLine struct{ ID, Matchers, By, When, Comment string }

// silenceForm shows what would be silenced, and what is. It changes nothing.
func (p *Pages) silenceForm(w http.ResponseWriter, r *http.Request) {
	lang := chooseLanguage(w, r)
	q := r.URL.Query()
	v := silenceView{Author: q.Get("author"), Comment: q.Get("comment")}
	v.setDuration(q.Get("duration"))
	if user, _, ok := r.BasicAuth(); ok && v.Author == "" {
		v.Author = user
	}
	code := http.StatusOK
	switch {
	case q.Has("made"):
		p.madeSilence(r, lang, &v, q.Get("made"))
	case q.Has("ended"):
		v.Done = lang.T("silence.expired")
	case q.Has("matcher"):
		if _, ok := p.preview(r, lang, &v, q["matcher"]); !ok {
			code = http.StatusBadRequest
		}
	}
	p.showSilences(w, r, code, v)
}

func (v *silenceView) setDuration(d string) {
	switch {
	case d == "":
		v.Duration = "2h"
	case slices.Contains(durations, d):
		v.Duration = d
	default:
		v.Other = d
	}
}

// preview reads matchers and finds what they match now.
func (p *Pages) preview(r *http.Request, lang language, v *silenceView, given []string) ([]alertmanager.Matcher, bool) {
	v.Conditions = strings.Join(given, ", ")
	matchers, problem := parseMatchers(lang, given)
	if problem != "" {
		v.Problem = problem
		return nil, false
	}
	v.Matchers = matcherTexts(matchers)
	v.Conditions = strings.Join(v.Matchers, ", ")
	told, err := p.opts.Alerts.Alerts(r.Context())
	if err != nil {
		v.WouldText = lang.T("silence.would.bad", err.Error())
		return matchers, true
	}
	var would []firing
	for i, a := range told {
		if covers(matchers, a.Labels) {
			would = append(would, firing{Labels: a.Labels, Since: a.StartsAt, Told: &told[i]})
		}
	}
	all := p.viewsOfAlerts(lang, would, p.opts.Now())
	v.Would = all[:min(len(all), maxAlerts)]
	v.WouldText = lang.T("silence.would", len(all))
	if len(all) == 0 {
		v.WouldText = lang.T("silence.would.none")
	}
	return matchers, true
}

// silenceCreate makes a silence and leads to the page that shows it, so that a
// reload makes no second one.
func (p *Pages) silenceCreate(w http.ResponseWriter, r *http.Request) {
	lang := chooseLanguage(w, r)
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.fail(w, r, http.StatusBadRequest, err.Error())
		return
	}
	v := silenceView{Author: strings.TrimSpace(r.PostForm.Get("author")), Comment: strings.TrimSpace(r.PostForm.Get("comment"))}
	wanted := strings.TrimSpace(r.PostForm.Get("other"))
	if wanted == "" {
		wanted = strings.TrimSpace(r.PostForm.Get("duration"))
	}
	v.setDuration(wanted)
	matchers, ok := p.preview(r, lang, &v, r.PostForm["matcher"])
	length, err := model.ParseDuration(wanted)
	switch {
	case !ok:
	case err != nil || length <= 0 || time.Duration(length) > maxSilence:
		v.Problem = lang.T("silence.bad.duration", wanted)
	case v.Author == "" || v.Comment == "":
		v.Problem = lang.T("silence.bad.author")
	}
	if v.Problem != "" {
		p.showSilences(w, r, http.StatusBadRequest, v)
		return
	}
	now := p.opts.Now()
	id, err := p.opts.Alerts.AddSilence(r.Context(), alertmanager.Silence{
		Matchers: matchers, StartsAt: now, EndsAt: now.Add(time.Duration(length)), CreatedBy: v.Author, Comment: v.Comment,
	})
	if err != nil {
		v.Problem = err.Error()
		p.showSilences(w, r, http.StatusBadRequest, v)
		return
	}
	p.refresh()
	http.Redirect(w, r, "/silence?"+url.Values{"made": {id}}.Encode(), http.StatusSeeOther)
}

func (p *Pages) silenceExpire(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := p.opts.Alerts.ExpireSilence(r.Context(), r.PostFormValue("id")); err != nil {
		p.fail(w, r, http.StatusBadRequest, err.Error())
		return
	}
	p.refresh()
	http.Redirect(w, r, "/silence?ended=1", http.StatusSeeOther)
}

// madeSilence tells of a silence that was just made.
func (p *Pages) madeSilence(r *http.Request, lang language, v *silenceView, id string) {
	all, err := p.opts.Alerts.Silences(r.Context())
	if err != nil {
		return // the list says so
	}
	v.Done = lang.T("silence.ended")
	for _, s := range all {
		if s.ID == id && s.State != alertmanager.SilenceExpired {
			v.Done, v.Undo = lang.T("silence.created", p.lineOf(lang, s).When), id
		}
	}
}

func (p *Pages) showSilences(w http.ResponseWriter, r *http.Request, code int, v silenceView) {
	lang := chooseLanguage(w, r)
	var err error
	if v.Active, v.More, err = p.silences(r, lang); err != nil {
		p.fail(w, r, http.StatusInternalServerError, err.Error())
		return
	}
	v.Durations = durations
	p.show(w, r, code, "silence", v)
}

// silences lists those in effect and those to come.
func (p *Pages) silences(r *http.Request, lang language) (lines []silenceLine, more int, err error) {
	all, err := p.opts.Alerts.Silences(r.Context())
	for _, s := range all {
		switch {
		case s.State == alertmanager.SilenceExpired:
		case len(lines) == maxSilences:
			more++
		default:
			lines = append(lines, p.lineOf(lang, s))
		}
	}
	return lines, more, err
}

func (p *Pages) lineOf(lang language, s alertmanager.Silence) silenceLine {
	now := p.opts.Now()
	line := silenceLine{
		ID: s.ID, Matchers: strings.Join(matcherTexts(s.Matchers), ", "), By: s.CreatedBy, Comment: s.Comment,
		When: lang.T("silence.until", date(s.EndsAt.In(now.Location())), lang.Duration(s.EndsAt.Sub(now))),
	}
	if s.State == alertmanager.SilencePending {
		line.When = lang.T("silence.from", date(s.StartsAt.In(now.Location()))) + ", " + line.When
	}
	return line
}
