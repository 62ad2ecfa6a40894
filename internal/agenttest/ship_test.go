package agenttest

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/record"
)

// An agent with a server says that it is there, with what its flags name, and
// counts; without one it has neither a spool nor metrics of it.
func TestServer(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []record.Batch
	var token string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var b record.Batch
		if r.URL.Path != "/api/v1/push" || json.NewDecoder(r.Body).Decode(&b) != nil {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		got, token = append(got, b), r.Header.Get("Authorization")
		_ = json.NewEncoder(w).Encode(record.Receipt{Stored: len(b.Records)})
	}))
	defer server.Close()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), "pm25_test_secret\n")
	flags := []string{
		noHome(t), "--server.url=" + server.URL, "--server.token-file=" + filepath.Join(dir, "token"),
		"--host.name=web-1", "--web.advertise-address=https://web-1:9209", "--spool.max-bytes=8MiB",
	}
	a := start(t, flags...)
	a.wait(1, "pm25_agent_ship_receipts_total")
	a.wait(8<<20, "pm25_agent_spool_max_bytes")
	a.wait(0, "pm25_agent_ship_dropped_total", "kind", "exception", "reason", "spool_full")
	if v, ok := a.scrape().value("pm25_agent_ship_last_receipt_timestamp_seconds"); !ok || time.Since(time.Unix(int64(v), 0)) > time.Minute {
		t.Errorf("last receipt at %v", v)
	}
	mu.Lock()
	want := record.Agent{Host: "web-1", Version: got[0].Agent.Version, Advertise: "web-1:9209", Scheme: "https"}
	if got[0].Agent != want || token != "Bearer pm25_test_secret" || got[0].V != record.Version {
		t.Errorf("%+v, %s", got[0], token)
	}
	mu.Unlock()
	fails(t, t.TempDir(), append(flags, "--spool.dir="+filepath.Join(a.state, "spool")), "in use", "--spool.dir")
	if code := a.stop(syscall.SIGTERM); code != 0 || strings.Contains(a.log(), "pm25_test_secret") {
		t.Errorf("code %d: %s", code, a.log())
	}

	plain := start(t, noHome(t))
	for name := range plain.scrape() {
		if strings.HasPrefix(name, "pm25_agent_ship_") || strings.HasPrefix(name, "pm25_agent_spool_") {
			t.Errorf("%s is there without a server", name)
		}
	}
	if found, _ := filepath.Glob(filepath.Join(plain.state, "spool*")); len(found) != 0 {
		t.Errorf("%v", found)
	}
}

// An agent whose server is away starts, serves and ends as any other.
func TestServerAway(t *testing.T) {
	t.Parallel()
	away := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer away.Close()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), "pm25_test_secret\n")
	a := start(t, noHome(t), "--server.url="+away.URL, "--server.token-file="+filepath.Join(dir, "token"))
	pm2test.Eventually(t, 20*time.Second, func() error {
		if v, _ := a.scrape().value("pm25_agent_ship_retries_total", "reason", "unreachable"); v < 2 {
			return errors.New("too few tries")
		}
		return nil
	})
	if code := a.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("code %d: %s", code, a.log())
	}
}
