package uptest

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/internal/notify/robottest"
	"github.com/pm25/pm25/internal/pm2test"
)

// TestCrashLoopIsToldToARobot: what a real app throws is in the message.
func TestCrashLoopIsToldToARobot(t *testing.T) {
	t.Parallel()
	d := pm2test.New(t, pm2test.Options{})
	lark := robottest.New(robot.Feishu, "secret-of-the-robot", time.Now)
	web := httptest.NewServer(lark)
	t.Cleanup(web.Close)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "lark.url"), lark.URL(web.URL))
	write(t, filepath.Join(dir, "lark.secret"), "secret-of-the-robot")
	receivers := write(t, filepath.Join(dir, "receivers.yml"), "default: [lark]\nreceivers:\n  lark: {feishu: {url_file: lark.url, secret_file: lark.secret}}\n")
	u := Start(t, Options{Program: programs.Program(t, "pm25"), Homes: []string{"shop=" + d.Home()}, Args: []string{"--host.name=web-01", "--alert.receivers-file=" + receivers}})
	d.App(t, pm2test.AppSpec{Name: "payments", Do: []pm2test.Cmd{{"do": "throw", "after": 1200}}})
	var told robottest.Taken
	deadline := time.After(2 * tell)
	for told.Body == "" {
		select {
		case <-lark.Changed():
		case <-deadline:
			t.Fatalf("the robot is not told:\n%s", u.Log())
		}
		for _, m := range lark.Taken() {
			if strings.Contains(m.Title, "PM2CrashLoop") {
				told = m
			}
		}
	}
	t.Logf("%s\n%s", told.Title, told.Text)
	for _, want := range []string{"Last end: crash", "Exception: ", "of 1 processes online", "Last lines of its log:", "pm2 logs payments --err --lines 50"} {
		if !strings.Contains(told.Text, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, b := range told.Buttons {
		path := strings.TrimPrefix(b[1], u.URL)
		if code, _, err := u.Get(path); err != nil || code != 200 || path == b[1] {
			t.Errorf("%s leads to %s: %d %v", b[0], b[1], code, err)
		}
	}
	if len(told.Buttons) != 4 {
		t.Errorf("buttons %q", told.Buttons)
	}
	u.WaitValue(time.Minute, 1, `sum(pm25_notify_messages_total{robot="lark",robot_kind="feishu",result=~"delivered|plain"}) > bool 0`)
	u.Stop()
	if strings.Contains(u.Log(), robottest.Token) || strings.Contains(u.Log(), "secret-of-the-robot") {
		t.Errorf("a secret is in the log:\n%s", u.Log())
	}
}
