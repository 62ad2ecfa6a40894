//go:build routes

package routes

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
)

// TestReloadsWithAndWithout: requests that get no answer while PM2 reloads an
// app that ends in order, beside the same app without pm25-ext. It holds nobody
// to a number: connections that a reload drops are PM2's.
func TestReloadsWithAndWithout(t *testing.T) {
	const reloads = 10
	table := doctable.New("PM2", "app", "reloads", "answered", "aborted by the client", "cut off or refused", "of them")
	for _, version := range []string{"7", "6"} {
		t.Run("PM2 "+version, func(t *testing.T) {
			d := pm2test.New(t, pm2test.Options{Version: version})
			newAgent(t, d)
			all := []*reloaded{{name: "without pm25-ext"}, {name: "with pm25-ext"}}
			for i, r := range all {
				r.app = fmt.Sprintf("app%d", i)
				spec, port := app(t, r.app, appPath("steady.js"), 2, map[string]string{"GRACEFUL": "1"})
				if i == 0 {
					spec.NodeArgs = nil
				}
				d.App(t, spec)
				listening(t, port)
				r.port, r.made, r.causes = port, map[key]uint64{}, map[string]int{}
			}
			for range reloads {
				for _, r := range all { // in turn, so that what else the host does meets both
					r.reload(t, d)
				}
			}
			for _, r := range all {
				aborted := r.made[key{"GET", "/drip", "aborted"}]
				if sum(r.made) < 20*reloads {
					t.Errorf("%s: only %d requests", r.name, sum(r.made))
				}
				table.Add(pm2Name(version), r.name, reloads, sum(r.made)-aborted, aborted, r.cut, r.why())
			}
		})
	}
	doc.Write(t, "reloads", table)
}

// reloaded is an app, and what became of the requests to it.
type reloaded struct {
	name, app string
	port      int
	made      map[key]uint64
	cut       int
	causes    map[string]int
}

// reload reloads the app once under load.
func (r *reloaded) reload(t *testing.T, d *pm2test.Daemon) {
	l := steadily(r.port, 3, true)
	time.Sleep(300 * time.Millisecond)
	d.Must(t, "reload", r.app)
	time.Sleep(300 * time.Millisecond)
	for k, n := range l.end() {
		r.made[k] += n
	}
	r.cut += l.cut
	for why, n := range l.causes {
		r.causes[why] += n
	}
}

// why says how many requests were cut off in which way.
func (r *reloaded) why() string {
	var parts []string
	for _, why := range slices.Sorted(maps.Keys(r.causes)) {
		parts = append(parts, fmt.Sprintf("%d %s", r.causes[why], why))
	}
	return strings.Join(parts, ", ")
}
