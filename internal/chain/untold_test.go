//go:build chain

package chain

import (
	"fmt"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/uptest"
)

// quiet is how long nothing may be told after the last action: longer than it
// takes to tell of anything.
const quiet = 75 * time.Second

// TestNothingIsTold does what operators do, more often than they would, and
// waits. A crash loop at the end shows that there was somebody to hear of it.
func TestNothingIsTold(t *testing.T) {
	d := pm2test.New(t, pm2test.Options{})
	d.App(t,
		pm2test.AppSpec{Name: "web"},
		pm2test.AppSpec{Name: "api", Cluster: 2},
		pm2test.AppSpec{Name: "grows", Cluster: 1},
		pm2test.AppSpec{Name: "paused"},
		pm2test.AppSpec{Name: "deleted"},
	)
	d.Must(t, "save")
	hook := uptest.NewWebhook(t)
	u := uptest.Start(t, uptest.Options{Program: programs.Program(t, "pm25"), Homes: []string{"ops=" + d.Home()}, Webhook: hook.URL})
	u.WaitValue(20*time.Second, 6, `count(pm2_process_state{state="online"} == 1)`)

	table := doctable.New("action", "times", "messages")
	for _, a := range []struct {
		what  string
		times int
		args  [][]string
	}{
		{"restart", 5, [][]string{{"restart", "web"}, {"restart", "api"}}},
		{"reload in cluster mode", 5, [][]string{{"reload", "api"}}},
		{"scale up and down", 2, [][]string{{"scale", "grows", "4"}, {"scale", "grows", "1"}}},
		{"stop and start", 5, [][]string{{"stop", "paused"}, {"start", "paused"}}},
		{"restart of all with new environment", 2, [][]string{{"restart", "all", "--update-env"}}},
		{"delete", 1, [][]string{{"delete", "deleted"}}},
		{"`pm2 reset`", 2, [][]string{{"reset", "all"}}},
		{"`pm2 update`", 2, [][]string{{"update"}}},
		{"stop for good", 1, [][]string{{"stop", "paused"}}},
	} {
		for range a.times {
			for _, args := range a.args {
				d.Must(t, args...)
			}
		}
		table.Add(a.what, a.times, 0)
	}
	began := time.Now()
	pause(t.Context(), quiet)
	for _, a := range hook.Told() {
		t.Errorf("told: %v", a)
	}
	if firing, err := u.Query(fmt.Sprintf(`max_over_time(ALERTS{alertstate="firing"}[%ds])`, int(time.Since(began).Seconds())+600)); err != nil || len(firing) > 0 {
		t.Errorf("alerts that fired: %v, %v", firing, err)
	}
	if n, err := u.Value(`sum(pm2_app_exits_total{reason=~"operator|reload"})`); err != nil || n < 30 {
		t.Errorf("%v planned ends were seen, %v: was anything watched?", n, err)
	}
	d.App(t, looping("payments"))
	hook.Wait(t, 2*tell, "firing", "alertname", "PM2CrashLoop", "app", "payments")
	doc.Write(t, "untold", table)
}
