package rules

import "time"

func memory() Group {
	return Group{
		Name:     "pm25-memory",
		Interval: time.Minute,
		Why: "Leaks take hours. What these rules look at is recorded once a minute, so that windows of hours hold hundreds of samples\n" +
			"and not thousands, whatever the scrape interval.",
		Records: append(memoryRecords(), leakRecords()...),
		Alerts: []Alert{
			nodeHeapLeakFast(),
			nodeHeapLeakSlow(),
			memoryGrowth(),
			memoryNearRestartLimit(),
			memoryRestartLoop(),
		},
	}
}

// memoryRecords are what a process uses, and what it may.
func memoryRecords() []Record {
	return []Record{
		{
			Name: "pm2_process:tree_resident_memory_bytes:sum",
			Expr: `(pm2_process_resident_memory_bytes + pm2_process_children_resident_memory_bytes)
or pm2_process_resident_memory_bytes`,
			Why: "With children: under `script: npm` the app is one. Where the kernel can not be asked, PM2 tells the process's own.",
		},
		{
			Name: trough,
			Expr: `min_over_time(pm2_process:tree_resident_memory_bytes:sum[15m])`,
			Why:  "What is left when requests are done. A sample that is missing does not lower it: what can not be read is absent, never 0.",
		},
		{
			Name: "pm2_process:memory_limit_bytes:min",
			Expr: `pm2_process_memory_limit_bytes
or
(pm2_process_resident_memory_bytes > bool 0)
  * ` + processesOfTarget + ` group_left () (${memory_host_ratio} * pm2_host_memory_total_bytes)`,
			Why: "max_memory_restart, or a share of what the host has.",
		},
		{
			Name: heap,
			Expr: `nodejs_heap_used_after_gc_bytes`,
			Why:  "What is still in use after garbage was taken away. min_over_time() of the heap is that only where a major collection\nfalls into every window, and quiet services go without one for more than half an hour.",
		},
	}
}
