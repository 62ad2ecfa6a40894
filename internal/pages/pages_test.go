package pages

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/docs/runbooks"
)

func TestNewWantsItsOptions(t *testing.T) {
	if p, err := New(Options{}); err == nil {
		t.Errorf("New = %v without options", p)
	}
}

func TestHeaders(t *testing.T) {
	p := newPages(t, newWorld(t), newAlertmanager(t))
	for address, code := range map[string]int{"/": 200, "/silence": 200, "/graph": 200, "/alertmanager/": 200, "/runbooks/": 200, "/runbooks/PM2CrashLoop": 200, "/runbooks/none": 404, "/none": 404, "/silence?matcher=x": 400} {
		w := get(t, p, address)
		if w.Code != code {
			t.Errorf("%s = %d, want %d", address, w.Code, code)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff",
			"Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
		} {
			if got := w.Header().Get(name); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s = %q, want %q", address, name, got, want)
			}
		}
		if page := w.Body.String(); strings.Contains(page, " style=") || strings.Contains(page, "<style") || regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(page) {
			t.Errorf("%s: the page holds what its policy forbids", address)
		}
	}
	for _, address := range []string{"/silence/expire", "/static/pages.css"} {
		method := http.MethodPost
		if strings.HasSuffix(address, "expire") {
			method = http.MethodGet
		}
		w := httptest.NewRecorder()
		p.Handler().ServeHTTP(w, httptest.NewRequest(method, address, nil))
		if w.Code != http.StatusMethodNotAllowed && w.Code != http.StatusNotFound {
			t.Errorf("%s %s = %d", method, address, w.Code)
		}
	}
}

// Everything that a page loads is there, and only from here.
func TestStatic(t *testing.T) {
	p := newPages(t, newWorld(t), newAlertmanager(t))
	found := regexp.MustCompile(`(?:src|href)="(/static/[^"]*)"`).FindAllStringSubmatch(get(t, p, "/").Body.String(), -1)
	types := map[string]string{"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
	seen := map[string]bool{}
	for _, m := range found {
		u, err := url.Parse(m[1])
		if err != nil {
			t.Fatal(err)
		}
		ext := u.Path[strings.LastIndexByte(u.Path, '.')+1:]
		seen[ext] = true
		w := get(t, p, m[1])
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), types[ext]) || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s = %d %v", m[1], w.Code, w.Header())
		}
		if w := get(t, p, u.Path); !strings.Contains(w.Header().Get("Cache-Control"), "no-cache") {
			t.Errorf("%s may be kept, though it can change", u.Path)
		}
	}
	if len(seen) != len(types) {
		t.Errorf("found %v, want a file of each of %v", seen, types)
	}
	for _, address := range []string{"/static/", "/static/none", "/static/..%2fpages.go", "/static/..%2ftemplates%2flive.html"} {
		if w := get(t, p, address); w.Code == http.StatusOK {
			t.Errorf("%s = %d", address, w.Code)
		}
	}
}

func TestLanguage(t *testing.T) {
	p := newPages(t, newWorld(t), newAlertmanager(t))
	tests := []struct{ address, cookie, accept, want string }{
		{"/", "", "", "en"},
		{"/", "", "zh-CN,zh;q=0.9,en;q=0.8", "zh"},
		{"/", "", "de-DE,en-US;q=0.7,zh;q=0.3", "en"},
		{"/", "zh", "en", "zh"},
		{"/?lang=en", "zh", "zh", "en"},
		{"/?lang=xx", "xx", "zh", "zh"},
	}
	for _, test := range tests {
		r := httptest.NewRequest(http.MethodGet, test.address, nil)
		r.Header.Set("Accept-Language", test.accept)
		if test.cookie != "" {
			r.AddCookie(&http.Cookie{Name: languageCookie, Value: test.cookie})
		}
		w := httptest.NewRecorder()
		p.Handler().ServeHTTP(w, r)
		if got := w.Header().Get("Content-Language"); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
		set := w.Result().Cookies()
		if chosen := test.address == "/?lang=en"; len(set) > 1 || (len(set) == 1) != chosen {
			t.Errorf("%+v: cookies = %v", test, set)
		}
	}
	page := get(t, p, "/silence?matcher=app%3D%22x%22&duration=1d").Body.String()
	if want := `href="/silence?duration=1d&amp;lang=zh&amp;matcher=app%3D%22x%22"`; !strings.Contains(page, want) {
		t.Errorf("no link to the same page in Chinese in\n%s", page)
	}
	away := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "//evil.example/"}}
	if got := (language{"en"}).switchLink(away); got != "/evil.example/?lang=zh" {
		t.Errorf("the link to Chinese leads to %s", got)
	}
	sent := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/silence/expire"}}
	if got := (language{"zh"}).switchLink(sent); got != "/silence?lang=en" {
		t.Errorf("the link to English sends a form again: %s", got)
	}
}

