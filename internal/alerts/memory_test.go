//go:build alerts && linux

package alerts

import (
	"fmt"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// memories are acts in which memory grows.
func memories(t *testing.T) []act {
	leaks, _ := measured(t, "leaks", map[string]any{"max_memory_restart": "120M"})
	near, _ := measured(t, "near", map[string]any{"max_memory_restart": "300M"})
	return []act{
		{
			name: "PM2 restarts an app at its memory limit, twice", alert: "PM2MemoryRestartLoop", app: leaks.Name,
			cause: func(t *testing.T, s *scene) time.Time {
				leaks.Do = []pm2test.Cmd{{"do": "leak", "mb": 8, "every": 500}}
				s.start(t, leaks)
				return s.nthEnd(t, leaks.Name, 2)
			},
			mend: func(t *testing.T, s *scene) { s.remove(t, leaks.Name) },
			// Memory is looked at once a minute.
			window: time.Minute, mends: time.Minute,
		},
		{
			name: "memory stays near its limit", alert: "PM2MemoryNearRestartLimit", app: near.Name, apps: []pm2test.AppSpec{near},
			cause: func(t *testing.T, s *scene) time.Time {
				s.waitScraped(t, `pm2_process_resident_memory_bytes{app="near"}`)
				pause(t.Context(), 10*time.Second)
				used, err := s.up.Value(`pm2_process_resident_memory_bytes{app="near"}`)
				if err != nil {
					t.Fatal(err)
				}
				mb := int(0.96*300 - used/(1<<20))
				s.tell(t, near.Name, pm2test.Cmd{"do": "leak", "mb": mb})
				at := time.Now()
				eventually(t, time.Minute, func() error {
					now, err := s.up.Value(`pm2_process_resident_memory_bytes{app="near"} / pm2_process_memory_limit_bytes{app="near"}`)
					if err == nil && (now < 0.91 || now > 1) {
						err = fmt.Errorf("at %v of the limit", now)
					}
					return err
				})
				return at
			},
			mend: restart(near.Name), warm: 2 * time.Minute, window: 11 * time.Minute, mends: 10 * time.Minute,
		},
	}
}
