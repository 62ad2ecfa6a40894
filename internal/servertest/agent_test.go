package servertest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
)

// TestAgentPushes: what apps of a real PM2 throw arrives from a real agent, once
// each though the server is killed meanwhile, and the agent is listed for
// Prometheus.
func TestAgentPushes(t *testing.T) {
	t.Parallel()
	d := pm2test.New(t, pm2test.Options{})
	s := start(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(s.Bucket("shop")), 0o600); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", pm2test.FreePort(t))
	proctest.Start(t, nil, programs.Program(t, "pm25-agent"), "--pm2.home=shop="+d.Home(), "--web.listen-address="+address, "--state.dir="+t.TempDir(),
		"--server.url="+s.URL, "--server.token-file="+file, "--web.advertise-address="+address, "--host.name=web-07")
	pm2test.Eventually(t, 30*time.Second, func() error {
		res, err := http.Get("http://" + address + "/-/ready")
		if err == nil {
			res.Body.Close()
		}
		return err
	})
	throws := func(app string) {
		t.Helper()
		d.App(t, pm2test.AppSpec{Name: app, Do: []pm2test.Cmd{{"do": "throw", "after": 1200}}, Extra: map[string]any{"autorestart": false}})
	}
	throws("first")
	arrived := func(app string) {
		t.Helper()
		pm2test.Eventually(t, time.Minute, func() error {
			groups := fetched[api.Groups](t, s, "/api/v1/exceptions?bucket=shop&app="+app).Groups
			if len(groups) != 1 || groups[0].Count != 1 || groups[0].Hosts[0] != "web-07" {
				return fmt.Errorf("%s: %+v", app, groups)
			}
			for _, run := range fetched[[]api.Run](t, s, "/api/v1/runs?app="+app) {
				if run.Reason == "crash" {
					return nil
				}
			}
			return fmt.Errorf("%s: no run that crashed", app)
		})
	}
	arrived("first")
	s.Kill()
	throws("second")
	time.Sleep(3 * time.Second) // the server is away while it throws
	s.Again()
	s.Ready()
	arrived("second")
	arrived("first")
	if _, body, err := s.Do(http.MethodGet, "/api/v1/sd", nil); err != nil || !strings.Contains(body, `"targets":["`+address+`"]`) || !strings.Contains(body, `"host":"web-07"`) {
		t.Errorf("service discovery: %s %v", body, err)
	}
	s.Stop()
}
