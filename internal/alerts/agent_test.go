//go:build alerts && linux

package alerts

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
	"github.com/pm25/pm25/internal/uptest"
)

// agentName is how the host of an agent of its own is called.
const agentName = "web-02"

// agent is a pm25-agent on a PM2 of its own, which `pm25 up` scrapes by a file of
// targets.
type agent struct {
	*proctest.Process
	address string
	token   string // file
	secret  string // that is in it
	args    []string
}

func newAgent(t *testing.T) *agent {
	t.Helper()
	d := pm2test.New(t, pm2test.Options{})
	d.App(t, pm2test.AppSpec{Name: "far"})
	d.Must(t, "save")
	a := &agent{address: fmt.Sprintf("127.0.0.1:%d", pm2test.FreePort(t)), token: filepath.Join(t.TempDir(), "token")}
	a.args = []string{"--web.listen-address=" + a.address, "--pm2.home=far=" + d.Home(), "--state.dir=" + t.TempDir(), "--host.name=" + agentName}
	return a
}

// start returns when it answers.
func (a *agent) start(t *testing.T) {
	t.Helper()
	a.Process = proctest.Start(t, nil, programs.Program(t, "pm25-agent"), a.args...)
	eventually(t, time.Minute, func() error {
		c, err := net.Dial("tcp", a.address)
		if err == nil {
			err = c.Close()
		}
		return err
	})
}

// pushTo makes a bucket for the agent, which pushes from its next start on.
func (a *agent) pushTo(t *testing.T, u *uptest.Up) {
	t.Helper()
	operator, err := os.ReadFile(filepath.Join(u.DataDir, "operator.token"))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.URL+"/api/v1/buckets", strings.NewReader(`{"name":"shop"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(operator)))
	req.Header.Set("Content-Type", "application/json")
	res, err := u.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var issued struct{ Data struct{ Secret string } }
	if err := json.NewDecoder(res.Body).Decode(&issued); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("a bucket: %s, %v", res.Status, err)
	}
	a.secret = issued.Data.Secret
	write(t, a.token, "%s", a.secret)
	a.args = append(a.args, "--server.url="+u.URL, "--server.token-file="+a.token)
}

// sceneOf is one with agents in it, all on the same other host.
func sceneOf(t *testing.T, push bool, agents ...*agent) *scene {
	t.Helper()
	// Nobody misses agents that are not there yet.
	file := write(t, filepath.Join(t.TempDir(), "targets.json"), "[]")
	s := newScene(t, setting{args: []string{"--targets=" + file}})
	var targets []string
	for _, a := range agents {
		if push {
			a.pushTo(t, s.up)
		}
		a.start(t)
		targets = append(targets, fmt.Sprintf(`{"targets": [%q], "labels": {"host": %q}}`, a.address, agentName))
	}
	write(t, file, "[%s]", strings.Join(targets, ","))
	s.up.WaitValue(time.Minute, float64(len(agents)), fmt.Sprintf(`count(pm2_up{host=%q} == 1)`, agentName))
	return s
}

// dies: nothing is known of a host any more.
func (a *agent) dies() act {
	return act{
		name: "the agent of a host is killed", alert: "PM2ExporterDown", labels: map[string]string{"host": agentName},
		// The best of a minute counts.
		window: time.Minute,
		cause: func(*testing.T, *scene) time.Time {
			at := time.Now()
			a.Kill()
			return at
		},
		mend: func(t *testing.T, _ *scene) { a.start(t) },
	}
}

// hostDies: nothing on a host answers any more.
func hostDies(agents ...*agent) act {
	return act{
		name: "all agents of a host are killed", alert: "PM2HostDown", labels: map[string]string{"host": agentName},
		window: time.Minute,
		cause: func(*testing.T, *scene) time.Time {
			at := time.Now()
			for _, a := range agents {
				a.Kill()
			}
			return at
		},
		mend: func(t *testing.T, _ *scene) {
			for _, a := range agents {
				a.start(t)
			}
		},
		beside: map[string]string{"PM2ExporterDown": "each of them does not answer"},
	}
}

// refused: the server does not know the agent's token any more.
func (a *agent) refused() act {
	return act{
		name: "an agent's token is not taken any more", alert: "PM25AgentNotShipping", labels: map[string]string{"host": agentName},
		// The server acknowledges something every minute.
		window: 6 * time.Minute,
		cause: func(t *testing.T, s *scene) time.Time {
			s.waitScraped(t, `pm25_agent_ship_last_receipt_timestamp_seconds`)
			write(t, a.token, "pm25_wrong")
			return time.Now()
		},
		mend:   func(t *testing.T, _ *scene) { write(t, a.token, "%s", a.secret) },
		beside: map[string]string{"PM25ServerRefusing": "it is this server that refuses it"},
	}
}
