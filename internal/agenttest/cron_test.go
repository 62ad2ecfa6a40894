package agenttest

import (
	"fmt"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// TestCron: jobs of PM2's cron, by the clock of a daemon whose zone is not the
// agent's.
func TestCron(t *testing.T) {
	const metric = "pm2_process_cron_next_run_timestamp_seconds"
	d := pm2test.New(t, pm2test.Options{Env: []string{"TZ=Asia/Shanghai"}})
	job := func(name, expression string, code int) pm2test.AppSpec {
		return pm2test.AppSpec{Name: name, Do: []pm2test.Cmd{{"do": "exit", "code": code}}, Extra: map[string]any{"cron_restart": expression, "autorestart": false}}
	}
	d.App(t, job("often", "*/2 * * * * *", 3), job("nightly", "0 3 * * *", 0), job("none", "0", 0),
		pm2test.AppSpec{Name: "service", Extra: map[string]any{"cron_restart": "*/2 * * * * *"}})
	d.WaitStatus(t, "nightly", "stopped", 1)
	d.Must(t, "stop", "often")
	a := start(t, "--pm2.home=d="+d.Home())

	due := nextThree(t)
	a.wait(due, metric, "app", "nightly")
	if _, ok := a.scrape().value(metric, "app", "none"); ok {
		t.Error("a process without a cron job is due")
	}
	// A stopped process is started, also one that was stopped by hand.
	a.wait(3, "pm2_process_last_exit_code", "app", "often")
	before, _ := a.scrape().value(metric, "app", "often")
	crashes, _ := a.scrape().value("pm2_app_exits_total", "app", "often", "reason", "crash")
	pm2test.Eventually(t, 15*time.Second, func() error {
		m := a.scrape()
		next, _ := m.value(metric, "app", "often")
		ended, _ := m.value("pm2_app_exits_total", "app", "often", "reason", "crash")
		restarted, _ := m.value("pm2_app_exits_total", "app", "service", "reason", "cron")
		if next < before+4 || ended < crashes+2 || restarted < 2 {
			return fmt.Errorf("due %v after %v, %v failed runs after %v, %v restarts by cron", next, before, ended, crashes, restarted)
		}
		return nil
	})
}

// nextThree is the next three o'clock of Shanghai.
func nextThree(t *testing.T) float64 {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	year, month, day := time.Now().In(zone).Date()
	at := time.Date(year, month, day, 3, 0, 0, 0, zone)
	if !at.After(time.Now()) {
		at = at.AddDate(0, 0, 1)
	}
	return float64(at.Unix())
}
