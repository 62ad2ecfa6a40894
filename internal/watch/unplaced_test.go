package watch

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2/pm2fake"
)

// TestRestartedWithoutLog: where PM2 writes no log, as pm2-runtime does not,
// restarts while the agent was away are unknown, but not lost.
func TestRestartedWithoutLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := pm2fake.NewInMemory(t)
		d.SetList(apps(3))
		w := follow(t, d, nil)
		pass(time.Second)
		w.end()
		state := w.Save()
		d.SetList(strings.Replace(apps(3), `"unique_id":"u1"`, `"unique_id":"u1","restart_time":2`, 1))
		w = follow(t, d, func(o *Options) { o.State = &state })
		pass(3 * time.Second)
		w.wantExits(t, "restarted by the agent's state", 2)
		w.Ledger(func(l *ledger.Ledger) {
			if n := l.App(ledger.AppKey{Namespace: "default", App: "app1"}).Exits[10]; n != 2 {
				t.Errorf("%d of app1 are unknown, want 2", n)
			}
		})
	})
}
