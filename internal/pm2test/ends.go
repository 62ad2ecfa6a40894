package pm2test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Ends are what a daemon's own log says of ends of apps and of giving up: the
// moment at which something happened, whoever else has seen it.
type Ends struct {
	mu   sync.Mutex
	ends map[string][]time.Time // by app
	gave []time.Time
}

// FollowEnds reads the daemon's log until the test ends.
func (d *Daemon) FollowEnds(t testing.TB) *Ends {
	t.Helper()
	e := &Ends{ends: map[string][]time.Time{}}
	d.FollowLog(t, e.line)
	return e
}

func (e *Ends) line(line []byte, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if app, ok := between(string(line), "App [", ":", "] exited with code ["); ok {
		e.ends[app] = append(e.ends[app], at)
	}
	if _, ok := between(string(line), "had too many unstable restarts", "errored"); ok {
		e.gave = append(e.gave, at)
	}
}

// End is when the nth end of an app was told, if it was.
func (e *Ends) End(app string, n int) (time.Time, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.ends[app]) < n {
		return time.Time{}, false
	}
	return e.ends[app][n-1], true
}

// Count is how often an app has ended.
func (e *Ends) Count(app string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.ends[app])
}

// GaveUp is when PM2 gave up an app after a time, if it did.
func (e *Ends) GaveUp(after time.Time) (time.Time, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.IndexFunc(e.gave, after.Before)
	if i < 0 {
		return time.Time{}, false
	}
	return e.gave[i], true
}

// between returns what stands between two marks, where all others follow in
// order.
func between(line, from, to string, others ...string) (string, bool) {
	_, rest, ok := strings.Cut(line, from)
	if !ok {
		return "", false
	}
	text, rest, ok := strings.Cut(rest, to)
	for _, o := range others {
		var found bool
		_, rest, found = strings.Cut(rest, o)
		ok = ok && found
	}
	return text, ok
}
