//go:build chain

package chain

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
	"github.com/pm25/pm25/internal/uptest"
)

var programs proctest.Builder

func TestMain(m *testing.M) { programs.Main(m) }

var doc = doctable.Doc{Path: "../../docs/alert-times.md", Env: "PM25_CHAIN_WRITE"}

// tell is how soon the webhook has to hear of a cause.
const tell = time.Minute

// Apps that go wrong: one lives for a second and throws, one never gets so far
// and is given up by PM2 after 16 starts.
func looping(name string) pm2test.AppSpec {
	return pm2test.AppSpec{Name: name, Do: []pm2test.Cmd{{"do": "throw", "after": 1000}}}
}

func hopeless(name string) pm2test.AppSpec {
	return pm2test.AppSpec{Name: name, Script: pm2test.Root() + "/internal/chain/apps/hopeless.js"}
}

// await asks until it is told yes.
func await(ctx context.Context, what string, yes func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not in time", what)
		case <-tick.C:
		}
	}
	return nil
}

// awaitTold waits for an alert with the status and labels; see Webhook.Told.
func awaitTold(ctx context.Context, hook *uptest.Webhook, statusAndLabels ...string) (uptest.Told, error) {
	var told []uptest.Told
	err := await(ctx, fmt.Sprintf("told of %q", statusAndLabels), func() bool {
		told = hook.Told(statusAndLabels...)
		return len(told) > 0
	})
	if err != nil {
		return uptest.Told{}, err
	}
	return told[0], nil
}

// events are what the log of a PM2 says of ends and of giving up.
type events struct {
	mu   sync.Mutex
	ends map[string][]time.Time // by app
	gave []time.Time
}

func follow(t testing.TB, d *pm2test.Daemon) *events {
	t.Helper()
	e := &events{ends: map[string][]time.Time{}}
	d.FollowLog(t, e.line)
	return e
}

func (e *events) line(line []byte, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if app, ok := between(string(line), "App [", ":", "] exited with code ["); ok {
		e.ends[app] = append(e.ends[app], at)
	}
	if _, ok := between(string(line), "had too many unstable restarts", "errored"); ok {
		e.gave = append(e.gave, at)
	}
}

// end is when the nth end of an app was told, if it was.
func (e *events) end(app string, n int) (time.Time, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.ends[app]) < n {
		return time.Time{}, false
	}
	return e.ends[app][n-1], true
}

func (e *events) count(app string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.ends[app])
}

// gaveUp is when PM2 gave up an app after a time, if it did.
func (e *events) gaveUp(after time.Time) (time.Time, bool) {
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

func median(sorted []time.Duration) time.Duration {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
