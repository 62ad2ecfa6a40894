//go:build pictures

package pictures

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/simagent"
	"github.com/pm25/pm25/internal/uptest"
)

func desktop(url, file string) shot {
	return shot{URL: url, File: file, Width: 1280, Height: 800, Whole: true}
}

func phone(url, file string) shot {
	return shot{URL: url, File: file, Width: 390, Height: 844, Scale: 2}
}

// TestDemo is the host of `make demo`: real apps under a real PM2.
func TestDemo(t *testing.T) {
	d, err := pm2test.Start(t.Context(), pm2test.Options{Version: "7", Home: t.TempDir(), Env: []string{"SHOP_PORT_BASE=4600"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Kill(context.Background()) })
	// Stacks name files: not those of whose machine this is.
	apps := filepath.Join(t.TempDir(), "apps")
	if err := os.CopyFS(apps, os.DirFS(filepath.Join(pm2test.Root(), "examples"))); err != nil {
		t.Fatal(err)
	}
	if err := d.StartEcosystem(t.Context(), filepath.Join(apps, "ecosystem.config.js")); err != nil {
		t.Fatal(err)
	}
	hook := uptest.NewWebhook(t)
	u := uptest.Start(t, uptest.Options{Program: programs.Program(t, "pm25"), Homes: []string{"deploy=" + d.Home()}, Webhook: hook.URL, Args: []string{"--host.name=web-01"}})
	told := hook.Wait(t, 2*time.Minute, "firing", "alertname", "PM2CrashLoop", "app", "payments")
	u.WaitValue(time.Minute, 1, `count(rate(pm2_process_cpu_seconds_total{app="payments",mode="user"}[1m]))`)
	group := u.URL + "/exceptions/" + crashes(t, u)
	off := false
	chinese := desktop(u.URL+"/", "live-zh")
	chinese.Locale = "zh-CN"
	dark := desktop(u.URL+"/", "live-dark")
	dark.Dark = true
	plain := desktop(u.URL+"/", "live-without-script")
	plain.Script = &off
	shoot(t,
		desktop(u.URL+"/", "live"), chinese, dark, plain, phone(u.URL+"/", "live-phone"),
		desktop(told.Annotations["silence_url"], "silence"), phone(told.Annotations["silence_url"], "silence-phone"),
		desktop(told.GeneratorURL, "graph"), desktop(told.Annotations["runbook_url"], "runbook"), desktop(u.URL+"/alertmanager/", "alerts"),
		desktop(u.URL+"/exceptions", "exceptions"), desktop(group, "exception"), phone(group+"?lang=zh", "exception-phone-zh"),
		desktop(u.URL+"/graph?expr="+url.QueryEscape("sum by (app) (pm2_process_resident_memory_bytes)"), "graph-memory"),
	)
	u.Stop()
}

// crashes is the id of the group of what payments throws.
func crashes(t *testing.T, u *uptest.Up) string {
	t.Helper()
	var found api.Answer[api.Groups]
	pm2test.Eventually(t, time.Minute, func() error {
		_, body, err := u.Get("/api/v1/exceptions?app=payments")
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(body), &found); err != nil {
			return fmt.Errorf("%s: %w", body, err)
		}
		if len(found.Data.Groups) == 0 {
			return errors.New("no group yet")
		}
		return nil
	})
	return found.Data.Groups[0].ID
}

// TestFleet is 200 processes on ten simulated hosts: with trouble on two, and
// then with one that is gone.
func TestFleet(t *testing.T) {
	f, targets := simagent.Start(t, 10, 20)
	d := pm2test.New(t, pm2test.Options{})
	d.App(t, pm2test.AppSpec{Name: "status-page"})
	hook := uptest.NewWebhook(t)
	u := uptest.Start(t, uptest.Options{
		Program: programs.Program(t, "pm25"), Homes: []string{"deploy=" + d.Home()}, Webhook: hook.URL,
		Args: []string{"--targets=" + targets, "--host.name=monitor"},
	})
	u.WaitValue(time.Minute, 11, `count(pm2_up{daemon="deploy"} == 1)`)
	u.WaitValue(time.Minute, 11, `count(count by (host) (rate(pm2_process_cpu_seconds_total[1m])))`)
	hosts := f.Hosts()
	hosts[2].Set("payments", simagent.CrashLoop)
	hosts[6].Set("search", simagent.Errored)
	hook.Wait(t, 2*time.Minute, "firing", "alertname", "PM2CrashLoop", "app", "payments")
	hook.Wait(t, 2*time.Minute, "firing", "alertname", "PM2ProcessErrored", "app", "search")
	filtered := desktop(u.URL+"/?q=search", "fleet-filter")
	shoot(t, desktop(u.URL+"/", "fleet"), phone(u.URL+"/", "fleet-phone"), filtered)

	hosts[4].Switch(false)
	u.WaitValue(2*time.Minute, 10, `count(pm2_up{daemon="deploy"} == 1)`)
	time.Sleep(65 * time.Second) // so that it is known to be gone for a while
	chinese := phone(u.URL+"/", "host-down-phone-zh")
	chinese.Locale = "zh-CN"
	shoot(t, desktop(u.URL+"/", "host-down"), chinese)
	u.Stop()
}
