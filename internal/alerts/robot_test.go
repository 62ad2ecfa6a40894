//go:build alerts && linux

package alerts

import (
	"errors"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/internal/notify/robottest"
	"github.com/pm25/pm25/internal/pm2test"
)

// newRobot starts a DingTalk robot, and returns what writes a file of receivers that
// tells it and a webhook.
func newRobot(t *testing.T) (*robottest.Robot, func(hook string) (file string)) {
	t.Helper()
	r := robottest.New(robot.DingTalk, "SEC-of-the-robot", time.Now)
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	url := write(t, filepath.Join(dir, "url"), "%s", r.URL(server.URL))
	secret := write(t, filepath.Join(dir, "secret"), "%s", r.Secret)
	return r, func(hook string) string {
		return write(t, filepath.Join(dir, "receivers.yml"), `
default: [hook, ding]
receivers:
  hook: {webhook: {url: %q}}
  ding: {dingtalk: {url_file: %q, secret_file: %q}}
`, hook, url, secret)
	}
}

// rejects: the robot's secret was changed, and it says so in a body of a 200.
func rejects(r *robottest.Robot) act {
	return act{
		name: "a chat robot rejects what it is told", alert: "PM25NotifyFailing", labels: map[string]string{"robot_kind": "dingtalk", "robot": "ding"},
		apps: []pm2test.AppSpec{{Name: "killed"}},
		cause: func(t *testing.T, s *scene) time.Time {
			answers := make([]robottest.Answer, 1000)
			for i := range answers {
				answers[i] = robottest.Answer{Code: 310000, Text: "sign not match"}
			}
			r.Script(answers...)
			s.tell(t, "killed", pm2test.Cmd{"do": "signal", "signal": "SIGKILL"})
			eventually(t, 2*time.Minute, func() (err error) {
				if len(r.Asked()) == 0 {
					err = errors.New("the robot was told nothing")
				}
				return err
			})
			return r.Asked()[0]
		},
		beside: map[string]string{
			"PM2ProcessKilled":        "it is what the robot would be told",
			"PM25AlertmanagerFailing": "Alertmanager counts what it could not deliver to the robot",
		},
	}
}
