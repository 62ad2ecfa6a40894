package rules

import "strings"

// What leaks are sought in: series of one sample a minute.
const (
	heap   = "pm2_process:nodejs_heap_used_after_gc_bytes:last"
	trough = "pm2_process:tree_resident_memory_bytes:min15m"
)

// leakRecords describe the course of what leaks are sought in.
func leakRecords() (all []Record) {
	for _, series := range []string{heap, trough} {
		base := series[:strings.LastIndex(series, ":")]
		all = append(all,
			Record{
				Name: base + ":slope5h",
				Expr: `deriv(` + series + `[5h])`,
				Why:  "Bytes a second. In shorter windows caches that warm up look like leaks.",
			},
			Record{
				Name: base + ":fit5h",
				Expr: base + `:slope5h ^ 2 * (5 * 3600) ^ 2 / 12
/ stdvar_over_time(` + series + `[5h])`,
				Why: "R²: the share of the variance that a straight line explains. Evenly spaced moments in a window W have the variance W²/12,\nso the slope's square times that is what the line explains. NaN, which is no alert, where nothing moves.",
			},
			Record{
				Name: base + ":pace2h",
				Expr: `deriv(` + series + `[2h]) / ` + base + `:slope5h`,
				Why:  "Whether it still climbs: the slope of the last two hours as a share of that of five.",
			},
		)
	}
	return append(all, Record{
		Name: "pm2_process:nodejs_heap_used_after_gc_bytes:min1d",
		Expr: `min_over_time(` + heap + `[1d:10m])`,
		Why:  "The daily floor; a value every ten minutes is enough for it.",
	}, Record{
		Name: "pm2_process:tree_cpu_seconds:rate1h",
		Expr: `sum without (mode) (rate(pm2_process_cpu_seconds_total[1h]))
+ rate(pm2_process_children_cpu_seconds_total[1h])`,
		Why: "How much a process and its children have to do.",
	})
}

// leak is true of a process whose series grows towards its limit in a straight
// line for five hours, and neither because its cache fills nor because its day
// begins.
func leak(series, limit string) string {
	base := series[:strings.LastIndex(series, ":")]
	return strings.NewReplacer("$SERIES", series, "$BASE", base, "$LIMIT", limit).Replace(`(
  $SERIES + 2 * 86400 * $BASE:slope5h > ${heap_growth_ratio} * $LIMIT
  and $BASE:fit5h > ${leak_fit}
  and $BASE:pace2h > 0.3
  and $SERIES offset 5h
  and time() - pm2_process_start_time_seconds > 5.25 * 3600
)
unless (
  $SERIES < 1.1 * ($SERIES offset 1d)
  and time() - pm2_process_start_time_seconds > 30 * 3600
)
unless (
  pm2_process:tree_cpu_seconds:rate1h > 1.25 * (pm2_process:tree_cpu_seconds:rate1h offset 4h)
  unless (($SERIES offset 1d) and time() - pm2_process_start_time_seconds > 30 * 3600)
)`)
}

// leakWhy is what the forms of leak alerts have in common.
const leakWhy = "TODO"
