package uptest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/promtest"
)

// TestStockTools: a stock promtool and amtool work with `pm25 up`.
func TestStockTools(t *testing.T) {
	t.Parallel()
	promtool, amtool := promtest.Binary(t, "promtool"), promtest.Binary(t, "amtool")
	d := pm2test.New(t, pm2test.Options{})
	d.App(t, pm2test.AppSpec{Name: "calm"}, pm2test.AppSpec{Name: "hopeless", Script: pm2test.Root() + "/internal/chain/apps/hopeless.js"})
	hook := NewWebhook(t)
	u := Start(t, Options{Program: programs.Program(t, "pm25"), Homes: []string{"shop=" + d.Home()}, Webhook: hook.URL})
	hook.Wait(t, tell, "firing", "alertname", "PM2ProcessErrored", "app", "hopeless")

	server, alerts := u.URL+"/prometheus", "--alertmanager.url="+u.URL+"/alertmanager"
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{promtool, "check", "healthy", "--url=" + server}, "SUCCESS"},
		{[]string{promtool, "check", "ready", "--url=" + server}, "SUCCESS"},
		{[]string{promtool, "query", "instant", server, `pm2_process_state{app="calm"} == 1`}, `state="online"} => 1`},
		{[]string{promtool, "query", "range", "--start=" + unix(-time.Minute), "--end=" + unix(0), server, "pm2_up"}, `pm2_up{daemon="shop"`},
		{[]string{promtool, "query", "series", "--match=pm2_process_info", server}, "calm"},
		{[]string{promtool, "query", "labels", server, "app"}, "hopeless"},
		{[]string{amtool, alerts, "alert", "query", "app=hopeless"}, "PM2ProcessErrored"},
		{[]string{amtool, alerts, "silence", "add", "app=hopeless", "--comment=known", "--author=test"}, "-"},
		{[]string{amtool, alerts, "silence", "query"}, "known"},
		{[]string{amtool, alerts, "config", "routes", "show"}, "default"},
	} {
		if out := run(t, c.args...); !strings.Contains(out, c.says) {
			t.Errorf("%q does not say %q but:\n%s", c.args[1:], c.says, out)
		}
	}
	if out := run(t, amtool, alerts, "alert", "query"); strings.Contains(out, "hopeless") {
		t.Errorf("the silenced alert is listed as active:\n%s", out)
	}
	u.Stop()
}

func unix(ago time.Duration) string { return time.Now().Add(ago).Format(time.RFC3339) }

func run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%q: %v", args[1:], err)
	}
	return string(out)
}
