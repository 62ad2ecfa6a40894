package matrix

import (
	"os"
	"slices"
	"testing"
)

// smoke are the actions that every run of the tests tries.
var smoke = []*action{throw, exit0, exit3, sigkill, restart, reload, stop, scaleUp, scaleDown, overlimit}

// TestSmoke is the short form of TestMatrix, against one PM2.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PM2 and some thirty apps")
	}
	list := slices.DeleteFunc(ofApps(), func(e event) bool { return !slices.Contains(smoke, e.act) })
	b := newBench(t, os.Getenv("PM25_TEST_PM2"))
	for _, w := range []way{live, away} {
		t.Run(w.name, func(t *testing.T) {
			b.t = t
			b.play(list, w)
		})
		b.t = t
	}
}
