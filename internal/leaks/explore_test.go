package leaks

import (
	"fmt"
	"testing"
	"time"

	"github.com/pm25/pm25/rules"
)

func TestExplore(t *testing.T) {
	for _, per := range []float64{hours, days} {
		recs := load(t, per)
		r := newReplay(t, rules.File(rules.Default()))
		step := 3 * time.Minute
		if per == days {
			step = 10 * time.Minute
		}
		begin := time.Now()
		r.run(recs, step)
		end := recs[0].Samples[len(recs[0].Samples)-1].At
		fmt.Println("run", time.Since(begin), end)
		for _, a := range []string{"NodeHeapLeakFast", "NodeHeapLeakSlow", "PM2MemoryGrowth", "PM2MemoryNearRestartLimit", "PM2MemoryRestartLoop"} {
			for _, state := range []string{"pending", "firing"} {
				got := r.times(fmt.Sprintf(`ALERTS{alertname=%q,alertstate=%q}`, a, state), end, step)
				for _, rec := range recs {
					if at := got[rec.Name]; len(at) > 0 {
						fmt.Println(a, state, rec.Name, "first", at[0], "n", len(at), "room", rec.room(at[0]))
					}
				}
			}
		}
	}
}

func (r Recording) room(at time.Duration) string {
	first := map[string]float64{}
	_ = first
	start := time.Duration(max(0, r.Leaks) * float64(time.Hour))
	var s0, s1 Sample
	for _, s := range r.Samples {
		if s.At <= start+15*time.Minute {
			s0 = s
		}
		if s.At <= at {
			s1 = s
		}
	}
	return fmt.Sprintf("heap %.2f rss %.2f", (s1.HeapAfterGC-s0.HeapAfterGC)/(r.HeapLimit-s0.HeapAfterGC), (s1.RSS-s0.RSS)/(r.MemoryLimit-s0.RSS))
}
