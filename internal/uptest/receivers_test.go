package uptest

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// TestOwnersAreTold: alerts go to the teams that files name. They are read again
// on reload; what is wrong in them changes nothing.
func TestOwnersAreTold(t *testing.T) {
	t.Parallel()
	ops, shop, deadman := NewWebhook(t), NewWebhook(t), NewWebhook(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "shop.url"), shop.URL+"\n")
	receivers := write(t, filepath.Join(dir, "receivers.yml"), "default: [ops]\nwatchdog: deadman\nreceivers:\n"+
		"  ops: {webhook: {url: '"+ops.URL+"'}}\n  shop: {webhook: {url_file: shop.url}}\n  deadman: {webhook: {url: '"+deadman.URL+"'}}\n")
	owners := write(t, filepath.Join(dir, "owners.yml"), "- {app: 'shop-*', team: Shop, receivers: [shop]}\n")
	u := Start(t, Options{Program: programs.Program(t, "pm25"), Args: []string{"--alert.receivers-file=" + receivers, "--alert.owners-file=" + owners}})
	post := func(name, severity, app string) {
		t.Helper()
		alert := map[string]any{"labels": map[string]string{"alertname": name, "severity": severity, "app": app}}
		if code, body, err := u.Do("POST", "/alertmanager/api/v2/alerts", []any{alert}); err != nil || code != 200 {
			t.Fatalf("posting: %d %s %v", code, body, err)
		}
	}
	post("PM2CrashLoop", "critical", "shop-api")
	post("PM2CrashLoop", "critical", "web")
	post("PM25Watchdog", "none", "")
	shop.Wait(t, tell, "firing", "app", "shop-api")
	ops.Wait(t, tell, "firing", "app", "web")
	deadman.Wait(t, tell, "firing", "alertname", "PM25Watchdog")
	if told := ops.Told("firing", "app", "shop-api"); len(told) > 0 {
		t.Errorf("ops are told too: %v", told)
	}

	write(t, owners, "- {app: 'shop-*', team: Shop, receivers: [nobody]}\n")
	if err := u.Reload(); err == nil || !strings.Contains(err.Error(), owners) || !strings.Contains(err.Error(), `no receiver "nobody"`) {
		t.Errorf("reload: %v", err)
	}
	post("PM2AppDown", "critical", "shop-web")
	shop.Wait(t, tell, "firing", "app", "shop-web")

	write(t, owners, "- {app: web, team: Web, receivers: [shop]}\n")
	if err := u.Reload(); err != nil {
		t.Fatal(err)
	}
	post("PM2AppDown", "critical", "web")
	shop.Wait(t, tell, "firing", "app", "web", "alertname", "PM2AppDown")

	write(t, receivers, "default: [ops]\nreceivers:\n  ops: {webhook: {url: '"+deadman.URL+"'}}\n  shop: {webhook: {url_file: shop.url}}\n")
	u.Signal(syscall.SIGHUP)
	pm2test.Eventually(t, 20*time.Second, func() error {
		if !strings.Contains(u.Log(), "why=signal") {
			return errors.New("no reload is logged")
		}
		return nil
	})
	post("PM2AppDown", "critical", "other")
	deadman.Wait(t, tell, "firing", "app", "other")
	u.Stop()
	for _, w := range []*Webhook{ops, shop} {
		if told := w.Told("firing", "alertname", "PM25Watchdog"); len(told) > 0 {
			t.Errorf("people are told of the watchdog: %v", told)
		}
	}
}
