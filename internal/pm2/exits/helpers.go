package exits

import (
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"golang.org/x/sys/unix"

	"github.com/pm25/pm25/internal/pm2/daemonlog"
)

// exitCode is the code, or 128 plus the number of the signal.
func exitCode(l daemonlog.Line) int {
	if l.Code == 0 && l.Signal != "SIGINT" {
		if n := unix.SignalNum(l.Signal); n > 0 {
			return 128 + int(n)
		}
	}
	return l.Code
}

// sameName keeps a name that is already known when a line of the log holds
// only the last line of it.
func sameName(known, read string) string {
	if strings.ContainsRune(known, '\uFFFD') {
		return known
	}
	return read
}

// due is true when a cron expression has one of its times at t, give or take
// the whole seconds of the log and a busy daemon. An expression that is not
// understood is taken to be due: its app is restarted by cron more often than
// by hand.
func due(expression string, t time.Time) bool {
	if expression == "" {
		return false
	}
	parser := cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	schedule, err := parser.Parse(expression)
	if err != nil {
		return true
	}
	return !schedule.Next(t.Add(-2 * time.Second)).After(t)
}
