package discovery

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/pm2test"
)

// The real thing: found by itself, proven, and unharmed by it.
func TestRealPM2(t *testing.T) {
	for _, version := range pm2test.Versions() {
		t.Run(version, func(t *testing.T) {
			d := pm2test.New(t, pm2test.Options{Version: version})
			f, err := New(Options{
				Now: time.Now, Logger: log.NewNopLogger(), AllowedUIDs: []int{os.Getuid()},
				Getenv: func(string) string { return "" },
			})
			check(t, err)
			var c Candidate
			for range 3 {
				list, err := f.Find(context.Background())
				check(t, err)
				for _, found := range list {
					if found.Home == d.Home() {
						c = found
					}
				}
				if !c.Listening || c.Refused != nil || c.OwnerUID != os.Getuid() {
					t.Fatalf("found %+v in %+v", c, list)
				}
			}
			peer, err := dial(t, c, f.Policy())
			check(t, err)
			if peer.PID != d.PID() || !strings.HasPrefix(peer.Title, "PM2 v"+version+".") {
				t.Errorf("peer %+v, the daemon's pid is %d", peer, d.PID())
			}
			if _, err := d.List(context.Background()); err != nil {
				t.Errorf("PM2 afterwards: %v", err)
			}
			if got := d.PID(); got != peer.PID {
				t.Errorf("PM2 was restarted: pid %d, then %d", peer.PID, got)
			}
		})
	}
}

// pm2-runtime is daemon and command line in one and has no title.
func TestRealRuntime(t *testing.T) {
	for _, version := range pm2test.Versions() {
		t.Run(version, func(t *testing.T) {
			pm2, err := pm2test.Script(version)
			if err != nil {
				t.Skip(err)
			}
			home := newHome(t)
			cmd := exec.Command("node", filepath.Join(filepath.Dir(pm2), "pm2-runtime"), "start", pm2test.AppPath("app.js"))
			cmd.Env = append(os.Environ(), "PM2_HOME="+home, "PM2_DISABLE_VERSION_CHECK=1", "HOME="+filepath.Dir(home))
			check(t, cmd.Start())
			defer func() {
				cmd.Process.Signal(os.Interrupt) // ends its app as well
				cmd.Wait()
			}()
			pm2test.Eventually(t, 20*time.Second, func() error {
				peer, err := dial(t, Candidate{Home: home}, Policy{Restrict: true, UIDs: []int{os.Getuid()}})
				if err == nil && peer.PID != cmd.Process.Pid {
					t.Errorf("peer %+v, pm2-runtime is %d", peer, cmd.Process.Pid)
				}
				return err
			})
		})
	}
}
