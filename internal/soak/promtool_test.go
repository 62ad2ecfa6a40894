package soak

import (
	"io"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/promtest"
)

// TestPromtool: promtool has nothing to say about what a real agent on a real
// PM2 exposes.
func TestPromtool(t *testing.T) {
	promtool := promtest.Binary(t, "promtool")
	d := pm2test.New(t, pm2test.Options{})
	d.App(t,
		pm2test.AppSpec{Name: "one", Cluster: 2, Do: []pm2test.Cmd{{"do": "metric", "name": "Orders / min", "value": 3}}},
		pm2test.AppSpec{Name: "ends", Do: []pm2test.Cmd{{"do": "exit3", "after": 300}}, Extra: map[string]any{"autorestart": false}},
	)
	d.Must(t, "save")
	a := newAgent(t, d.Home())
	a.start(t)
	a.ready(t)
	d.WaitStatus(t, "ends", "stopped", 1)
	pm2test.Eventually(t, 20*time.Second, func() error {
		_, err := a.scrape()
		return err
	})
	res, err := a.client.Get("http://" + a.addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", res.Status, err)
	}
	cmd := exec.Command(promtool, "check", "metrics")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = in.Write(body) // promtool says what it misses
		in.Close()
	}()
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