func TestAlertLinks(t *testing.T) {
	const ours = "http://127.0.0.1:9725/prometheus/graph?g0.expr=up"
	tests := []struct{ got, want string }{
		{graphLink("http://pm25.example:9725/prometheus/graph?g0.expr=up+%3D%3D+0&g0.tab=1"), "/graph?g0.expr=up+%3D%3D+0&g0.tab=1"},
		{graphLink("https://grafana.example/alerting/1"), "https://grafana.example/alerting/1"},
		{graphLink("javascript:alert(1)"), ""},
		{graphLink("/graph"), ""},
		{graphLink(""), ""},
		{runbookLink("http://127.0.0.1:9725/runbooks/PM2CrashLoop", ours), "/runbooks/PM2CrashLoop"},
		{runbookLink("https://wiki.example/runbooks/x", ours), "https://wiki.example/runbooks/x"},
		{runbookLink("/runbooks/x", ours), "/runbooks/x"},
		{runbookLink("//evil.example/x", ours), ""},
		{runbookLink(`/\evil.example/x`, ours), ""},
		{runbookLink("data:text/html,x", ours), ""},
		{runbookLink("see the wiki", ours), ""},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
	got := silenceLink(map[string]string{"alertname": "A", "severity": "critical", "scope": "app", "job": "pm2", "instance": "x:1", "host": "web", "mountpoint": `/a "b"`})
	if want := "/silence?" + (url.Values{"matcher": {`alertname="A"`, `host="web"`, `mountpoint="/a \"b\""`}}).Encode(); got != want {
		t.Errorf("silenceLink = %s, want %s", got, want)
	}
}

func FuzzLinks(f *testing.F) {
	f.Add("http://a/runbooks/x", "http://a/graph?g0.expr=up")
	f.Add("//a", "javascript:x")
	f.Add("http://a//b", "http://a")
	f.Fuzz(func(t *testing.T, link, generator string) {
		for _, got := range []string{graphLink(generator), graphLink(link), runbookLink(link, generator)} {
			local := strings.HasPrefix(got, "/") && !strings.HasPrefix(got, "//") && !strings.HasPrefix(got, `/\`)
			if got != "" && !local && !strings.HasPrefix(got, "http://") && !strings.HasPrefix(got, "https://") {
				t.Errorf("%q", got)
			}
		}
	})
}

// fleet is 50 hosts with 20 processes each.
func fleet(t testing.TB) *world {
	var hosts []*fakeHost
	for i := range 50 {
		h := &fakeHost{name: "web-" + strings.Repeat("x", i), daemons: []string{"deploy"}}
		for j := range 10 {
			h.apps = append(h.apps, fakeApp{name: "app-" + strings.Repeat("y", j), mode: "cluster", version: "1.0.0", ids: []int{2 * j, 2*j + 1}, age: time.Hour, memory: 50 << 20})
		}
		hosts = append(hosts, h)
	}
	hosts[7].gone = time.Minute
	return newWorld(t, hosts...).load(5 * time.Minute)
}

func BenchmarkSnapshot(b *testing.B) {
	w := fleet(b)
	p := newPages(b, w, newAlertmanager(b))
	for b.Loop() {
		w.now = w.now.Add(time.Millisecond)
		p.taken = time.Time{}
		p.snapshot(b.Context())
	}
}

func BenchmarkRender(b *testing.B) {
	p := newPages(b, fleet(b), newAlertmanager(b))
	for b.Loop() {
		get(b, p, "/")
	}
	b.ReportMetric(float64(get(b, p, "/").Body.Len()), "bytes/page")
}

func TestRunbooks(t *testing.T) {
	p := newPages(t, newWorld(t), newAlertmanager(t))
	for _, name := range runbooks.Names() {
		wantText(t, get(t, p, "/runbooks/").Body.String(), name)
		english, chinese := get(t, p, "/runbooks/"+name).Body.String(), get(t, p, "/runbooks/"+name+"?lang=zh").Body.String()
		if !strings.Contains(english, "<h2>Impact</h2>") || !strings.Contains(english, "<code>") || strings.Contains(english, "##") {
			t.Errorf("%s is not set: %.1500s", name, english)
		}
		if !strings.Contains(chinese, "处理</h2>") {
			t.Errorf("%s is not there in Chinese", name)
		}
	}
	for _, address := range []string{"/runbooks/..%2fpages", "/runbooks/zh%2FPM2CrashLoop"} {
		if w := get(t, p, address); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", address, w.Code)
		}
	}
}
