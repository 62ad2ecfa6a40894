// Package pages is what people read: the live page of all processes, the page
// that silences an alert, the result of an expression, the list of alerts, the
// runbooks, and the groups of exceptions.
//
// Pages are made on the server, in English and Chinese, and need no script; with
// one the live page refreshes in place. What they show is asked of Prometheus,
// so that they say what the alert rules see. A question that fails is told on
// the page. Authentication and the protection from other sites' forms are around
// this package, not in it.
package pages

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/pm25/pm25/internal/alertmanager"
	"github.com/pm25/pm25/rules"
)

//go:embed templates
var templates embed.FS

//go:embed static
var static embed.FS

// policy lets pages load what this server has, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Metrics answers PromQL.
type Metrics interface {
	Query(ctx context.Context, expr string, at time.Time) (parser.Value, error)
	QueryRange(ctx context.Context, expr string, start, end time.Time, step time.Duration) (parser.Value, error)
}

// Alerts knows whom alerts were told to, and silences.
type Alerts interface {
	Alerts(ctx context.Context) ([]alertmanager.Alert, error)
	Silences(ctx context.Context) ([]alertmanager.Silence, error)
	AddSilence(ctx context.Context, s alertmanager.Silence) (id string, err error)
	ExpireSilence(ctx context.Context, id string) error
}

// Notice is something that every page has to say: a message of the catalog and
// what it is about.
type Notice struct {
	Message string // key of a message
	Args    []any
	Warning bool   // something to know of, not a failure
	Page    string // the only one that says it; empty: all
}

// Options of Pages.
type Options struct {
	Metrics Metrics
	Alerts  Alerts
	Notices func() []Notice
	Job     string // scrape job of the agents
	// Exceptions has the exception groups; without Metrics and Alerts there are pages
	// of them and of runbooks only. Changing keeps a handler to those who may change
	// something, Who names them. OperatorFile is where the password is that is asked
	// of those who have no name yet.
	Exceptions Exceptions
	Changing   func(http.Handler) http.Handler
	Who        func(context.Context) (name string, ok bool)

	OperatorFile string
	SourceURL    string // template of links to lines of source; empty: none
	Version      string
	Logger       *slog.Logger
	Now          func() time.Time
}

// Pages serves them.
type Pages struct {
	opts      Options
	templates *template.Template
	summaries rules.Summaries
	handler   http.Handler

	mu     sync.Mutex
	last   snapshot
	taken  time.Time // when last was ready
	memory memory
}

// New prepares the pages.
func New(o Options) (*Pages, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	t, err := template.New("").Funcs(template.FuncMap{"static": staticLink, "pair": pair}).ParseFS(templates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	summaries, err := rules.NewSummaries(rules.Alerts(rules.Default()))
	if err != nil {
		return nil, err
	}
	p := &Pages{opts: o, templates: t, summaries: summaries, memory: newMemory()}
	mux := http.NewServeMux()
	if o.Exceptions != nil {
		p.exceptionRoutes(mux)
	}
	if o.Metrics != nil {
		p.metricRoutes(mux)
		p.aliasRoutes(mux)
	} else {
		p.elsewhereRoutes(mux)
		mux.Handle("GET /{$}", http.RedirectHandler("/exceptions", http.StatusFound))
	}
	mux.HandleFunc("GET /runbooks/{$}", p.runbookList)
	mux.HandleFunc("GET /runbooks/{name}", p.runbook)
	mux.HandleFunc("GET /static/{name}", serveStatic)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		p.fail(w, r, http.StatusNotFound, chooseLanguage(w, r).T("error.none", r.URL.Path))
	})
	p.handler = mux
	return p, nil
}

func (o Options) validate() error {
	switch {
	case o.Notices == nil || o.Logger == nil || o.Now == nil:
	case o.Metrics == nil && o.Exceptions == nil, o.Metrics != nil && (o.Alerts == nil || o.Job == ""):
	case o.Exceptions != nil && (o.Changing == nil || o.Who == nil):
	default:
		return CheckSourceURL(o.SourceURL)
	}
	return errors.New("pages: an option is missing")
}

func (p *Pages) metricRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.live)
	mux.HandleFunc("GET /silence", p.silenceForm)
	mux.HandleFunc("POST /silence", p.silenceCreate)
	mux.HandleFunc("POST /silence/expire", p.silenceExpire)
	mux.HandleFunc("GET /graph", p.graph)
	mux.HandleFunc("GET /alertmanager/{$}", p.alertList)
	mux.HandleFunc("GET /alertmanager", p.alertList)
}

// Handler serves all pages from the root.
func (p *Pages) Handler() http.Handler { return p.handler }

// staticLink names a file by its content, so that browsers may keep it and
// still take a new one after an upgrade.
func staticLink(name string) (string, error) {
	data, err := static.ReadFile("static/" + name)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return "/static/" + name + "?v=" + hex.EncodeToString(sum[:6]), nil
}

func serveStatic(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Has("v") {
		h.Set("Cache-Control", "max-age=31536000, immutable")
	}
	// Drawings are documents, too: one that is opened by itself runs nothing.
	h.Set("Content-Security-Policy", policy)
	http.ServeFileFS(w, r, static, "static/"+r.PathValue("name"))
}

// frame is around every page.
type frame struct {
	language
	Version string
	Page    string // which one, for the navigation
	// Which pages there are.
	Metrics, Exceptions bool
	Other               string // this page in the other language
	Notices             []noticeView
	Body                any
}

type noticeView struct {
	Text    string
	Warning bool
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, code int, page string, body any, more ...Notice) {
	lang := chooseLanguage(w, r)
	f := frame{language: lang, Version: p.opts.Version, Page: page, Other: lang.switchLink(r), Body: body, Metrics: p.opts.Metrics != nil, Exceptions: p.opts.Exceptions != nil}
	for _, n := range append(p.opts.Notices(), more...) {
		if n.Page != "" && n.Page != page {
			continue
		}
		f.Notices = append(f.Notices, noticeView{lang.T(n.Message, n.Args...), n.Warning})
	}
	var out bytes.Buffer
	if err := p.templates.ExecuteTemplate(&out, page+".html", f); err != nil {
		p.opts.Logger.Error("Making a page failed", "page", page, "err", err)
		http.Error(w, "making this page failed; the log says why", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Language", lang.Code)
	w.WriteHeader(code)
	_, _ = w.Write(out.Bytes()) // the reader may be gone
}

// inLanguage is a part of a page with the language to say it in.
type inLanguage struct {
	language
	It any
}

func pair(f frame, it any) inLanguage { return inLanguage{f.language, it} }

// failure is the body of a page that says what is wrong with a request.
type failure struct{ Text string }

func (p *Pages) fail(w http.ResponseWriter, r *http.Request, code int, text string) {
	p.show(w, r, code, "error", failure{text})
}
