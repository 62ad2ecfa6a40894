package rules

import "strings"

// What leaks are sought in: series of one sample a minute.
const (
	heap   = "pm2_process:nodejs_heap_used_after_gc_bytes:last"
	trough = "pm2_process:tree_resident_memory_bytes:min15m"
)

// leakRecords describe the course of what leaks are sought in.
func leakRecords() []Record {
	all := append(course(heap), course(trough)...)
	base := level(heap)
	return append(all,
		Record{
			Name: base + ":min1d",
			Expr: `min_over_time(` + heap + `[1d:10m])`,
			Why:  "The daily floor; a value every ten minutes is enough for it.",
		},
		Record{
			Name: base + ":slope1d",
			Expr: `deriv(` + heap + `[1d:10m])`,
			Why:  "Bytes a second.",
		},
		Record{
			Name: base + ":fit1d",
			Expr: base + `:slope1d ^ 2 * 86400 ^ 2 / 12
/ stdvar_over_time(` + heap + `[1d:10m])`,
			Why: "R² over a day. A sine of one day reaches 0.61.",
		},
		Record{
			Name: "pm2_process:tree_cpu_seconds:rate1h",
			Expr: `sum without (mode) (rate(pm2_process_cpu_seconds_total[1h]))
+ rate(pm2_process_children_cpu_seconds_total[1h])`,
			Why: "How much a process and its children have to do.",
		},
	)
}

// level is a recorded series' name without its operations.
func level(series string) string { return series[:strings.LastIndex(series, ":")] }

// course is what is recorded of the last five hours of a series.
func course(series string) []Record {
	base := level(series)
	expand := func(expr string) string { return strings.NewReplacer("$SERIES", series, "$BASE", base).Replace(expr) }
	return []Record{
		{
			Name: base + ":slope5h",
			Expr: expand(`deriv($SERIES[5h])`),
			Why:  "Bytes a second. In shorter windows caches that warm up look like leaks.",
		},
		{
			Name: base + ":fit5h",
			Expr: expand(`$BASE:slope5h ^ 2 * (5 * 3600) ^ 2 / 12
/ stdvar_over_time($SERIES[5h])`),
			Why: "R²: the share of the variance that a straight line explains. Evenly spaced moments in a window W have the variance W²/12,\n" +
				"so the slope's square times that is what the line explains. NaN, which is no alert, where nothing moves.",
		},
		{
			Name: base + ":pace2h",
			Expr: expand(`deriv($SERIES[2h]) / $BASE:slope5h`),
			Why:  "Whether it still climbs: the slope of the last two hours as a share of that of five.",
		},
		{
			Name: base + ":avg1h",
			Expr: expand(`avg_over_time($SERIES[1h])`),
		},
		{
			Name: base + ":settles4h",
			Expr: expand(`$BASE:avg1h
+ ($BASE:avg1h - $BASE:avg1h offset 2h) ^ 2
/ clamp_min(2 * ($BASE:avg1h offset 2h) - $BASE:avg1h - ($BASE:avg1h offset 4h), 1)`),
			Why: "Where it comes to rest if it goes on to slow down as it has: of a cache that fills, each two hours add the same share of what\n" +
				"the two before added, and the sum of those that are still to come is finite. Huge where nothing slows down.",
		},
	}
}

// leak is true of a process whose series grows towards its limit in a straight
// line for five hours, and neither because a cache fills nor because its day
// begins.
func leak(series, limit string) string {
	return strings.NewReplacer("$SERIES", series, "$BASE", level(series), "$LIMIT", limit).Replace(`(
  $SERIES + 86400 * $BASE:slope5h > ${heap_growth_ratio} * $LIMIT
  and $BASE:fit5h > ${leak_fit}
  and $BASE:pace2h > 0.3
  and $BASE:settles4h > ${heap_growth_ratio} * $LIMIT
  and $SERIES offset 5h
  and time() - pm2_process_start_time_seconds > 5.25 * 3600
)
unless (
  $SERIES < 1.1 * max_over_time($SERIES[2h] offset 23h)
  and time() - pm2_process_start_time_seconds > 30 * 3600
)
unless (
  pm2_process:tree_cpu_seconds:rate1h > 1.25 * (pm2_process:tree_cpu_seconds:rate1h offset 4h)
  and $SERIES < 0.7 * $LIMIT
  unless (($SERIES offset 1d) and time() - pm2_process_start_time_seconds > 30 * 3600)
)`)
}

// leakWhy is what the leak alerts of five hours have in common.
const leakWhy = `In the order of the lines: in a day it is near its limit, at the pace of five hours; a straight line fits; the last two hours
still climb; and if it slows down as it has, it still comes near its limit (caches that fill do not). Five hours of data, and of
one process.
Silent: no higher than at this hour of the day before, give or take one, which is a daily cycle; and a process younger than 30 h
that has more to do than four hours ago, which may be one. Near the limit garbage collection itself is work, so not there.`
