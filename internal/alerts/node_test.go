//go:build alerts && linux

package alerts

import (
	"fmt"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// measured is an app with pm25-ext that listens on a port of its own.
func measured(t testing.TB, name string, extra map[string]any) (pm2test.AppSpec, int) {
	t.Helper()
	port := pm2test.FreePort(t)
	return pm2test.AppSpec{Name: name, NodeArgs: preload(), Env: map[string]string{"PORT": fmt.Sprint(port)}, Extra: extra}, port
}

// waitScraped waits until an expression has a result: what happens next has
// samples before it.
func (s *scene) waitScraped(t *testing.T, format string, args ...any) {
	t.Helper()
	expr := fmt.Sprintf(format, args...)
	eventually(t, 3*time.Minute, func() error {
		series, err := s.up.Query(expr)
		if err == nil && len(series) == 0 {
			err = fmt.Errorf("%s has no result", expr)
		}
		return err
	})
}

// restart is how an app that does something wrong since it was told to is mended.
func restart(app string) func(t *testing.T, s *scene) {
	return func(t *testing.T, s *scene) { s.Must(t, "restart", app) }
}

// loops are acts in which an event loop is busy.
func loops(t *testing.T) []act {
	blocked, _ := measured(t, "blocked", nil)
	busy, _ := measured(t, "busy", nil)
	hung, _ := measured(t, "hung", nil)
	return []act{
		{
			name: "event loop blocked for 3 s, again and again", alert: "NodeEventLoopBlocked", app: blocked.Name, apps: []pm2test.AppSpec{blocked},
			cause: func(t *testing.T, s *scene) time.Time {
				s.waitScraped(t, `nodejs_eventloop_utilization_ratio{app="blocked"} or nodejs_eventloop_time_seconds_total{app="blocked"}`)
				at := time.Now()
				for after := 0; after < 600; after += 20 {
					s.tell(t, "blocked", pm2test.Cmd{"do": "hang", "ms": 3000, "after": after * 1000})
				}
				return at
			},
			// One that comes again after three minutes is a habit.
			mend: restart("blocked"), warm: 15 * time.Minute, window: 3 * time.Minute, mends: 2 * time.Minute,
		},
		{
			name: "event loop always busy", alert: "NodeEventLoopSaturated", app: busy.Name, labels: map[string]string{"severity": "warning"}, apps: []pm2test.AppSpec{busy},
			cause: func(t *testing.T, s *scene) time.Time {
				s.waitScraped(t, `nodejs_eventloop_time_seconds_total{app="busy"}`)
				s.tell(t, "busy", pm2test.Cmd{"do": "occupy", "ms": 190, "free": 10})
				return time.Now()
			},
			mend: restart("busy"), warm: 7 * time.Minute, window: 5 * time.Minute, mends: time.Minute,
		},
		{
			name: "process hangs", alert: "NodeProcessHung", app: hung.Name, apps: []pm2test.AppSpec{hung},
			cause: func(t *testing.T, s *scene) time.Time {
				s.waitScraped(t, `nodejs_eventloop_time_seconds_total{app="hung"}`)
				s.tell(t, "hung", pm2test.Cmd{"do": "hang", "ms": 3600000})
				return time.Now()
			},
			mend: restart("hung"), warm: 2 * time.Minute, window: time.Minute,
		},
	}
}
