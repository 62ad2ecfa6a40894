package access

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const ownPath = "/api/v1/push"

// place is a gate with its files. put writes the web configuration anew.
type place struct {
	gate  *Gate
	token string
	file  string
	clock time.Time
}

func (p *place) put(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(p.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.clock = p.clock.Add(time.Second)
	if err := os.Chtimes(p.file, p.clock, p.clock); err != nil {
		t.Fatal(err)
	}
}

func newPlace(t *testing.T, e Exposure, webConfig string) *place {
	t.Helper()
	dir := t.TempDir()
	p := &place{clock: time.Now()}
	if webConfig != "" {
		p.file = filepath.Join(dir, "web.yml")
		p.put(t, webConfig)
	}
	operator, err := OpenOperator(filepath.Join(dir, OperatorFile))
	if err != nil {
		t.Fatal(err)
	}
	if p.token, err = ReadToken(operator.File()); err != nil {
		t.Fatal(err)
	}
	p.gate, err = New(Options{
		Exposure: e, External: &url.URL{Scheme: "https", Host: "pm25.example.com"}, Names: []string{"pm25"}, WebConfig: p.file, Operator: operator,
		OwnRule: func(path string) bool { return path == ownPath }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func userConfig(t *testing.T, user, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("basic_auth_users:\n  %s: %s\n", user, hash)
}

// ask sends a request with headers in pairs to a handler behind the gate.
func (p *place) ask(method, target string, headers ...string) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		who, _ := Who(r.Context())
		fmt.Fprint(w, who)
	})
	mux.Handle("POST /change", p.gate.Changing(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := Who(r.Context())
		fmt.Fprint(w, who)
	})))
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.gate.Handler(mux).ServeHTTP(w, r)
	return w
}

func basic(user, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

func TestHostsAndOrigins(t *testing.T) {
	local := newPlace(t, Exposure{}, "")
	protected := newPlace(t, Exposure{Public: true, Authenticated: true}, userConfig(t, "ops", "right"))
	open := newPlace(t, Exposure{Public: true}, "")
	for _, c := range []struct {
		name          string
		place         *place
		method, host  string
		origin, fetch string
		want          int
	}{
		{"curl", local, "GET", "127.0.0.1:9725", "", "", 200},
		{"name of loopback", local, "GET", "localhost:9725", "", "", 200},
		{"IPv6", local, "GET", "[::1]:9725", "", "", 200},
		{"behind a proxy", local, "GET", "pm25.example.com", "", "", 200},
		{"rebound name", local, "GET", "evil.example:9725", "", "", 421},
		{"address of a public listener", open, "GET", "10.0.0.7:9725", "", "", 200},
		{"another name of ours", open, "GET", "PM25:9725", "", "", 200},
		{"external name of a public listener", open, "GET", "pm25.example.com", "", "", 200},
		{"rebound name of a public listener", open, "GET", "evil.example:9725", "", "", 421},
		{"any name, with a password", protected, "GET", "10.0.0.7:9725", "", "", 200},
		{"own form", local, "POST", "127.0.0.1:9725", "http://127.0.0.1:9725", "same-origin", 200},
		{"own form, old browser", local, "POST", "127.0.0.1:9725", "http://127.0.0.1:9725", "", 200},
		{"foreign form", local, "POST", "127.0.0.1:9725", "http://evil.example", "cross-site", 403},
		{"foreign form, old browser", local, "POST", "127.0.0.1:9725", "http://evil.example", "", 403},
		{"foreign form, with a password", protected, "POST", "10.0.0.7:9725", "http://evil.example", "cross-site", 403},
		{"foreign script that deletes", local, "DELETE", "127.0.0.1:9725", "null", "cross-site", 403},
		{"amtool", local, "POST", "127.0.0.1:9725", "", "", 200},
	} {
		var headers []string
		for name, value := range map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.fetch} {
			if value != "" {
				headers = append(headers, name, value)
			}
		}
		if c.place == protected {
			headers = append(headers, "Authorization", basic("ops", "right"))
		}
		if w := c.place.ask(c.method, "http://"+c.host+"/silence", headers...); w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
	}
}

