package agenttest

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/record"
)

// receiver is a server that takes everything.
func receiver(t *testing.T, into *records) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			unzipped, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = unzipped
		}
		var b record.Batch
		if err := json.NewDecoder(body).Decode(&b); err != nil {
			t.Error(err)
		}
		for _, rec := range b.Records {
			into.Offer(rec)
		}
		if r.URL.Path != "/api/v1/push" || r.Header.Get("Authorization") != "Bearer a-token" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		_ = json.NewEncoder(w).Encode(record.Receipt{Stored: len(b.Records)})
	}))
	t.Cleanup(s.Close)
	return s
}

// TestRecordsReachTheServer: from an app to a server, through the program as it
// is run; also what happens last, when the agent is told to end.
func TestRecordsReachTheServer(t *testing.T) {
	t.Parallel()
	got := &records{}
	server := receiver(t, got)
	d := pm2test.New(t, pm2test.Options{})
	token := filepath.Join(t.TempDir(), "token")
	write(t, token, "a-token\n")
	state := t.TempDir()
	args := []string{"--pm2.home=s=" + d.Home(), "--server.url=" + server.URL, "--server.token-file=" + token, "--host.name=h1"}
	a := launch(t, state, nil, args...)
	a.ready()
	a.wait(1, "pm2_up", "daemon", "s")
	d.App(t, pm2test.AppSpec{Name: "web", Do: []pm2test.Cmd{{"do": "throw", "message": "boom", "after": 500}}, Extra: map[string]any{"autorestart": false}})
	pm2test.Eventually(t, 20*time.Second, func() error {
		if told := got.told("web", record.Exception, record.Exit); len(told) != 2 {
			return fmt.Errorf("%q", told)
		}
		return nil
	})
	d.Must(t, "restart", "web") // throws again: it is held when the agent ends
	d.WaitStatus(t, "web", "stopped", 1)
	if code := a.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
	a = launch(t, state, nil, args...) // sends what the first one could not
	a.ready()
	pm2test.Eventually(t, 20*time.Second, func() error {
		told, n := got.told("web", record.Exit), uint64(0)
		for _, r := range got.of("web") {
			if r.Kind == record.Exception {
				n += r.Count()
			}
		}
		if len(told) != 2 || n != 2 {
			return fmt.Errorf("%d throws, %q", n, told)
		}
		return nil
	})
}
