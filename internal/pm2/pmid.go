package pm2

import (
	"strconv"
	"strings"
)

// parsePMID reads a process id of PM2: a number, or "_old_" and the number of
// its successor while a reload retires the worker. It is -1 for anything
// else, such as the daemon's own "PM2".
func parsePMID(text string) (id int, retired bool) {
	digits, retired := strings.CutPrefix(text, "_old_")
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil {
		return -1, false
	}
	return int(n), retired
}
