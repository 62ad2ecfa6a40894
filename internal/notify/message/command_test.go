package message

import (
	"io"
	"strings"
	"testing"

	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/rules/routing"
)

// A placeholder in an app's name stays as it is: replaced, it would end the quotes.
func TestCommandOfAnAppNamedLikeAPlaceholder(t *testing.T) {
	for range 20 { // in whatever order
		a := alert("alertname", "PM2NewException", "scope", "exception", "app", "{target} $(reboot)", "pm_id", "3")
		if got, want := command(a), "pm25 exceptions list --app '{target} $(reboot)'"; got != want {
			t.Fatalf("%s, want %s", got, want)
		}
		a = alert("alertname", "PM2CrashLoop", "scope", "app", "app", "{app} $(reboot)", "pm_id", "3")
		if got, want := command(a), "pm2 logs '{app} $(reboot)' --err --lines 50"; got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}

// A command that is copied from a chat has nothing in it that is not seen.
func TestCommandsCanBeCopied(t *testing.T) {
	for _, app := range []string{"@acme/api", "a@b", "my__app", "_app", "app_", "a#b", "x://y", "api", "my_app", "it's", "a&b"} {
		for _, kind := range robot.Kinds() {
			a := alert("alertname", "PM2CrashLoop", "scope", "app", "app", app, "pm_id", "3", "host", "web-1")
			a.Annotations["summary"] = "s"
			look := command(a)
			if look == "" {
				t.Errorf("%s: no command, though the process' id is known", app)
			}
			d := style(t, routing.English).Detailed(Notification{Alerts: []Alert{a}}, nil)
			r, _, err := robot.Target{Kind: kind, URL: "https://example.com"}.Request(t.Context(), now, d)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(r.Body)
			_, line, _ := strings.Cut(string(body), "Look: ")
			line, _, _ = strings.Cut(line, `\n`)
			if strings.Contains(line, "\u200b") {
				t.Errorf("%s, %s: %q", kind, app, line)
			}
		}
	}
}
