package pages

import (
	"bytes"
	"html/template"
	"net/http"

	"github.com/yuin/goldmark"

	"github.com/pm25/pm25/docs/runbooks"
)

// runbookView is a runbook, or the list of all.
type runbookView struct {
	Title string
	Text  template.HTML
	Books []bookView
}

// bookView is a line of the list.
type bookView struct{ Name, Summary string }

func (p *Pages) runbookList(w http.ResponseWriter, r *http.Request) {
	lang := chooseLanguage(w, r)
	v := runbookView{Title: lang.T("nav.runbooks")}
	for _, name := range runbooks.Names() {
		v.Books = append(v.Books, bookView{name, runbooks.Summary(name, lang.Code)})
	}
	p.show(w, r, http.StatusOK, "runbook", v)
}

func (p *Pages) runbook(w http.ResponseWriter, r *http.Request) {
	lang := chooseLanguage(w, r)
	text, ok := runbooks.Text(r.PathValue("name"), lang.Code)
	if !ok {
		p.fail(w, r, http.StatusNotFound, lang.T("error.none", r.URL.Path))
		return
	}
	var out bytes.Buffer
	if err := goldmark.Convert(text, &out); err != nil {
		p.fail(w, r, http.StatusInternalServerError, err.Error())
		return
	}
	p.show(w, r, http.StatusOK, "runbook", runbookView{Title: r.PathValue("name"), Text: template.HTML(out.String())}) // the Markdown is ours
}
