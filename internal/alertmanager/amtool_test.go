package alertmanager

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/promtest"
)

// A stock amtool works with the API.
func TestAmtool(t *testing.T) {
	binary := promtest.Binary(t, "amtool")
	h := newHook(t)
	conf, err := Default(h.URL + "/hook/hunter2")
	ok(t, err)
	r := start(t, t.TempDir(), conf)
	amtool := func(args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, binary, append(args, "--alertmanager.url="+r.http.URL+"/alertmanager")...)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		stderr := &strings.Builder{}
		cmd.Stderr = stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("amtool %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr)
		}
		return string(out)
	}
	expect := func(out string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in:\n%s", want, out)
			}
		}
	}
	r.post(t, alertOf("a", time.Hour))
	amtool("alert", "add", "ByHand", "n=b", "--annotation=summary=hello")
	expect(amtool("alert"), "Test", "ByHand", "hello")
	expect(amtool("alert", "query", `n=~"a|x"`), "it is a")

	id := strings.TrimSpace(amtool("silence", "add", "alertname=ByHand", "--comment=why", "--author=me", "--duration=1h"))
	expect(amtool("silence", "query"), id, "ByHand", "why")
	if strings.Contains(amtool("alert"), "ByHand") {
		t.Error("the silenced alert is listed as active")
	}
	amtool("silence", "expire", id)
	if strings.Contains(amtool("silence", "query"), id) {
		t.Error("the silence is still there")
	}
	expect(amtool("silence", "query", "--expired"), id)

	shown := amtool("config", "show")
	expect(shown, "group_interval: 15s", "<secret>", "PM2DaemonDown")
	if strings.Contains(shown, "hunter2") {
		t.Errorf("a secret is shown:\n%s", shown)
	}
	expect(amtool("config", "routes", "test", "alertname=Any"), "webhook")
	expect(amtool("cluster", "show"), "disabled")
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.sent {
		if m.Status != "firing" {
			t.Errorf("told %+v", m)
		}
	}
}
