package discovery

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/safefile"
)

// zoneOf is the time zone of a daemon, whose log and cron jobs go by it; nil
// where that can not be told. root is what the daemon sees as /.
//
// Of the environment nothing but TZ is looked at, and that only to find the
// zone of this name.
func zoneOf(environ []byte, root string) *time.Location {
	if environ == nil {
		return nil
	}
	for v := range strings.SplitSeq(string(environ), "\x00") {
		name, ok := strings.CutPrefix(v, "TZ=")
		if !ok {
			continue
		}
		name = strings.TrimPrefix(name, ":")
		if name == "Local" {
			return nil // a word of this program's only
		}
		zone, err := time.LoadLocation(name)
		if err != nil {
			return nil
		}
		return zone
	}
	if _, err := os.Stat(root); err != nil {
		return nil // we may not look, or it is gone
	}
	f, _, err := safefile.Open(root, "/etc/localtime", 0, 64<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return time.UTC
	}
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return nil
	}
	zone, err := time.LoadLocationFromTZData("daemon", data)
	if err != nil {
		return nil
	}
	return zone
}
