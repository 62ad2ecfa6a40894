package rules

import (
	"fmt"
	"strings"
	"time"
)

// What leaks are sought in: series of one sample a minute.
const (
	heap   = "pm2_process:nodejs_heap_used_after_gc_bytes:last"
	trough = "pm2_process:tree_resident_memory_bytes:min15m"
)

// window is the time over which growth is judged.
type window struct {
	name   string // as an offset and in the names of recording rules
	length time.Duration
	step   string // of subqueries: where a window would hold too many samples
}

// ahead is how many windows growth is drawn out. A cache that fills with a longer
// time constant than that is never taken for a leak; of one with a shorter one, a
// window shows that it slows down.
const ahead = 3

// fiveHours show what is full within 15 hours. Shorter windows take each cache that
// warms up for a leak.
func fiveHours() window { return window{name: "5h", length: 5 * time.Hour} }

// oneDay shows what is full within three days.
func oneDay() window { return window{name: "1d", length: 24 * time.Hour, step: ":10m"} }

// text puts a series and the window into an expression.
func (w window) text(series, expr string) string {
	third := w.length / 3
	return strings.NewReplacer(
		"$SERIES", series,
		"$BASE", series[:strings.LastIndex(series, ":")],
		"$WINDOW", w.name,
		"$RANGE", w.name+w.step,
		"$THIRDS", minutes(third)+w.step,
		"$THIRD", minutes(third),
		"$TWO", minutes(2*third),
		"$SECONDS", fmt.Sprint(w.length.Seconds()),
		"$HORIZON", fmt.Sprint(ahead*w.length.Seconds()),
	).Replace(expr)
}

func minutes(d time.Duration) string { return fmt.Sprintf("%.0fm", d.Minutes()) }

// leakRecords describe the course of what leaks are sought in.
func leakRecords() (all []Record) {
	all = append(all, fiveHours().course(heap)...)
	all = append(all, oneDay().course(heap)...)
	all = append(all, fiveHours().course(trough)...)
	return append(all,
		Record{
			Name: "pm2_process:nodejs_heap_used_after_gc_bytes:min1d",
			Expr: `min_over_time(` + heap + `[1d:10m])`,
			Why:  "The daily floor; a value every ten minutes is enough for it.",
		},
		Record{
			Name: "pm2_process:tree_cpu_seconds:rate1h",
			Expr: `sum without (mode) (rate(pm2_process_cpu_seconds_total[1h]))
+ rate(pm2_process_children_cpu_seconds_total[1h])`,
			Why: "How much a process and its children have to do.",
		},
	)
}

// course is what is recorded of a series' last window.
func (w window) course(series string) []Record {
	record := func(name, expr, why string) Record {
		return Record{Name: w.text(series, name), Expr: w.text(series, expr), Why: why}
	}
	return []Record{
		record(`$BASE:slope$WINDOW`, `deriv($SERIES[$RANGE])`, "Bytes a second."),
		record(`$BASE:fit$WINDOW`, `$BASE:slope$WINDOW ^ 2 * $SECONDS ^ 2 / 12
/ stdvar_over_time($SERIES[$RANGE])`,
			"R²: the share of the variance that a straight line explains. Evenly spaced moments in a window W have the variance W²/12,\n"+
				"so the slope's square times that is what the line explains. NaN, which is no alert, where nothing moves."),
		record(`$BASE:third$WINDOW`, `avg_over_time($SERIES[$THIRDS])`, "The mean of the window's last third."),
		record(`$BASE:rest$WINDOW`, `$BASE:third$WINDOW
+ ($BASE:third$WINDOW - $BASE:third$WINDOW offset $THIRD) ^ 2
/ clamp_min(2 * ($BASE:third$WINDOW offset $THIRD) - $BASE:third$WINDOW - ($BASE:third$WINDOW offset $TWO), 1)`,
			"Where it comes to rest if it goes on to slow down as it has: of a cache that fills, each third of the window adds the same share\n"+
				"of what the third before added, and the sum of all that are still to come is finite. Huge where nothing slows down."),
	}
}

// leak is true of a process whose series grows towards its limit in a straight
// line.
func (w window) leak(series, limit string) string {
	return w.text(series, strings.ReplaceAll(`$SERIES + $HORIZON * $BASE:slope$WINDOW > ${heap_growth_ratio} * $LIMIT
  and $BASE:rest$WINDOW > ${heap_growth_ratio} * $LIMIT
  and $BASE:fit$WINDOW > ${leak_fit}
  and $SERIES offset $WINDOW
  and time() - pm2_process_start_time_seconds > $SECONDS + 900`, "$LIMIT", limit))
}

// leakFast is a leak in five hours, and not because the process has more to do.
func leakFast(series, limit string) string {
	return strings.NewReplacer("$SERIES", series, "$LIMIT", limit, "$LEAK", fiveHours().leak(series, limit)).Replace(`(
  $LEAK
)
unless (
  $SERIES < 1.1 * max_over_time($SERIES[2h] offset 23h)
  and time() - pm2_process_start_time_seconds > 26 * 3600
)
unless (
  pm2_process:tree_cpu_seconds:rate1h > 1.25 * (pm2_process:tree_cpu_seconds:rate1h offset 4h)
  and $SERIES < 0.7 * $LIMIT
)`)
}

// leakWhy is what the leak alerts of five hours have in common.
const leakWhy = `In the order of the lines: at the pace of five hours it is near its limit in 15; if it slows down as it has, it still comes
near it (a cache that fills does not); a straight line fits; there are five hours of data; and they are of one process, without
its first quarter of an hour.
Silent: no higher than at this hour of the day before, give or take one, which is a daily cycle; and where there is more to do
than four hours ago. Near the limit garbage collection itself is work, so not there; before, it hides a leak for minutes, hence
an hour of keep_firing_for.`
