//go:build alerts && linux

package alerts

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/disktest"
	"github.com/pm25/pm25/internal/pm2test"
)

// daemonDies: PM2 itself is killed, and its apps are with it.
func daemonDies() act {
	return act{
		name: "PM2 is killed", alert: "PM2DaemonDown", aim: time.Minute, labels: map[string]string{"daemon": daemonName},
		cause: func(_ *testing.T, s *scene) time.Time {
			at := time.Now()
			s.KillDaemon9()
			return at
		},
		mend: func(t *testing.T, s *scene) {
			if err := s.Resurrect(context.Background()); err != nil {
				t.Fatal(err)
			}
		},
		beside: map[string]string{"PM2DaemonRestarted": "it is another daemon then"},
	}
}

// logDiskFills: an app's log is on a small file system, and takes nearly all of
// it.
func logDiskFills(t *testing.T) act {
	const size = 40 << 20
	disk := disktest.Mount(t, size)
	spec := pm2test.AppSpec{Name: "chatty", Extra: map[string]any{"out_file": filepath.Join(disk, "out.log"), "error_file": filepath.Join(disk, "err.log")}}
	return act{
		name: "the disk of an app's log fills up", alert: "PM2LogDiskFilling", labels: map[string]string{"mountpoint": disk}, apps: []pm2test.AppSpec{spec},
		cause: func(t *testing.T, s *scene) time.Time {
			s.waitScraped(t, `pm2_host_filesystem_avail_bytes{mountpoint=%q}`, disk)
			s.tell(t, "chatty", pm2test.Cmd{"do": "log", "size": 2000, "count": size / 2000 * 97 / 100})
			s.waitScraped(t, `pm2_host_filesystem_avail_bytes{mountpoint=%q} / pm2_host_filesystem_size_bytes < 0.05`, disk)
			return time.Now()
		},
		mend: func(t *testing.T, s *scene) { s.Must(t, "flush", "chatty") },
	}
}