// TestWhoIsLetIn: with users nobody reads without a password; without, reading is
// free; changing never is.
func TestWhoIsLetIn(t *testing.T) {
	users := newPlace(t, Exposure{Public: true, Authenticated: true}, userConfig(t, "ops", "right"))
	free := newPlace(t, Exposure{}, "")
	for _, c := range []struct {
		name         string
		place        *place
		credentials  string
		read, change int
		who          string
	}{
		{"stranger, users", users, "", 401, 401, ""},
		{"user", users, basic("ops", "right"), 200, 200, "ops"},
		{"user again, remembered", users, basic("ops", "right"), 200, 200, "ops"},
		{"wrong password", users, basic("ops", "wrong"), 401, 401, ""},
		{"unknown user with a known password", users, basic("root", "right"), 401, 401, ""},
		{"no password", users, basic("ops", ""), 401, 401, ""},
		{"operator, users", users, "Bearer " + users.token, 200, 200, "operator"},
		{"operator of another server", users, "Bearer " + free.token, 401, 401, ""},
		{"stranger, free", free, "", 200, 401, ""},
		{"operator, free", free, "Bearer " + free.token, 200, 200, "operator"},
		{"operator in a browser", free, basic("alex", free.token), 200, 200, "alex"},
		{"operator in a browser without a name", free, basic("", free.token), 200, 200, "operator"},
		{"wrong token", free, "Bearer " + free.token + "x", 200, 401, ""},
		{"empty token", free, "Bearer ", 200, 401, ""},
		{"any password", free, basic("ops", "right"), 200, 401, ""},
	} {
		var headers []string
		if c.credentials != "" {
			headers = []string{"Authorization", c.credentials}
		}
		read, change := c.place.ask("GET", "http://127.0.0.1/stack", headers...), c.place.ask("POST", "http://127.0.0.1/change", headers...)
		if read.Code != c.read || change.Code != c.change {
			t.Errorf("%s: reading %d, changing %d, want %d and %d", c.name, read.Code, change.Code, c.read, c.change)
		}
		if change.Code == 200 && change.Body.String() != c.who {
			t.Errorf("%s: changed by %q, want %q", c.name, change.Body, c.who)
		}
		if change.Code == 401 && change.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: a browser would not ask", c.name)
		}
	}
	w := free.ask("POST", "http://127.0.0.1/change")
	if !strings.Contains(w.Body.String(), free.gate.opts.Operator.File()) {
		t.Errorf("the refusal does not name the file: %s", w.Body)
	}
	if w := users.ask("POST", "http://127.0.0.1"+ownPath); w.Code != 200 {
		t.Errorf("a path with a rule of its own: %d", w.Code)
	}
}

// TestWebConfigIsFollowed: one that loses its users while we run lets nobody in,
// whatever they know.
func TestWebConfigIsFollowed(t *testing.T) {
	good := userConfig(t, "ops", "right")
	public, local := newPlace(t, Exposure{Public: true, Authenticated: true}, good), newPlace(t, Exposure{}, good)
	for _, c := range []struct {
		text          string
		public, local int
	}{{good, 401, 401}, {"", 503, 200}, {"basic_auth_user: {}\n", 503, 503}, {good, 401, 401}, {userConfig(t, "ops", "other"), 401, 401}} {
		public.put(t, c.text)
		local.put(t, c.text)
		if got := public.ask("GET", "http://127.0.0.1/").Code; got != c.public {
			t.Errorf("public, %q: %d, want %d", c.text, got, c.public)
		}
		if got := local.ask("GET", "http://127.0.0.1/").Code; got != c.local {
			t.Errorf("local, %q: %d, want %d", c.text, got, c.local)
		}
	}
	if got := public.ask("GET", "http://127.0.0.1/", "Authorization", basic("ops", "right")).Code; got != 401 {
		t.Errorf("the password from before: %d", got)
	}
	if err := os.Remove(public.file); err != nil {
		t.Fatal(err)
	}
	if got := public.ask("GET", "http://127.0.0.1/", "Authorization", basic("ops", "other")).Code; got != 503 {
		t.Errorf("without a file: %d", got)
	}
}

func TestHeadersAndRate(t *testing.T) {
	p := newPlace(t, Exposure{}, "http_server_config:\n  headers: {X-Frame-Options: sameorigin}\nrate_limit: {interval: 1h, burst: 2}\n")
	first, _, third := p.ask("GET", "http://127.0.0.1/"), p.ask("GET", "http://127.0.0.1/"), p.ask("GET", "http://127.0.0.1/")
	if first.Code != 200 || first.Header().Get("X-Frame-Options") != "sameorigin" {
		t.Errorf("%d, %v", first.Code, first.Header())
	}
	if third.Code != 429 || third.Header().Get("Retry-After") == "" {
		t.Errorf("over the rate: %d, %v", third.Code, third.Header())
	}
}

