//go:build alerts && linux

package alerts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/notify/robottest"
	"github.com/pm25/pm25/internal/uptest"
)

// TestStorm lets a thousand alerts come at once, of which the hosts that are down
// explain some.
func TestStorm(t *testing.T) {
	const mib = 1 << 20
	hook := uptest.NewWebhook(t)
	chat, receivers := newRobot(t)
	u := uptest.Start(t, uptest.Options{Program: programs.Program(t, "pm25"), Args: []string{"--alert.receivers-file=" + receivers(hook.URL)}})
	storm := uptest.Storm{Hosts: 100, Apps: 10, Down: 40}
	r := storm.Run(t, u, hook)
	if r.Delivered != r.Sent-r.Inhibited || r.Twice > 0 {
		t.Errorf("%d alerts were told, %d of them more than once: want %d, once", r.Delivered, r.Twice, r.Sent-r.Inhibited)
	}
	if r.Last > 2*time.Minute {
		t.Errorf("the last was told after %v", r.Last)
	}
	table := doctable.New("", "measured")
	table.Add("alerts at once", fmt.Sprintf("%d: %d hosts with %d apps, %d hosts down", r.Sent, storm.Hosts, storm.Apps, storm.Down))
	table.Add("taken by the API after, s", r.Accepted.Seconds())
	table.Add("held back, because their host is down", r.Inhibited)
	table.Add("told", r.Delivered)
	table.Add("messages", r.Requests)
	table.Add("alerts in the largest message", r.Largest)
	table.Add("first told after, s", r.First.Seconds())
	table.Add("last told after, s", r.Last.Seconds())
	table.Add("memory before, MiB", float64(r.Before)/mib)
	table.Add("memory at most, MiB", float64(r.Peak)/mib)
	chatted(t, u, chat, r.Requests, table)
	doc.Write(t, "storm", table)
	u.Stop()
}

// chatted holds that a DingTalk robot, which takes 20 messages a minute, got one for
// each of the webhook's, or fewer where it was told in digests, and all apps are
// named in them.
func chatted(t *testing.T, u *uptest.Up, chat *robottest.Robot, requests int, table *doctable.Table) {
	t.Helper()
	var text strings.Builder
	eventually(t, 3*time.Minute, func() error {
		text.Reset()
		for _, m := range chat.Taken() {
			text.WriteString(m.Text)
		}
		for a := range 10 {
			if app := fmt.Sprintf("app-%d", a); !strings.Contains(text.String(), app) {
				return fmt.Errorf("the robot was not told of %s", app)
			}
		}
		_, metrics, err := u.Get("/metrics")
		for line := range strings.Lines(metrics) {
			if strings.HasPrefix(line, "pm25_notify_waiting") && !strings.HasSuffix(line, " 0\n") {
				err = fmt.Errorf("messages wait: %s", line)
			}
		}
		return err
	})
	largest := 0
	for _, m := range chat.Taken() {
		largest = max(largest, m.Bytes)
	}
	if n := len(chat.Taken()); n > requests || n != len(chat.Asked()) {
		t.Errorf("the robot took %d of %d messages, the webhook %d", n, len(chat.Asked()), requests)
	}
	table.Add("messages that a DingTalk robot took, and refused", fmt.Sprintf("%d, %d", len(chat.Taken()), len(chat.Asked())-len(chat.Taken())))
	table.Add("bytes of the largest of them", largest)
}
