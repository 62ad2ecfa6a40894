//go:build alerts && linux

package alerts

import (
	"errors"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// firstTime is why a new exception is told of beside what it did.
const firstTime = "an exception that was never seen before is told of once"

// ends are acts in which processes end.
func ends() []act {
	return []act{
		{
			name: "crash loop", alert: "PM2CrashLoop", app: "payments", aim: time.Minute, group: "boom",
			cause: func(t *testing.T, s *scene) time.Time {
				s.start(t, pm2test.AppSpec{Name: "payments", Do: []pm2test.Cmd{{"do": "throw", "after": 1500}}, Extra: map[string]any{"max_restarts": 1000}})
				return s.nthEnd(t, "payments", 4)
			},
			mend:   func(t *testing.T, s *scene) { s.remove(t, "payments") },
			beside: map[string]string{"PM2NewException": firstTime},
		},
		{
			name: "PM2 gives up an app", alert: "PM2ProcessErrored", app: "hopeless", aim: time.Minute, group: "no config",
			cause: func(t *testing.T, s *scene) (at time.Time) {
				began := time.Now()
				s.start(t, pm2test.AppSpec{Name: "hopeless", Script: appPath("hopeless.js")})
				eventually(t, 3*time.Minute, func() (err error) {
					var ok bool
					if at, ok = s.ends.GaveUp(began); !ok {
						err = errors.New("PM2 has not given up")
					}
					return err
				})
				return at
			},
			mend:   func(t *testing.T, s *scene) { s.remove(t, "hopeless") },
			beside: map[string]string{"PM2NewException": firstTime, "PM2CrashLoop": "PM2 gives up after 16 starts", "PM2AppDown": "it was the app's only process", "PM2ExceptionSpike": "it threw 16 times"},
		},
		{
			name: "SIGKILL", alert: "PM2ProcessKilled", app: "killed", labels: map[string]string{"reason": "signal"},
			apps: []pm2test.AppSpec{{Name: "killed"}},
			cause: func(t *testing.T, s *scene) time.Time {
				s.tell(t, "killed", pm2test.Cmd{"do": "signal", "signal": "SIGKILL"})
				return s.nthEnd(t, "killed", 1)
			},
			mend: byItself, mends: 5 * time.Minute,
		},
		{
			name: "no process of an app is online", alert: "PM2AppDown", app: "waiting",
			apps: []pm2test.AppSpec{{Name: "waiting", Extra: map[string]any{"restart_delay": 3600000}}},
			cause: func(t *testing.T, s *scene) time.Time {
				s.tell(t, "waiting", pm2test.Cmd{"do": "exit", "code": 1})
				return s.nthEnd(t, "waiting", 1)
			},
			mend: func(t *testing.T, s *scene) { s.Must(t, "restart", "waiting") },
			// Whoever has just started it is at it.
			warm: 200 * time.Second, window: 2 * time.Minute,
		},
		{
			name: "cron job fails", alert: "PM2CronJobFailed", app: "nightly",
			cause: func(t *testing.T, s *scene) time.Time {
				s.start(t, pm2test.AppSpec{Name: "nightly", Do: []pm2test.Cmd{{"do": "exit", "code": 3, "after": 2000}}, Extra: map[string]any{"autorestart": false, "cron_restart": "* * * * *"}})
				return s.nthEnd(t, "nightly", 1)
			},
			mend: func(t *testing.T, s *scene) { s.remove(t, "nightly") },
		},
		cronJobMissed(),
	}
}

// cronJobMissed: a reload changes when a job runs. PM2 lists the new times and
// goes on with the old ones until a restart, so the job is not run.
func cronJobMissed() act {
	report := func(times string) pm2test.AppSpec {
		return pm2test.AppSpec{Name: "report", Cluster: 1, Extra: map[string]any{"cron_restart": times}}
	}
	return act{
		name: "cron job not run", alert: "PM2CronJobMissed", app: "report",
		apps: []pm2test.AppSpec{report("0 0 1 1 *")},
		cause: func(t *testing.T, s *scene) time.Time {
			if err := s.ReloadApps(t.Context(), report("* * * * *")); err != nil {
				t.Fatal(err)
			}
			return time.Now().Truncate(time.Minute).Add(time.Minute) // when it is due
		},
		mend:   func(t *testing.T, s *scene) { s.Must(t, "restart", "report") },
		window: 5 * time.Minute,
	}
}

// byItself mends what is over when it has happened.
func byItself(*testing.T, *scene) {}

// nthEnd waits until PM2 has seen the nth end of an app.
func (s *scene) nthEnd(t *testing.T, app string, n int) (at time.Time) {
	t.Helper()
	eventually(t, 3*time.Minute, func() (err error) {
		var ok bool
		if at, ok = s.ends.End(app, n); !ok {
			err = errors.New("PM2 has not seen its end")
		}
		return err
	})
	return at
}

// kernelKills: the kernel ends an app in a cgroup with too little memory, as it
// does in a container or a unit.
func kernelKills() act {
	return act{
		name: "kernel OOM kill", alert: "PM2ProcessKilled", app: "hungry", labels: map[string]string{"reason": "oom_kill"},
		apps: []pm2test.AppSpec{{Name: "hungry"}},
		cause: func(t *testing.T, s *scene) time.Time {
			s.tell(t, "hungry", pm2test.Cmd{"do": "leak", "mb": 16, "every": 200})
			return s.nthEnd(t, "hungry", 1)
		},
		mend: byItself, mends: 5 * time.Minute,
	}
}

// limited is a scene whose PM2, and so all its apps, may use little memory.
func limited(t *testing.T) *scene {
	t.Helper()
	group := pm2test.LimitedCgroup(t, 400<<20)
	return newScene(t, setting{prepare: func(d *pm2test.Daemon) { pm2test.MoveToCgroup(t, group, d.PID()) }})
}

// goesMissing: an app is deleted, and the list not saved. It is alone in its scene:
// who saves the list for another says that this one is not wanted.
func goesMissing() act {
	return act{
		name: "deleted, but in the saved list", alert: "PM2AppMissing", app: "lost",
		apps: []pm2test.AppSpec{{Name: "lost"}},
		cause: func(t *testing.T, s *scene) time.Time {
			s.waitScraped(t, `pm2_app_expected_instances{app="lost"}`) // it was saved long ago
			s.Must(t, "delete", "lost")
			return time.Now()
		},
		mend: func(t *testing.T, s *scene) { s.start(t, pm2test.AppSpec{Name: "lost"}) },
	}
}
