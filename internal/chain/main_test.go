//go:build chain

package chain

import (
	"context"
	"fmt"
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

func median(sorted []time.Duration) time.Duration {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
