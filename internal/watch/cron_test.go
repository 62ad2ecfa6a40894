package watch

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/pm2/pm2fake"
	"github.com/pm25/pm25/internal/procfs"
)

// startedAt is a host on which the daemon started at a time.
type startedAt struct {
	onlyDaemon
	at time.Time
}

func (s startedAt) Read(pid int, from, to time.Time) (procfs.Sample, error) {
	sample, err := s.onlyDaemon.Read(pid, from, to)
	sample.StartTime = s.at
	return sample, err
}

// jobs is a list of stopped processes with cron_restart, started at a time.
func jobs(started time.Time, expressions ...string) string {
	var out []string
	for i, e := range expressions {
		out = append(out, fmt.Sprintf(`{"pm_id":%d,"pid":0,"name":"job%[1]d","pm2_env":{"status":"stopped","unique_id":"u%[1]d","pm_uptime":%d,"cron_restart":%s}}`, i, started.UnixMilli(), e))
	}
	return "[" + strings.Join(out, ",") + "]"
}

func TestCronDue(t *testing.T) {
	east := time.FixedZone("east", 8*60*60)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(100 * time.Hour) // PM2 is younger than this clock's beginning
		started := time.Now().In(east)
		day := func(hour, minute int) time.Time {
			return time.Date(started.Year(), started.Month(), started.Day(), hour, minute, 0, 0, east)
		}
		started = day(5, 0)
		canary := `"canary with words"`
		d := pm2fake.NewInMemory(t)
		d.SetList(jobs(started, `"30 6 * * *"`, `"0"`, `0`, canary, `"*/5 * * * *"`, `null`))
		var logged bytes.Buffer
		zone, began := east, started.Add(-time.Hour)
		w := follow(t, d, func(o *Options) {
			dial := o.Dial
			o.Dial = func(ctx context.Context) (rpc, pub net.Conn, peer discovery.Peer, err error) {
				rpc, pub, peer, err = dial(ctx)
				peer.Zone = zone
				return rpc, pub, peer, err
			}
			o.Proc = startedAt{at: began}
			o.Logger = log.NewLogfmtLogger(&logged)
		})
		pass(time.Second)
		want := []time.Time{day(6, 30), {}, {}, {}, day(5, 5), {}}
		check := func(what string) {
			t.Helper()
			for i, p := range w.view(time.Second).Processes {
				if !p.CronDue.Equal(want[i]) {
					t.Errorf("%s: job%d is due %v, want %v", what, i, p.CronDue, want[i])
				}
			}
		}
		check("after the start")
		pass(resyncAfter * 3)
		check("later")
		d.SetList(jobs(started.Add(2*time.Hour), `"30 6 * * *"`, `"0"`, `0`, canary, `"30 6 * * *"`, `null`))
		pass(resyncAfter * 3)
		tomorrow := day(6, 30).AddDate(0, 0, 1)
		want[0], want[4] = tomorrow, tomorrow
		check("after another start")
		w.end()
		text := logged.String()
		if n := strings.Count(text, "not understood"); n != 1 || strings.Contains(text, "canary") {
			t.Errorf("an expression that is not understood is told of %d times, or shown: %s", n, text)
		}
	})
}

// TestCronDueAfterTheDaemonsStart: what was due while no daemon ran is not
// missed by this one.
func TestCronDueAfterTheDaemonsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(100 * time.Hour)
		d := pm2fake.NewInMemory(t)
		started := time.Now().Add(-48 * time.Hour)
		d.SetList(jobs(started, `"30 6 * * *"`))
		began := time.Now().UTC()
		zone := time.UTC
		w := follow(t, d, func(o *Options) {
			dial := o.Dial
			o.Dial = func(ctx context.Context) (rpc, pub net.Conn, peer discovery.Peer, err error) {
				rpc, pub, _, err = dial(ctx)
				return rpc, pub, discovery.Peer{PID: os.Getpid(), UID: os.Geteuid(), StartTicks: 1, Zone: zone}, err
			}
			o.Proc = startedAt{at: began}
		})
		pass(time.Second)
		due := w.view(time.Second).Processes[0].CronDue
		if due.Before(began) || due.After(began.Add(25*time.Hour)) {
			t.Errorf("PM2 began at %v and is due at %v", began, due)
		}
		w.end()

		zone = nil
		w = follow(t, d, nil)
		pass(time.Second)
		if due := w.view(time.Second).Processes[0].CronDue; !due.IsZero() {
			t.Errorf("in a zone that is not known it is due at %v", due)
		}
	})
}
