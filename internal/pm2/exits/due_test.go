package exits

import (
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/daemonlog"
)

func TestDue(t *testing.T) {
	at := time.Date(2026, 11, 23, 13, 30, 0, 0, time.UTC) // a Monday
	for _, c := range []struct {
		expression string
		after      time.Duration
		want       bool
	}{
		{"", 0, false},
		{"30 13 * * *", 0, true},
		{"30 13 * * *", time.Second, true},
		{"30 13 * * *", 3 * time.Second, false},
		{"30 13 * * *", -time.Second, false},
		{"30 14 * * *", 0, false},
		{"*/10 * * * * *", 20 * time.Second, true},
		{"*/10 * * * * *", 25 * time.Second, false},
		{"*/10 * * * 1", 0, true},
		{"30 13 23 * 2", 0, false},            // day and weekday
		{"1-5,30 * * * *", time.Minute, true}, // PM2 refuses it: not understood
		{"? * * * *", time.Minute, true},
	} {
		if got := due(c.expression, at.Add(c.after)); got != c.want {
			t.Errorf("%q %v after half past one: %v, want %v", c.expression, c.after, got, c.want)
		}
	}
}

// TestDueByTheDaemonsClock: a daemon in a container may have another zone.
func TestDueByTheDaemonsClock(t *testing.T) {
	now := time.Date(2026, 11, 23, 19, 0, 0, 0, time.UTC)
	var got []Reason
	c := New(Options{
		Emit:      func(e Exit) { got = append(got, e.Reason) },
		Now:       func() time.Time { return now },
		OOMKilled: func(bool) Verdict { return No },
		Outlives:  func(int) func() bool { return nil },
		Zone:      func() *time.Location { return time.FixedZone("east", 8*60*60) },
	})
	c.Know([]pm2.Process{{Name: "job", PMID: 2, PID: 12, Status: "online", ExecMode: "fork", CronRestart: "0 3 * * *"}})
	for _, line := range []string{"[PM2] Deregistering a cron job on: 2", "Stopping app:job id:2", "App [job:2] exited with code [0] via signal [SIGINT]"} {
		c.Line(daemonlog.Parse([]byte(line)), true)
	}
	if len(got) != 1 || got[0] != Cron {
		t.Errorf("%v, want one end by cron", got)
	}
}
