package up

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func listenOn(t *testing.T, address string) []net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return []net.Listener{l}
}

func TestExposure(t *testing.T) {
	users := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(users, []byte("basic_auth_users:\n  ops: $2y$10$abcdefghijklmnopqrstuv\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		address, config string
		insecure, ok    bool
	}{
		{"127.0.0.1:0", "", false, true},
		{"[::1]:0", "", false, true},
		{"0.0.0.0:0", "", false, false},
		{"[::]:0", "", false, false},
		{"0.0.0.0:0", "", true, true},
		{"0.0.0.0:0", users, false, true},
	} {
		e, err := expose(listenOn(t, c.address), c.config)
		if err != nil {
			t.Fatal(err)
		}
		err = e.check(c.insecure, []string{c.address})
		if (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
		if err != nil && !strings.Contains(err.Error(), "basic_auth_users") {
			t.Errorf("the error names no fix: %v", err)
		}
	}
}

func TestGuard(t *testing.T) {
	external := &url.URL{Scheme: "https", Host: "pm25.example.com"}
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	local := guard(exposure{}, external, nil, ok)
	protected := guard(exposure{public: true, authenticated: true}, external, nil, ok)
	open := guard(exposure{public: true}, external, nil, ok)
	for _, c := range []struct {
		name          string
		handler       http.Handler
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
		r := httptest.NewRequest(c.method, "http://"+c.host+"/silence", nil)
		for name, value := range map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.fetch} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
	}
}

// A web configuration that loses its users while we run lets nobody in.
func TestWebConfigIsFollowed(t *testing.T) {
	const users = "basic_auth_users:\n  ops: $2y$10$abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuv.abcdefghi\n"
	file := filepath.Join(t.TempDir(), "web.yml")
	moment := time.Now()
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		moment = moment.Add(time.Second)
		if err := os.Chtimes(file, moment, moment); err != nil {
			t.Fatal(err)
		}
	}
	put(users)
	public, local := newWebConfig(file, true, slog.New(slog.DiscardHandler)), newWebConfig(file, false, slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		text          string
		public, local bool // let in
	}{{users, true, true}, {"", false, true}, {"basic_auth_user: {}\n", false, false}, {users, true, true}} {
		put(c.text)
		if got := public.problem(); (got == nil) != c.public {
			t.Errorf("public, %q: %v", c.text, got)
		}
		if got := local.problem(); (got == nil) != c.local {
			t.Errorf("local, %q: %v", c.text, got)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if public.problem() == nil {
		t.Error("let in without a file")
	}
	w := httptest.NewRecorder()
	guard(exposure{public: true, authenticated: true}, &url.URL{}, public.problem, http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d", w.Code)
	}
}

func TestExternalURL(t *testing.T) {
	loopback := listenOn(t, "127.0.0.1:0")
	port := loopback[0].Addr().(*net.TCPAddr).Port
	for flag, want := range map[string]string{
		"":                          (&url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}).String(),
		"https://pm25.example.com/": "https://pm25.example.com",
		"pm25.example.com":          "error: it has to look like https://",
		"https://example.com/pm25":  "error: without a path",
	} {
		u, err := externalURL(flag, loopback, exposure{})
		if why, bad := strings.CutPrefix(want, "error: "); bad {
			if err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%q: %v", flag, err)
			}
			continue
		}
		if err != nil || u.String() != want {
			t.Errorf("%q: %v, %v", flag, u, err)
		}
	}
	everywhere, err := externalURL("", listenOn(t, "0.0.0.0:0"), exposure{tls: true})
	if err != nil || everywhere.Scheme != "https" || strings.Contains(everywhere.Host, "0.0.0.0") {
		t.Errorf("%v, %v", everywhere, err)
	}
}
