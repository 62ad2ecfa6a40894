package leaks

import (
	"fmt"
	"testing"
	"time"

	"github.com/pm25/pm25/rules"
)

func TestDebug(t *testing.T) {
	recs := load(t, hours)
	for _, rec := range recs {
		if rec.Name == "leak_fast" {
			recs = []Recording{rec}
			break
		}
	}
	r := newReplay(t, rules.File(rules.Default()))
	r.run(recs, 2*time.Minute)
	end := 18 * time.Hour
	for _, q := range []string{
		`pm2_process:nodejs_heap_used_after_gc_bytes:last`, `pm2_process:nodejs_heap_used_after_gc_bytes:slope5h`, `pm2_process:nodejs_heap_used_after_gc_bytes:fit5h`,
		`pm2_process:nodejs_heap_used_after_gc_bytes:pace2h`, `pm2_process:tree_cpu_seconds:rate1h`, `pm2_process:tree_resident_memory_bytes:fit5h`, `ALERTS`,
	} {
		qq, err := r.eng.NewRangeQuery(t.Context(), r.db, nil, q, epoch, epoch.Add(end), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		m, err := qq.Exec(t.Context()).Matrix()
		fmt.Println(q, err)
		for _, s := range m {
			fmt.Print("  ", s.Metric.Get("alertname"), s.Metric.Get("alertstate"), " ")
			for _, p := range s.Floats {
				fmt.Printf("%.3g@%v ", p.F, time.UnixMilli(p.T).Sub(epoch).Hours())
			}
			fmt.Println()
		}
	}
}