// TestPasswordsAreBounded: many that guess wait for each other, and some are sent
// away.
func TestPasswordsAreBounded(t *testing.T) {
	p := newPasswords()
	users := map[string]string{"ops": strings.TrimSpace(strings.SplitN(userConfig(t, "ops", "right"), "ops: ", 2)[1])}
	p.compare.Lock()
	var all sync.WaitGroup
	for i := range maxWaiting {
		all.Go(func() { p.check(users, "ops", fmt.Sprint(i)) })
	}
	for p.waiting.Load() < maxWaiting {
		time.Sleep(time.Millisecond)
	}
	if ok, busy := p.check(users, "ops", "right"); ok || !busy {
		t.Errorf("one more: %v, %v", ok, busy)
	}
	p.compare.Unlock()
	all.Wait()
	if ok, busy := p.check(users, "ops", "right"); !ok || busy {
		t.Errorf("afterwards: %v, %v", ok, busy)
	}
	if len(p.known) != 1 {
		t.Errorf("%d passwords are remembered, want the right one only", len(p.known))
	}
}

func TestOperatorToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), OperatorFile)
	first, err := OpenOperator(file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	token, _ := ReadToken(file)
	again, err := OpenOperator(file)
	if err != nil || !again.is(token) || !first.is(token) || first.is("") {
		t.Errorf("another token after a restart: %v", err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenOperator(file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a token that others can read: %v", err)
	}
	for _, bad := range []string{"", "guess", "pm25op_short", "a b"} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = os.Chmod(file, 0o600)
		if _, err := OpenOperator(file); err == nil {
			t.Errorf("%q was taken for a token", bad)
		}
	}
}

// TestACertificateIsNoPassword: where the file has users and demands certificates,
// one of an agent alone lets nobody in.
func TestACertificateIsNoPassword(t *testing.T) {
	p := newPlace(t, Exposure{Public: true, Authenticated: true}, userConfig(t, "ops", "right"))
	s, err := p.gate.config.current()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{Subject: pkix.Name{CommonName: "agent-1"}}}}}
	s.certificates = true
	if who, ok, _ := p.gate.identify(r, s); ok {
		t.Errorf("let in as %s", who)
	}
	alone := &settings{certificates: true}
	if who, ok, _ := p.gate.identify(r, alone); !ok || who != "agent-1" {
		t.Errorf("without users: %q, %v", who, ok)
	}
}

// TestStrangersLearnNoPath of ours.
func TestStrangersLearnNoPath(t *testing.T) {
	p := newPlace(t, Exposure{Public: true}, "")
	w := p.ask("POST", "/change", "Host", "10.0.0.7")
	if strings.Contains(w.Body.String(), p.gate.opts.Operator.File()) {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
}

// A token that its group may read is made so whatever the umask, and no other one
// is taken.
func TestSharedToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	shared, err := OpenSharedNotify(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if again, err := OpenSharedNotify(file); err != nil || again.hash != shared.hash {
		t.Errorf("a second start: %v", err)
	}
	if _, err := OpenNotify(file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("for its owner only: %v", err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSharedNotify(file); err == nil || !strings.Contains(err.Error(), "chmod 640") {
		t.Errorf("of everybody: %v", err)
	}
}

// A token for one path opens that one, and nothing beside it.
func TestLimitedToken(t *testing.T) {
	for name, config := range map[string]string{"without users": "", "with users": userConfig(t, "ops", "secret")} {
		p := newPlace(t, Exposure{}, config)
		file := filepath.Join(t.TempDir(), NotifyFile)
		limited, err := OpenNotify(file)
		if err != nil {
			t.Fatal(err)
		}
		token, err := ReadToken(file)
		if err != nil || !strings.HasPrefix(token, "pm25nt_") {
			t.Fatalf("%q, %v", token, err)
		}
		p.gate.opts.Limited = map[string]*Token{"/notify/": limited}
		ask := func(path string, headers ...string) int {
			h := p.gate.Handler(p.gate.Changing(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
			r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1"+path, nil)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		for path, want := range map[string]int{"/notify/dingtalk/ops": 200, "/api/v1/exceptions/1": 401, "/notify": 401, "/-/reload": 401} {
			if code := ask(path, "Authorization", "Bearer "+token); code != want {
				t.Errorf("%s, %s: %d, want %d", name, path, code, want)
			}
		}
		if code := ask("/notify/dingtalk/ops", "Authorization", "Bearer "+token+"x"); code != 401 {
			t.Errorf("%s: a wrong token: %d", name, code)
		}
		if code := ask("/notify/dingtalk/ops"); code != 401 {
			t.Errorf("%s: no token: %d", name, code)
		}
		if code := ask("/notify/dingtalk/ops", "Authorization", "Bearer "+p.token); code != 200 {
			t.Errorf("%s: the operator: %d", name, code)
		}
		if again, err := OpenNotify(file); err != nil || again.hash != limited.hash {
			t.Errorf("a second start: %v", err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
	}
}
