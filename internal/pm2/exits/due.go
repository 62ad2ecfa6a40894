package exits

import (
	"strings"
	"time"

	"github.com/pm25/pm25/internal/cron"
)

// due is true when a cron expression has one of its times at t, give or take
// the whole seconds of the log and a busy daemon. An expression that is not
// understood is taken to be due: its app is restarted by cron more often than
// by hand.
func due(expression string, t time.Time) bool {
	if expression == "" {
		return false
	}
	schedule, err := cron.Parse(expression, t)
	if err != nil || strings.Contains(expression, "?") { // which stands for a time that is not known here
		return true
	}
	next, ok := schedule.Next(t.Add(-2 * time.Second))
	return ok && !next.After(t)
}

// local is a time by the daemon's clock.
func (c *Classifier) local(t time.Time) time.Time {
	if zone := c.opts.Zone(); zone != nil {
		return t.In(zone)
	}
	return t
}
