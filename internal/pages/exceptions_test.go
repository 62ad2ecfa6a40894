package pages

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
	"github.com/pm25/pm25/sessionstore/sqlite"
)

// newExceptionPages has a store with one group, and returns its id.
func newExceptionPages(t *testing.T, change func(*record.Record)) (p *Pages, id string) {
	t.Helper()
	now := time.Now
	store, err := sqlite.Open(sqlite.Options{Path: filepath.Join(t.TempDir(), "records.db"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	r := &record.Record{
		V: record.Version, ID: record.NewID(now()), At: now().UnixNano(), Kind: record.Exception, Host: "web-1", Daemon: "shop", Namespace: "default",
		App: "api", PMID: 0, Version: "1.2.3", Revision: "abc123", Level: record.LevelError, Source: record.FromPM2, Occurrences: 7,
		Exception: &record.ExceptionInfo{
			Fingerprint: strings.Repeat("ab", 32), Algo: 1, Title: "TypeError: x 不是函数", Culprit: "handler (routes/users.js)", Name: "TypeError",
			Message: "x 不是函数", Stack: "TypeError: x 不是函数\n    at handler (routes/users.js:10:3)", Mechanism: record.Uncaught, Method: "GET", Route: "/users/:id",
			Context: []byte(`{"order":42}`),
			Causes:  []record.Cause{{Name: "Error", Message: "the cause"}},
			Frames: []record.Frame{
				{Function: "handler", File: "routes/users.js", Line: 10, InApp: true, Before: []string{"function handler() {"}, Text: "  x()", After: []string{"}"}},
				{Function: "next", File: "node_modules/express/index.js", Line: 5},
			},
		},
		Logs: []record.LogLine{{Stream: "err", Text: "最后一行"}},
	}
	if change != nil {
		change(r)
	}
	if refusal := r.Check(now()); refusal != nil {
		t.Fatal(refusal.Error)
	}
	if _, _, err := store.Push(context.Background(), "shop", record.Agent{Host: "web-1"}, []*record.Record{r}); err != nil {
		t.Fatal(err)
	}
	groups, err := store.Groups(context.Background(), sessionstore.GroupQuery{Limit: 10})
	if err != nil || len(groups) != 1 {
		t.Fatalf("%v, %v", groups, err)
	}
	p, err = New(Options{
		Exceptions: store, Changing: func(h http.Handler) http.Handler { return h }, Who: func(context.Context) (string, bool) { return "ops", true },
		SourceURL: "https://git.example.com/{app}/blob/{revision}/{file}#L{line}", Notices: func() []Notice { return nil },
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, groups[0].ID
}

func TestExceptionPages(t *testing.T) {
	p, id := newExceptionPages(t, nil)
	for address, want := range map[string][]string{
		"/exceptions":                {"TypeError: x 不是函数", "/exceptions/" + id, "new", "1.2.3", "web-1"},
		"/exceptions?lang=zh":        {"新出现", "异常"},
		"/exceptions?state=resolved": {"No exceptions here."},
		"/exceptions?app=api&bucket=shop&pm2_namespace=default": {"/exceptions/" + id, `name="pm2_namespace" value="default"`, `name="bucket" value="shop"`},
		"/exceptions?app=api&pm2_namespace=other":               {"No exceptions here."},
		"/exceptions?app=api&bucket=other":                      {"No exceptions here."},
		"/exceptions?app=" + url.QueryEscape("' OR 1"):          {"No exceptions here."},
		"/exceptions/" + id: {
			"x 不是函数", "<b>handler</b>", `href="https://git.example.com/api/blob/abc123/routes/users.js#L10"`, "function handler() {", `class="here"`,
			"uncaught", "stands for 7", "&#34;order&#34;: 42", "最后一行", "GET /users/:id", "the cause", "7 times in the last week", "<rect ", "node_modules/express/index.js:5",
		},
		"/exceptions/" + id + "?lang=zh": {"标记为已解决", "静音", "负责人", "未捕获", "上下文"},
	} {
		w := get(t, p, address)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", address, w.Code)
		}
		for _, text := range want {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s does not hold %q", address, text)
			}
		}
		if page := w.Body.String(); strings.Contains(page, " style=") || strings.Contains(page, "<script") || strings.Contains(page, "blob/abc123/node_modules") {
			t.Errorf("%s holds what it must not", address)
		}
	}
	for address, want := range map[string]int{"/exceptions/none": 404, "/exceptions/..%2f..": 404, "/silence": 404, "/": 302} {
		if w := get(t, p, address); w.Code != want {
			t.Errorf("%s: %d, want %d", address, w.Code, want)
		}
	}
}

// TestExceptionForms: each does what it says, by whom it was, and leads back.
func TestExceptionForms(t *testing.T) {
	p, id := newExceptionPages(t, nil)
	for _, c := range []struct {
		form url.Values
		code int
		want string // on the page afterwards
	}{
		{url.Values{"action": {"note"}, "owner": {"团队"}, "note": {"看看 <b>"}}, 303, "看看 &lt;b&gt;"},
		{url.Values{"action": {"mute"}, "for": {"1d"}}, 303, "muted"},
		{url.Values{"action": {"mute"}, "count": {"100"}}, 303, "until 100 more"},
		{url.Values{"action": {"mute"}, "count": {"-1"}}, 400, "until 100 more"},
		{url.Values{"action": {"reopen"}}, 303, "ongoing"},
		{url.Values{"action": {"resolve"}, "how": {"version"}, "version": {"1.2.4"}}, 303, "in version 1.2.4, by ops"},
		{url.Values{"action": {"reopen"}}, 303, "ongoing"},
		{url.Values{"action": {"resolve"}, "how": {"next"}}, 303, "in the next deploy"},
		{url.Values{"action": {"resolve"}, "how": {"version"}, "version": {" "}}, 400, "next deploy"},
		{url.Values{"action": {"mute"}, "for": {"soon"}}, 400, "resolved"},
		{url.Values{"action": {"drop"}}, 400, "resolved"},
		{url.Values{}, 400, "团队"},
	} {
		w := post(t, p, "/exceptions/"+id, c.form)
		if w.Code != c.code || c.code == 303 && w.Header().Get("Location") != "/exceptions/"+id+"?done=1" {
			t.Errorf("%v: %d to %s", c.form, w.Code, w.Header().Get("Location"))
		}
		if page := get(t, p, "/exceptions/"+id).Body.String(); !strings.Contains(page, c.want) {
			t.Errorf("%v: the page does not hold %q", c.form, c.want)
		}
	}
	if w := post(t, p, "/exceptions/none", url.Values{"action": {"reopen"}}); w.Code != http.StatusNotFound {
		t.Errorf("a group that is none: %d", w.Code)
	}
}

// TestExceptionRegressed: the page says in which version a group is back, and of
// one that is resolved, when it would be.
func TestExceptionRegressed(t *testing.T) {
	p, id := newExceptionPages(t, nil)
	post(t, p, "/exceptions/"+id, url.Values{"action": {"resolve"}, "how": {"now"}})
	if page := get(t, p, "/exceptions/"+id).Body.String(); !strings.Contains(page, "when a newer version shows it") {
		t.Error("the page does not say when a resolved group is back")
	}
	store, ok := p.opts.Exceptions.(*sqlite.Store)
	if !ok {
		t.Fatal("another store")
	}
	samples, err := store.GroupSamples(t.Context(), id, 1)
	if err != nil || len(samples) != 1 {
		t.Fatalf("%v, %v", samples, err)
	}
	again := *samples[0]
	again.ID, again.At, again.Version = record.NewID(time.Now()), time.Now().UnixNano(), "1.2.4"
	if _, _, err := store.Push(t.Context(), "shop", record.Agent{Host: "web-1"}, []*record.Record{&again}); err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string]string{"en": "again in version 1.2.4, after it was resolved", "zh": "解决后又出现于版本 1.2.4"} {
		if page := get(t, p, "/exceptions/"+id+"?lang="+lang).Body.String(); !strings.Contains(page, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
}

// TestExceptionPassword: who will be asked for a password is told where it is,
// who has given one is not.
func TestExceptionPassword(t *testing.T) {
	p, id := newExceptionPages(t, nil)
	const file = "/var/lib/pm25/operator.token"
	p.opts.OperatorFile = file
	if page := get(t, p, "/exceptions/"+id).Body.String(); strings.Contains(page, file) {
		t.Error("ops is told of a password that nobody asks for")
	}
	p.opts.Who = func(context.Context) (string, bool) { return "", false }
	if page := get(t, p, "/exceptions/"+id).Body.String(); !strings.Contains(page, "the token in "+file+" on the server") {
		t.Error("the page does not say where the password is")
	}
}

// TestExceptionFormsAreGuarded: whoever may not change something does not get to.
func TestExceptionFormsAreGuarded(t *testing.T) {
	p, id := newExceptionPages(t, nil)
	o := p.opts
	o.Changing = func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if w := post(t, p, "/exceptions/"+id, url.Values{"action": {"resolve"}}); w.Code != http.StatusUnauthorized {
		t.Errorf("%d", w.Code)
	}
	if w := get(t, p, "/exceptions/"+id); !strings.Contains(w.Body.String(), `<span class="pill">`) && !strings.Contains(w.Body.String(), "new") {
		t.Error("it was changed")
	}
}

// TestHostileExceptions: what apps throw stays text, in each place.
func TestHostileExceptions(t *testing.T) {
	evil := `"><script>alert(1)</script>`
	p, id := newExceptionPages(t, func(r *record.Record) {
		r.App, r.Version, r.Revision, r.Host = evil, evil, evil, evil
		e := r.Exception
		e.Title, e.Culprit, e.Message, e.Stack, e.Route = evil, evil, evil, evil, evil
		e.Frames[0].Function, e.Frames[0].File, e.Frames[0].Text = evil, "../../"+evil, evil
		e.Causes[0].Message = evil
		r.Logs[0].Text = evil
	})
	for _, address := range []string{"/exceptions", "/exceptions/" + id, "/exceptions?app=" + url.QueryEscape(evil) + "&q=" + url.QueryEscape(evil)} {
		w := get(t, p, address)
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%s: %d, or it holds a script", address, w.Code)
		}
	}
}

func TestSourceLink(t *testing.T) {
	r := &record.Record{App: "a/b", Revision: "abc"}
	for _, c := range []struct{ template, file, want string }{
		{"https://h/{app}/{revision}/{file}#L{line}", "src/x y.js", "https://h/a%2Fb/abc/src/x%20y.js#L3"},
		{"https://h/{revision}/{file}", "../../etc/passwd", "https://h/abc/etc/passwd"},
		{"https://h/{version}/{file}", "x.js", ""},
		{"https://h/{file}", "https://evil.example/x.js", ""},
		{"https://h/{file}", `x"onclick=.js`, "https://h/x%22onclick=.js"},
		{"https://h/{file}", "{line}", "https://h/%7Bline%7D"},
		{"", "x.js", ""},
	} {
		if got := sourceLink(c.template, r, record.Frame{File: c.file, Line: 3}); got != c.want {
			t.Errorf("%s of %s is %s, want %s", c.template, c.file, got, c.want)
		}
	}
	for template, ok := range map[string]bool{"": true, "https://h/{app}/{file}#L{line}": true, "javascript:{file}": false, "https://h/{nothing}/{file}": false, "https://h/": false, "{file}": false} {
		if err := CheckSourceURL(template); (err == nil) != ok {
			t.Errorf("%q: %v", template, err)
		}
	}
}

func TestSpark(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 30, 0, 0, time.UTC)
	hour := func(ago time.Duration, n uint64) sessionstore.HourCount {
		return sessionstore.HourCount{Hour: now.Truncate(time.Hour).Add(-ago), Count: n}
	}
	s := newSpark([]sessionstore.HourCount{hour(0, 10), hour(24*time.Hour, 1), hour(25*time.Hour, 1000), hour(8*24*time.Hour, 5)}, now)
	if s == nil || s.Total != 1011 || s.Most != 1000 || len(s.Bars) != 3 || s.Bars[2].Height != 2 || s.Bars[2].X+sparkBar > s.Width {
		t.Errorf("%+v", s)
	}
	if newSpark(nil, now) != nil {
		t.Error("nothing is drawn")
	}
}
