package servertest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/record"
)

// webConfig has the user ops with the password "test".
const webConfig = `basic_auth_users: {ops: "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay"}`

func write(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestPublicAddressIsRefused without anybody who is asked for a password.
func TestPublicAddressIsRefused(t *testing.T) {
	t.Parallel()
	s := Launch(t, Options{Program: programs.Program(t, "pm25"), Address: "0.0.0.0"})
	if code := s.Wait(t, 20*time.Second); code != 1 || !strings.Contains(s.LastLine(), "basic_auth_users") {
		t.Errorf("%d: %s", code, s.LastLine())
	}
	if _, err := os.Stat(filepath.Join(s.DataDir, "store")); err == nil {
		t.Error("it has made a store")
	}
	for _, args := range [][]string{{"--web.insecure"}, {"--web.config.file=" + write(t, webConfig)}} {
		s := Start(t, Options{Program: programs.Program(t, "pm25"), Address: "0.0.0.0", Args: args})
		if !strings.Contains(s.Log(), "without TLS") {
			t.Errorf("%v: it does not warn", args)
		}
		s.Stop()
	}
}

// TestStrangers: what they may read and change, with users and without.
func TestStrangers(t *testing.T) {
	t.Parallel()
	locked, free := start(t, "--web.config.file="+write(t, webConfig)), start(t)
	ids := map[*Server]string{}
	for _, s := range []*Server{locked, free} {
		token := s.Bucket("shop")
		if code, _, err := s.Push(token, Exception("api", "1.0.0", "secret of the shop", time.Now())); err != nil || code != http.StatusOK {
			t.Fatalf("a push past the passwords: %d %v", code, err)
		}
		code, body, err := s.Do(http.MethodGet, "/api/v1/exceptions", nil, "Authorization", "Bearer "+s.Operator())
		if err != nil || code != http.StatusOK {
			t.Fatalf("%d %s %v", code, body, err)
		}
		_, rest, _ := strings.Cut(body, `"id":"`)
		ids[s] = rest[:16]
	}
	for _, path := range []string{"/api/v1/exceptions", "/api/v1/exceptions/" + ids[locked], "/api/v1/runs", "/api/v1/sd", "/api/v1/hosts", "/api/v1/buckets", "/metrics", "/loki/api/v1/labels", "/"} {
		code, body, err := locked.Do(http.MethodGet, path, nil)
		if err != nil || code != http.StatusUnauthorized || strings.Contains(body, "secret") {
			t.Errorf("%s: a stranger gets %d %s %v", path, code, body, err)
		}
	}
	for _, path := range []string{"/-/healthy", "/-/ready"} {
		if code, _, _ := locked.Do(http.MethodGet, path, nil); code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
	}
	change := func(s *Server, headers ...string) int {
		code, _, err := s.Do(http.MethodPost, "/api/v1/exceptions/"+ids[s], strings.NewReader(`{"state":"resolved"}`), headers...)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	ops := []string{"Authorization", "Basic b3BzOnRlc3Q="}
	operator := []string{"Authorization", "Bearer " + free.Operator()}
	for _, c := range []struct {
		name    string
		server  *Server
		headers []string
		want    int
	}{
		{"stranger", locked, nil, 401},
		{"stranger where reading is free", free, nil, 401},
		{"token of another server", locked, operator, 401},
		{"user of another server", free, ops, 401},
		{"form of another site", free, append([]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, operator...), 403},
		{"form of another site, with a password", locked, append([]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, ops...), 403},
		{"user", locked, ops, 200},
		{"operator", free, operator, 200},
		{"own page", free, append([]string{"Sec-Fetch-Site", "same-origin"}, operator...), 200},
	} {
		if got := change(c.server, c.headers...); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	g := fetched[api.GroupDetails](t, free, "/api/v1/exceptions/"+ids[free]).Group
	if g.State != "resolved" || g.ChangedBy != "operator" {
		t.Errorf("%+v", g)
	}
	code, body, err := free.Do(http.MethodGet, "/api/v1/exceptions", nil, "Host", "evil.example")
	if err != nil || code != http.StatusOK { // Go takes no Host from headers: asked below
		t.Errorf("%d %s %v", code, body, err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(free.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /api/v1/exceptions HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
	if answer, _ := io.ReadAll(conn); !strings.HasPrefix(string(answer), "HTTP/1.1 421") || bytes.Contains(answer, []byte("secret")) {
		t.Errorf("a name that was made to point here: %.100s", answer)
	}
}

// resident is what the process takes.
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestFloods: bodies of a gigabyte, bombs and deep JSON are refused with the right
// status, and cost little.
func TestFloods(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.Bucket("shop")
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := io.CopyN(z, zeros{}, 1<<30); err != nil {
		t.Fatal(err)
	}
	z.Close()
	push := func(body io.Reader, headers ...string) int {
		code, _, err := s.Do(http.MethodPost, "/api/v1/push", body, append([]string{"Authorization", "Bearer " + token, "Content-Type", "application/json"}, headers...)...)
		if err != nil { // it hangs up on what it does not read
			return http.StatusRequestEntityTooLarge
		}
		return code
	}
	before := resident(t, s.PID())
	for range 8 {
		if code := push(io.LimitReader(zeros{}, 1<<30)); code != 413 {
			t.Errorf("a gigabyte: %d", code)
		}
		if code := push(bytes.NewReader(bomb.Bytes()), "Content-Encoding", "gzip"); code != 413 {
			t.Errorf("a bomb: %d", code)
		}
		if code := push(strings.NewReader(`{"v":1,"agent":{"host":"a"},"records":[` + strings.Repeat("[", 1<<20))); code != 400 {
			t.Errorf("deep JSON: %d", code)
		}
	}
	if grown := resident(t, s.PID()) - before; grown > 96<<20 {
		t.Errorf("it has grown by %d MiB", grown>>20)
	}
	code, receipt, err := s.Push(token, Event("api", "after the flood", time.Now()))
	if err != nil || code != http.StatusOK || receipt.Stored != 1 {
		t.Errorf("afterwards: %d %+v %v", code, receipt, err)
	}
	_, metrics, _ := s.Do(http.MethodGet, "/metrics", nil)
	if !strings.Contains(metrics, `pm25_server_push_rejected_total{reason="no_batch"} 8`) {
		t.Error("what was refused is not counted")
	}
}

// TestConnectionsAreBounded: ten thousand take no more memory than some hundred,
// and when they are gone the server answers as before.
func TestConnectionsAreBounded(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < 11_000 {
		t.Skipf("this process may have %d files open only", limit.Cur)
	}
	s := start(t)
	before := resident(t, s.PID())
	conns := make([]net.Conn, 0, 10_000)
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for len(conns) < cap(conns) {
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(s.URL, "http://"), 200*time.Millisecond)
		if err != nil {
			break // the kernel's queue is full too
		}
		conns = append(conns, c)
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.PID()))
	if err != nil {
		t.Fatal(err)
	}
	grown := resident(t, s.PID()) - before
	t.Logf("%d connections were made, %d files are open, it has grown by %d MiB", len(conns), len(fds), grown>>20)
	if len(conns) < 600 || len(fds) > 600 || grown > 64<<20 {
		t.Errorf("%d connections, %d files, %d MiB", len(conns), len(fds), grown>>20)
	}
	for _, c := range conns {
		c.Close()
	}
	conns = nil
	pm2test.Eventually(t, 30*time.Second, func() error {
		code, _, err := s.Do(http.MethodGet, "/-/ready", nil)
		if err == nil && code != http.StatusOK {
			err = fmt.Errorf("%d", code)
		}
		return err
	})
	if _, _, err := s.Push("x", &record.Record{}); err != nil {
		t.Error(err)
	}
	s.Stop()
}
