//go:build faults

package servertest

import (
	"testing"
	"time"
)

const away = 10 * time.Minute

// TestLongOutage: the server is away for ten minutes in which an app crashes
// five times.
func TestLongOutage(t *testing.T) {
	t.Parallel()
	o := newOutage(t, 95*time.Second)
	o.server.Kill()
	back := time.Now().Add(away)
	o.crash(away)
	time.Sleep(time.Until(back))
	o.server.Again()
	o.server.Ready()
	o.arrive(crashes) // each in a minute of its own
	o.stop()
}
