package servertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/access"
	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/internal/notify/robottest"
	"github.com/pm25/pm25/internal/pm2test"
)

// notification is what an Alertmanager says of PM2CrashLoop of an app.
func notification(app string) *strings.Reader {
	return strings.NewReader(fmt.Sprintf(`{"version":"4","status":"firing","externalURL":"http://alertmanager.example","alerts":[{"status":"firing",
		"labels":{"alertname":"PM2CrashLoop","severity":"critical","scope":"app","bucket":"shop","host":"web-1","daemon":"shop","pm2_namespace":"default","app":%q},
		"annotations":{"summary":"it is in a crash loop"},"startsAt":%q}]}`, app, time.Now().Format(time.RFC3339)))
}

// TestChatRobots: an Alertmanager with the notify token has the server tell a
// robot, with what it knows of the app; nobody else has.
func TestChatRobots(t *testing.T) {
	t.Parallel()
	const secret = "SEC-of-the-robot"
	ding := robottest.New(robot.DingTalk, secret, time.Now)
	web := httptest.NewServer(ding)
	t.Cleanup(web.Close)
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	put("ding.url", ding.URL(web.URL))
	put("ding.secret", secret)
	const first = "default: [ding]\nreceivers:\n  ding: {dingtalk: {url_file: ding.url, secret_file: ding.secret}}\n"
	receivers := put("receivers.yml", first)
	s := start(t, "--alert.receivers-file="+receivers, "--alert.owners-file="+put("owners.yml", "- {team: shop, app: api, receivers: [ding], mention: {ding: ['13800000000']}}\n"))
	if code, _, err := s.Push(s.Bucket("shop"), Exception("api", "1.0.0", "x is not a function", time.Now())); err != nil || code != 200 {
		t.Fatal(code, err)
	}
	token, err := access.ReadToken(filepath.Join(s.DataDir, access.NotifyFile))
	if err != nil {
		t.Fatal(err)
	}
	tell := func(path, token string) (int, string) {
		t.Helper()
		var headers []string
		if token != "" {
			headers = []string{"Authorization", "Bearer " + token}
		}
		code, body, err := s.Do(http.MethodPost, path, notification("api"), headers...)
		if err != nil {
			t.Fatal(err)
		}
		return code, body
	}
	if code, _ := tell("/notify/dingtalk/ding", ""); code != 401 {
		t.Errorf("a stranger: %d", code)
	}
	if code, _ := tell("/api/v1/buckets", token); code != 401 {
		t.Errorf("the token elsewhere: %d", code)
	}
	if code, body := tell("/notify/dingtalk/ding", token); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	m := ding.Taken()[0]
	for _, want := range []string{"PM2CrashLoop", "TypeError: x is not a function", "routes/users.js", "the last line: 最后一行", "pm2 logs api --err"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("no %q in\n%s", want, m.Text)
		}
	}
	if len(m.Mentions) != 1 {
		t.Errorf("%q are called", m.Mentions)
	}

	put("receivers.yml", "nonsense")
	if code, body, err := s.Do(http.MethodPost, "/-/reload", nil); err != nil || code != 500 || !strings.Contains(body, "receivers.yml") {
		t.Errorf("%d %s %v", code, body, err)
	}
	put("receivers.yml", first+"  second: {dingtalk: {url_file: ding.url, secret_file: ding.secret}}\n")
	if code, body := tell("/notify/dingtalk/second", token); code != 404 || !strings.Contains(body, "there is ding") {
		t.Errorf("%d %s", code, body)
	}
	s.Signal(syscall.SIGHUP)
	pm2test.Eventually(t, 20*time.Second, func() error {
		if code, body := tell("/notify/dingtalk/second", token); code != 200 {
			return fmt.Errorf("%d %s", code, body)
		}
		return nil
	})
	_, metrics, err := s.Do(http.MethodGet, "/metrics", nil)
	if err != nil || !strings.Contains(metrics, `pm25_notify_messages_total{result="delivered",robot="ding",robot_kind="dingtalk"} 1`) {
		t.Errorf("%v\n%s", err, metrics)
	}
	s.Stop()
	for _, hidden := range []string{robottest.Token, secret, token} {
		if strings.Contains(s.Log(), hidden) {
			t.Errorf("%q is in the log:\n%s", hidden, s.Log())
		}
	}
}

// TestSharedNotifyToken: the token is where the flag says, and Alertmanager may
// read it as a member of the group. What messages link to is there.
func TestSharedNotifyToken(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	s := start(t, "--notify.token-file="+file)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Fatalf("%v, %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(s.DataDir, access.NotifyFile)); !os.IsNotExist(err) {
		t.Errorf("there is another: %v", err)
	}
	token, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		token string
		code  int
	}{{strings.TrimSpace(string(token)), 404}, {"pm25nt_another", 401}} { // it has no such robot
		if code, body, err := s.Do(http.MethodPost, "/notify/dingtalk/none", notification("api"), "Authorization", "Bearer "+test.token); err != nil || code != test.code {
			t.Errorf("%d %s, %v", code, body, err)
		}
	}
	if code, body, err := s.Do(http.MethodGet, "/runbooks/PM2CrashLoop", nil); err != nil || code != 200 || !strings.Contains(body, "PM2CrashLoop") {
		t.Errorf("a runbook: %d, %v", code, err)
	}
}
