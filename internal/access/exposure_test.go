package access

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
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
		e, err := Expose(listenOn(t, c.address), c.config)
		if err != nil {
			t.Fatal(err)
		}
		err = e.Check(c.insecure, []string{c.address})
		if (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
		if err != nil && !strings.Contains(err.Error(), "basic_auth_users") {
			t.Errorf("the error names no fix: %v", err)
		}
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
		u, err := ExternalURL(flag, loopback, Exposure{})
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
	everywhere, err := ExternalURL("", listenOn(t, "0.0.0.0:0"), Exposure{TLS: true})
	if err != nil || everywhere.Scheme != "https" || strings.Contains(everywhere.Host, "0.0.0.0") {
		t.Errorf("%v, %v", everywhere, err)
	}
}
