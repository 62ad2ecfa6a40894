package leaks

import (
	"fmt"
	"strings"
	"testing"
	"time"

	promrules "github.com/prometheus/prometheus/rules"
)

// guard is a part of an alert's expression that keeps it silent: it begins so, and
// ends with what it opened.
type guard struct{ name, alert, begins string }

// guards lists those of the leak alerts, as the engine writes them.
func guards() (all []guard) {
	for _, of := range [][2]string{{"NodeHeapLeakFast", "pm2_process:nodejs_heap_used_after_gc_bytes"}, {"PM2MemoryGrowth", "pm2_process:tree_resident_memory_bytes"}} {
		alert, base := of[0], of[1]
		all = append(all,
			guard{"a straight line fits", alert, " and " + base + ":fit5h > 0.85"},
			guard{"still climbs", alert, " and " + base + ":pace2h > 0.3"},
			guard{"does not settle", alert, " and " + base + ":settles4h > 0.9 * "},
			guard{"one process for five hours", alert, " and time() - pm2_process_start_time_seconds > 5.25 * 3600"},
			guard{"higher than yesterday", alert, " unless ("},
			guard{"not busier", alert, " unless (pm2_process:tree_cpu_seconds:rate1h"},
		)
	}
	return append(all,
		guard{"a straight line fits the day", "NodeHeapLeakSlow", " and pm2_process:nodejs_heap_used_after_gc_bytes:fit1d > 0.9"},
		guard{"still climbs after a day", "NodeHeapLeakSlow", " and deriv(pm2_process:nodejs_heap_used_after_gc_bytes:last[8h:10m]) > 0.75 * pm2_process:nodejs_heap_used_after_gc_bytes:slope1d"},
		guard{"floors rise as much again", "NodeHeapLeakSlow", " and pm2_process:nodejs_heap_used_after_gc_bytes:min1d - "},
		guard{"up for days", "NodeHeapLeakSlow", " and time() - pm2_process_start_time_seconds > 3.5 * 86400"},
	)
}

// without returns an expression without one guard.
func without(expr, begins string) (string, error) {
	before, rest, ok := strings.Cut(expr, begins)
	if !ok {
		return "", fmt.Errorf("no %q in %s", begins, expr)
	}
	if strings.HasPrefix(begins, " unless (") {
		depth := 1
		if strings.Count(begins, "(") == strings.Count(begins, ")") {
			depth = 0
		}
		for i, c := range rest {
			depth += strings.Count("(", string(c)) - strings.Count(")", string(c))
			if depth == 0 {
				return before + rest[i+1:], nil
			}
		}
		return "", fmt.Errorf("%q does not end", begins)
	}
	// Up to the next condition on the same level.
	depth := 0
	for i := range rest {
		if depth == 0 && (strings.HasPrefix(rest[i:], " and ") || strings.HasPrefix(rest[i:], ")")) {
			return before + rest[i:], nil
		}
		depth += strings.Count("(", rest[i:i+1]) - strings.Count(")", rest[i:i+1])
	}
	return before, nil
}

// needed lists by guard the healthy scenarios in which an alert would fire without
// it, with how long.
func (r *replay) needed(t *testing.T, healthy []told, end, step time.Duration) map[guard][]string {
	t.Helper()
	found := map[guard][]string{}
	for _, g := range guards() {
		rule := r.rule(g.alert)
		expr, err := without(rule.Query().String(), g.begins)
		if err != nil {
			t.Errorf("%s: %v", g.name, err)
			continue
		}
		times := r.times(expr, end, step)
		for _, x := range healthy {
			if n := fires(times[x.Name], step, rule.HoldDuration()); n > 0 && x.Leaks < 0 {
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
