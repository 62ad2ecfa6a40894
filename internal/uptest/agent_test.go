package uptest

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
)

// TestYieldsToAnAgent: a daemon that a pm25-agent watches is left to it, and
// its metrics come from it though its port asks for a password; when the agent
// is gone, `pm25 up` watches itself.
func TestYieldsToAnAgent(t *testing.T) {
	t.Parallel()
	d := pm2test.New(t, pm2test.Options{})
	d.App(t, pm2test.AppSpec{Name: "calm"})
	// The password is "test".
	web := write(t, filepath.Join(t.TempDir(), "web.yml"), `basic_auth_users: {ops: "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay"}`)
	address := fmt.Sprintf("127.0.0.1:%d", pm2test.FreePort(t))
	state := t.TempDir()
	startAgent := func() *proctest.Process {
		a := proctest.Start(t, nil, programs.Program(t, "pm25-agent"), "--pm2.home=shop="+d.Home(), "--web.listen-address="+address, "--web.config.file="+web, "--state.dir="+state)
		pm2test.Eventually(t, readyWithin, func() error {
			res, err := http.Get("http://" + address + "/metrics")
			if err == nil {
				res.Body.Close()
			}
			return err
		})
		return a
	}
	agent := startAgent()
	u := Start(t, Options{Program: programs.Program(t, "pm25"), Homes: []string{"shop=" + d.Home()}, Args: []string{"--host.name=web-01"}})

	// served waits until there is one target, that of a process, and all is seen.
	served := func(name string) {
		t.Helper()
		pm2test.Eventually(t, 60*time.Second, func() error {
			_, body, err := u.Get("/prometheus/api/v1/targets?scrapePool=pm2&state=active")
			if err == nil && (strings.Count(body, `"scrapeUrl"`) != 1 || !strings.Contains(body, "http://"+name+".in-process") || !strings.Contains(body, `"health":"up"`)) {
				err = fmt.Errorf("targets: %.600s", body)
			}
			return err
		})
		u.WaitValue(30*time.Second, 1, `count(pm2_up{daemon="shop",host="web-01",instance="web-01"} == 1)`)
		u.WaitValue(30*time.Second, 1, `count(pm2_process_state{app="calm",state="online"} == 1)`)
		u.WaitValue(10*time.Second, 1, `count(up{job="pm2"})`)
	}
	served(fmt.Sprint("agent-", agent.PID()))
	if code := agent.Stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("the agent ended with %d", code)
	}
	served("agent")
	agent = startAgent()
	served(fmt.Sprint("agent-", agent.PID()))
	// One that hangs keeps its daemons from nobody.
	agent.Signal(syscall.SIGSTOP)
	served("agent")
	agent.Signal(syscall.SIGCONT)
	u.Stop()
}
