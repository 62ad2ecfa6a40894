package message

import "testing"

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
