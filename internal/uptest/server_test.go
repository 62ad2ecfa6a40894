package uptest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/record"
)

// TestTakesPushes: agents of other hosts push to the port that people read, though
// that asks for a password; those that say where they are get scraped, with the
// labels of their host and bucket; and a start after a kill has it all.
func TestTakesPushes(t *testing.T) {
	t.Parallel()
	// The password is "test".
	web := write(t, filepath.Join(t.TempDir(), "web.yml"), `basic_auth_users: {ops: "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay"}`)
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprint(w, "pm2_up{daemon=\"shop\"} 1\n")
	}))
	t.Cleanup(agent.Close)
	withPassword := &http.Client{Timeout: 30 * time.Second, Transport: passwordTransport{}}
	u := Start(t, Options{Program: programs.Program(t, "pm25"), Args: []string{"--web.config.file=" + web}, Client: withPassword})
	code, body, err := u.Do(http.MethodPost, "/api/v1/buckets", map[string]string{"name": "shop"})
	var issued struct{ Data struct{ Secret string } }
	if err != nil || code != http.StatusOK || json.Unmarshal([]byte(body), &issued) != nil {
		t.Fatalf("%d %s %v", code, body, err)
	}

	now := time.Now()
	r := &record.Record{
		V: record.Version, ID: record.NewID(now), At: now.UnixNano(), Kind: record.Event, Host: "web-07", Daemon: "shop", Namespace: "default",
		App: "api", Level: record.LevelInfo, Source: record.FromExt, Event: &record.EventInfo{Name: "order"},
	}
	push(t, u, issued.Data.Secret, record.Batch{V: record.Version, Agent: record.Agent{Host: "web-07", Version: "1.0.0", Advertise: strings.TrimPrefix(agent.URL, "http://")}, Records: []*record.Record{r}})
	u.WaitValue(time.Minute, 1, `count(pm2_up{job="pm2",host="web-07",bucket="shop",daemon="shop"} == 1)`)
	u.Kill()
	u.Again()
	u.Ready()
	pm2test.Eventually(t, 10*time.Second, func() error { return u.ok("/api/v1/records/" + r.ID) })
	u.WaitValue(time.Minute, 1, `count(pm25_server_store_size_bytes{job="pm25"} > 0)`)
	if token, err := os.ReadFile(filepath.Join(u.DataDir, "operator.token")); err != nil || strings.Contains(u.Log(), strings.TrimSpace(string(token))) {
		t.Errorf("the operator token is in the log, or nowhere: %v", err)
	}
	u.Stop()
}

// push sends a batch as an agent does, without the user's password.
func push(t *testing.T, u *Up, token string, b record.Batch) {
	t.Helper()
	body, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, u.URL+"/api/v1/push", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var receipt record.Receipt
	if err := json.NewDecoder(res.Body).Decode(&receipt); err != nil || res.StatusCode != http.StatusOK || receipt.Stored != len(b.Records) {
		t.Fatalf("%s: %+v, %v", res.Status, receipt, err)
	}
}

// passwordTransport gives the password of the tests with each request.
type passwordTransport struct{}

func (passwordTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.SetBasicAuth("ops", "test")
	return http.DefaultTransport.RoundTrip(r)
}
