//go:build arrivals

package arrivals

import (
	"fmt"
	"testing"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
)

const memoryOfGroup = 400 << 20

// TestKernelKills: the kernel kills an app in a cgroup with too little memory,
// as it does in a container.
func TestKernelKills(t *testing.T) {
	table := doctable.New("PM2", "fork", "cluster of 2")
	for _, major := range pm2test.Versions() {
		t.Run("PM2 "+major, func(t *testing.T) {
			row := []any{major}
			for _, workers := range []int{0, 2} {
				row = append(row, killed(t, major, workers))
			}
			table.Add(row...)
		})
	}
	doc.Write(t, "kernel", table)
}

func killed(t *testing.T, major string, workers int) string {
	group := pm2test.LimitedCgroup(t, memoryOfGroup)
	s := newStore(t)
	d := pm2test.New(t, pm2test.Options{Version: major})
	pm2test.MoveToCgroup(t, group, d.PID())
	h := newHost(t, d, s, "web-1", s.tokenFile(t, "shop"))
	v := variant{workers: workers}
	c, stage := cause{name: "kernel"}, newStage(t)
	d.App(t, stage.app(c, v))
	h.sees(v.processes())
	stage.goes(t)
	pm2test.Eventually(t, patience, func() error {
		if ended := h.ended(t, c.name); stage.done(c) < v.processes() || ended < v.processes() {
			return fmt.Errorf("begun %d times, ended %d times", stage.done(c), ended)
		}
		return nil
	})
	h.flush()
	runs := map[string]int{}
	pm2test.Eventually(t, patience, func() error {
		clear(runs)
		n := 0
		for _, r := range fetched[[]api.Run](t, s, "/api/v1/runs?bucket=shop&app=kernel") {
			if r.Ended == nil {
				continue
			}
			n++
			runs[r.Reason+" "+r.Signal]++
			if r.PeakMemory < 32<<20 || r.Version != version || r.Host != "web-1" {
				t.Errorf("the run: %+v", r)
			}
		}
		if n < v.processes() {
			return fmt.Errorf("%d runs have ended", n)
		}
		return nil
	})
	ended := h.ended(t, c.name)
	got := s.loki(t, `sum by (reason) (count_over_time({kind="exit", app="kernel"}[1h]))`, "reason")
	if ended != v.processes() || got["oom_kill"] != ended || len(got) != 1 || runs["oom_kill SIGKILL"] != ended || h.sumOf(t, "pm2_app_exits_total", c.name) != ended {
		t.Errorf("ended %d times: %v, runs %v", ended, got, runs)
	}
	return fmt.Sprintf("ends %d → %d (oom_kill)", ended, got["oom_kill"])
}
