package exits

import (
	"fmt"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2/daemonlog"
)

// TestAppsThatComeAndGo: PM2 gives each start of a new app a new id, and what
// is known of the old ones must not be kept.
func TestAppsThatComeAndGo(t *testing.T) {
	now, n := noon, 0
	c := New(Options{
		Emit:      func(Exit) { n++ },
		Now:       func() time.Time { return now },
		OOMKilled: func(bool) Verdict { return No },
		Outlives:  func(int) func() bool { return nil },
		Zone:      func() *time.Location { return nil },
	})
	for id := range 5000 {
		for _, line := range []string{
			"App [app%d:%[1]d] starting in -fork mode-", "Change detected on path a.js for app app%d - restarting",
			"Stopping app:app%d id:%[1]d", "App [app%d:%[1]d] exited with code [0] via signal [SIGINT]",
		} {
			c.Line(daemonlog.Parse(fmt.Appendf(nil, line, id)), true)
		}
		now = now.Add(time.Second)
		if id%10 == 0 {
			c.Describe(nil)
		}
	}
	c.Flush()
	c.Describe(nil)
	if n != 5000 || len(c.slots) > 100 || len(c.changed) > 100 {
		t.Errorf("%d ends; %d processes and %d changes are remembered", n, len(c.slots), len(c.changed))
	}
	// What is on its way out is not forgotten before its end was counted.
	c.Line(daemonlog.Parse([]byte("Stopping app:x id:9000")), true)
	c.Describe(nil)
	var last Exit
	c.opts.Emit = func(e Exit) { last = e }
	c.Line(daemonlog.Parse([]byte("App [x:9000] exited with code [1] via signal [SIGINT]")), true)
	c.Flush()
	if last.Reason != Operator {
		t.Errorf("a stop by an operator is %s", last.Reason)
	}
}
