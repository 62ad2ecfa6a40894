package exits

import (
	"strings"

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
