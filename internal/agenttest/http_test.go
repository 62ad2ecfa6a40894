package agenttest

import (
	"encoding/base64"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// noHome is the flag for a home where nothing is.
func noHome(t *testing.T) string { return "--pm2.home=gone=" + filepath.Join(t.TempDir(), "none") }

func TestHTTP(t *testing.T) {
	t.Parallel()
	a := start(t, noHome(t))
	timeout := func(v string) http.Header { return http.Header{"X-Prometheus-Scrape-Timeout-Seconds": {v}} }
	for _, c := range []struct {
		path   string
		header http.Header
		code   int
		has    string
		not    string
	}{
		{"/-/healthy", nil, 200, "healthy", ""},
		{"/-/ready", nil, 200, "ready", ""},
		{"/metrics", nil, 200, `pm2_up{daemon="gone"} 0`, ""},
		{"/metrics?collect[]=daemon", nil, 200, "pm2_up", "pm2_host_cpus"},
		{"/metrics?collect[]=host&collect[]=app", nil, 200, "pm2_host_cpus", "pm2_up{"},
		{"/metrics?collect[]=nosuch", nil, 400, "nosuch", ""},
		{"/metrics?collect[]=", nil, 400, "there are", ""},
		{"/metrics", timeout("5"), 200, "pm2_up", ""},
		{"/metrics", timeout("0.2"), 200, "pm25_agent_build_info", ""},
		{"/metrics", timeout("x"), 400, "Scrape-Timeout", ""},
		{"/metrics", timeout("-1"), 400, "Scrape-Timeout", ""},
		{"/metrics", timeout("NaN"), 400, "Scrape-Timeout", ""},
		{"/metrics", timeout("1e99"), 400, "Scrape-Timeout", ""},
		{"/metrics", http.Header{"Accept": {"application/openmetrics-text"}}, 200, "# EOF", ""},
		{"/metrics", http.Header{"Accept": {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"}}, 200, "pm2_up", "# HELP"},
		{"/", nil, 200, "gone", ""},
		{"/nothing", nil, 404, "", ""},
		{"/debug/pprof/", nil, 404, "", ""},
	} {
		code, body, err := a.try(c.path, c.header)
		if err != nil || code != c.code || !strings.Contains(body, c.has) || c.not != "" && strings.Contains(body, c.not) {
			t.Errorf("%s %v: %d, %v: %.300s", c.path, c.header, code, err, body)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		for _, path := range []string{"/metrics", "/", "/-/ready"} {
			req, _ := http.NewRequest(method, a.url+path, strings.NewReader("x"))
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %s", method, path, resp.Status)
			}
		}
	}
	if !strings.Contains(a.log(), "rpc.sock") {
		t.Error("the log does not name the socket that is missing")
	}
}

func TestTelemetryPath(t *testing.T) {
	t.Parallel()
	a := start(t, noHome(t), "--web.telemetry-path=/pm2/prom", "--no-web.exporter-metrics", "--no-collector.host")
	if code, body := a.get("/pm2/prom"); code != 200 || strings.Contains(body, "go_goroutines") || strings.Contains(body, "pm2_host_cpus") {
		t.Errorf("%d: %.200s", code, body)
	}
	if code, _ := a.get("/metrics"); code != 404 {
		t.Errorf("/metrics: %d", code)
	}
	if _, body := a.get("/"); !strings.Contains(body, "pm2/prom") {
		t.Errorf("the landing page does not link to it: %.300s", body)
	}
}

func TestBasicAuth(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "web.yml")
	// The password is "test".
	if err := os.WriteFile(file, []byte("basic_auth_users:\n  prom: $2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := launch(t, t.TempDir(), nil, noHome(t), "--web.config.file="+file)
	deadline := time.Now().Add(15 * time.Second)
	code := 0
	for code == 0 && time.Now().Before(deadline) {
		code, _, _ = a.try("/metrics", nil)
		time.Sleep(20 * time.Millisecond)
	}
	if code != http.StatusUnauthorized {
		t.Errorf("without a password: %d\n%s", code, a.log())
	}
	good := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("prom:test"))}}
	if code, body, _ := a.try("/metrics", good); code != http.StatusOK || !strings.Contains(body, "pm2_up") {
		t.Errorf("with the password: %d", code)
	}
	bad := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("prom:wrong"))}}
	if code, _, _ := a.try("/metrics", bad); code != http.StatusUnauthorized {
		t.Errorf("with a wrong password: %d", code)
	}
}

func TestSystemd(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "pm25n-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	a := launch(t, t.TempDir(), []string{"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=400000"}, noHome(t))
	said := map[string]int{}
	buf := make([]byte, 1000)
	read := func(until string) {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(15 * time.Second)); err != nil {
			t.Fatal(err)
		}
		for said[until] < 1 {
			n, err := conn.Read(buf)
			if err != nil {
				t.Fatalf("%v; said so far: %v\n%s", err, said, a.log())
			}
			said[string(buf[:n])]++
		}
	}
	read("READY=1")
	read("WATCHDOG=1")
	go a.stop(os.Interrupt)
	read("STOPPING=1")
	<-a.done
	if code := a.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
