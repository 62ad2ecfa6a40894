//go:build matrix

package matrix

import (
	"flag"
	"testing"

	"github.com/pm25/pm25/internal/pm2test"
)

var docs = flag.String("docs", "../../docs/life-events.md", "`file` to write the tables to after a complete run without a failure; empty for none")

// TestMatrix tries every event in every way on every PM2.
func TestMatrix(t *testing.T) {
	seen := map[string]results{}
	for _, version := range pm2test.Versions() {
		t.Run("pm2-"+version, func(t *testing.T) {
			b := newBench(t, version)
			got := results{}
			for _, w := range []way{live, away, rotated, lost} {
				t.Run(w.name, func(t *testing.T) {
					b.t = t
					got.add(w, ofApps(), b.play(ofApps(), w))
				})
				b.t = t
			}
			for _, list := range ofDaemons() {
				for _, w := range []way{live, away, rotated} {
					t.Run(slug(list[0].name)+"/"+w.name, func(t *testing.T) {
						b.t = t
						got.add(w, list, b.play(list, w))
					})
					b.t = t
				}
			}
			t.Run("agent-restarted-meanwhile", func(t *testing.T) { agentRestartedMeanwhile(t, b) })
			t.Run("agent-killed", func(t *testing.T) { agentKilled(t, b) })
			t.Run("watched-workers", func(t *testing.T) { watchedWorkers(t, b) })
			t.Run("log-emptied", func(t *testing.T) { logEmptied(t, b) })
			b.t = t
			seen[version] = got
		})
	}
	if *docs != "" && !t.Failed() {
		writeDocs(t, *docs, seen)
	}
}
