package leaks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	promrules "github.com/prometheus/prometheus/rules"
)

// guard is a part of an alert that keeps it silent, and how it is taken away: a text
// in the expression, as the engine writes it, and one that makes it always true.
type guard struct{ name, alert, text, always string }

// guards lists those of the leak alerts.
func guards() (all []guard) {
	for _, of := range [][2]string{{"NodeHeapLeakFast", "pm2_process:nodejs_heap_used_after_gc_bytes"}, {"PM2MemoryGrowth", "pm2_process:tree_resident_memory_bytes"}} {
		alert, base := of[0], of[1]
		all = append(all,
			guard{"near its limit in 15 h", alert, " + 54000 * ", " + 5.4e6 * "},
			guard{"does not come to rest below", alert, base + ":rest5h > 0.9 * ", base + ":rest5h > 0 * "},
			guard{"a straight line fits", alert, base + ":fit5h > 0.9", base + ":fit5h > 0"},
			guard{"of one process", alert, " > 18000 + 900", " > 0"},
			guard{"higher than at this hour yesterday", alert, " < 1.1 * max_over_time", " < 0 * max_over_time"},
			guard{"not more to do", alert, "rate1h > 1.25 * ", "rate1h > 1e9 * "},
			guard{"for half an hour", alert, "", ""},
		)
	}
	base, alert := "pm2_process:nodejs_heap_used_after_gc_bytes", "NodeHeapLeakSlow"
	return append(all,
		guard{"near its limit in three days", alert, " + 259200 * ", " + 2.592e7 * "},
		guard{"does not come to rest below", alert, base + ":rest1d > 0.9 * ", base + ":rest1d > 0 * "},
		guard{"a straight line fits", alert, base + ":fit1d > 0.9", base + ":fit1d > 0"},
		guard{"of one process", alert, " > 86400 + 900", " > 0"},
		guard{"the second floor rises as well", alert, base + ":min1d offset 1d > 1.05 * ", base + ":min1d offset 1d > 0 * "},
		guard{"and by as much", alert, " > 0.7 * ", " > -100 * "},
		guard{"of one process, floors", alert, " > 3.5 * 86400", " > 0"},
		guard{"for six hours", alert, "", ""},
	)
}

// needed lists by guard the healthy scenarios in which an alert would fire, or
// longer, without it.
func (r *replay) needed(all []told) map[guard][]string {
	r.t.Helper()
	found := map[guard][]string{}
	for _, g := range guards() {
		rule := r.rule(g.alert)
		expr, hold := rule.Query().String(), rule.HoldDuration()
		if g.text == "" {
			hold = 0
		} else if !strings.Contains(expr, g.text) {
			r.t.Errorf("%s: no %q in %s", g.name, g.text, expr)
		}
		times := r.times(strings.ReplaceAll(expr, g.text, g.always), all[0].Length, all[0].step)
		for _, x := range all {
			moments := slices.DeleteFunc(slices.Clone(times[x.Name]), func(at time.Duration) bool { return at <= x.Until })
			if n := fires(moments, x.step, hold); n > 0 && x.Leaks < 0 {
				found[g] = append(found[g], fmt.Sprintf("%s %.0f min", x.Name, n.Minutes()))
			}
		}
	}
	return found
}

func (r *replay) rule(name string) *promrules.AlertingRule {
	r.t.Helper()
	for _, rule := range r.group.Rules() {
		if a, ok := rule.(*promrules.AlertingRule); ok && a.Name() == name {
			return a
		}
	}
	r.t.Fatalf("no rule %s", name)
	return nil
}

// fires is how long an alert fires whose condition holds at these moments, and has
// to for so long.
func fires(moments []time.Duration, step, hold time.Duration) (sum time.Duration) {
	var since time.Duration
	for i, at := range moments {
		if i == 0 || at-moments[i-1] > step {
			since = at
		}
		if at-since >= hold {
			sum += step
		}
	}
	return sum
}
