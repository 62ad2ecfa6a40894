package leaks

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/rules"
)

var doc = doctable.Doc{Path: "../../docs/leaks.md", Env: "PM25_LEAKS_WRITE"}

// ours are the alerts that judge memory, and what they look at.
var ours = []string{"NodeHeapLeakFast", "NodeHeapLeakSlow", "PM2MemoryGrowth", "PM2MemoryNearRestartLimit", "PM2MemoryRestartLoop"}

// rule is an expression with a name.
type rule struct{ name, expr string }

// common are rules that are often recommended.
var common = []rule{
	{"RSS > 80 %", `pm2_process_resident_memory_bytes > 0.8 * pm2_process_memory_limit_bytes`},
	{"deriv(heap[1h]) > 5 MB/h", `deriv(nodejs_heap_size_used_bytes[1h]) > 5e6 / 3600`},
	{"predict_linear(RSS[1h], 4h)", `predict_linear(pm2_process_resident_memory_bytes[1h], 4 * 3600) > pm2_process_memory_limit_bytes`},
}

// tooFast are leaks that have half of their room before five hours can show them:
// they are told, but late.
var tooFast = []string{"leak_quick", "leak_restarts"}

// step is how often rules are evaluated: for the document at each sample, otherwise
// less often, so that a week takes seconds.
func step(every time.Duration) time.Duration {
	switch {
	case os.Getenv(doc.Env) != "":
		return every
	case every == hours:
		return 3 * time.Minute
	default:
		return 10 * time.Minute
	}
}

func names(all []rule) (names []string) {
	for _, r := range all {
		names = append(names, r.name)
	}
	return names
}

// told is what the rules said of a recording.
type told struct {
	Recording

	firing map[string][]time.Duration // by alert or common rule, since the beginning
	step   time.Duration
}

// replayed replays the recordings of hours, or those of days, against a rule file.
func replayed(t *testing.T, every time.Duration, file string) (r *replay, all []told) {
	t.Helper()
	recordings := load(t, every)
	r = newReplay(t, file)
	r.run(recordings, step(every))
	for _, rec := range recordings {
		all = append(all, told{Recording: rec, firing: map[string][]time.Duration{}, step: step(every)})
	}
	for _, name := range ours {
		r.ask(all, name, fmt.Sprintf(`ALERTS{alertname=%q, alertstate="firing"}`, name))
	}
	return r, all
}

// ask notes when an expression is true.
func (r *replay) ask(all []told, name, expr string) {
	found := r.times(expr, all[0].Length, all[0].step)
	for i := range all {
		all[i].firing[name] = found[all[i].Name]
	}
}

// found is when the first of our alerts fired after the leak began.
func (x told) found() (at time.Duration, by string, ok bool) {
	for _, name := range ours {
		for _, moment := range x.firing[name] {
			if moment >= x.began() && (!ok || moment < at) {
				at, by, ok = moment, name, true
			}
		}
	}
	return at, by, ok
}

func (x told) began() time.Duration { return time.Duration(x.Leaks * float64(time.Hour)) }

// falseMinutes are those in which our alerts fired although nothing leaked.
func (x told) falseMinutes() (sum int) {
	for _, name := range ours {
		for _, moment := range x.firing[name] {
			if x.Leaks < 0 && moment > x.Until || moment < x.began() {
				sum += int(x.step.Minutes())
			}
		}
	}
	return sum
}

// room is the share that is gone of what was left of the limit when the leak
// began: of the heap, or of the resident memory where that is what leaks. Under a
// daily cycle it is the day's highest that counts.
func (x told) room(at time.Duration) float64 {
	begin, over := x.began()+15*time.Minute, 5*time.Minute
	if x.Name == "leak_cycle" {
		begin, over = 24*time.Hour, 24*time.Hour
	}
	var first, now, limit float64
	for _, s := range x.Samples {
		used := s.HeapAfterGC
		limit = x.HeapLimit
		if x.Name == "leak_buffer" || x.Name == "leak_restarts" {
			used, limit = s.RSS, x.MemoryLimit
		}
		if s.At <= at && s.Restarts > 0 {
			return 1
		}
		if s.At <= begin && s.At > begin-over {
			first = max(first, used)
		}
		if s.At <= at && s.At > at-over {
			now = max(now, used)
		}
	}
	return (now - first) / (limit - first)
}

// cell is what the table says of one rule.
func (x told) cell(name string) string {
	moments := x.firing[name]
	if x.Leaks < 0 {
		if len(moments) == 0 {
			return ""
		}
		return fmt.Sprintf("%.0f min", float64(len(moments))*x.step.Minutes())
	}
	wrong := 0
	for _, moment := range moments {
		if moment < x.began() {
			wrong++
			continue
		}
		s := fmt.Sprintf("after %.1f h", (moment - x.began()).Hours())
		if wrong > 0 {
			s += fmt.Sprintf(", %.0f min before", float64(wrong)*x.step.Minutes())
		}
		return s
	}
	return "never"
}

// roomGone is the share of the room that was gone when the first alert fired.
func (x told) roomGone() string {
	at, _, ok := x.found()
	if x.Leaks < 0 || !ok {
		return ""
	}
	return fmt.Sprintf("%.0f %%", 100*x.room(at))
}

// aims are what is promised: no false minute, and every leak found before half of
// the room is gone.
func (x told) aims() (failed []string) {
	if n := x.falseMinutes(); n > 0 {
		failed = append(failed, fmt.Sprintf("%s: %d false minutes", x.Name, n))
	}
	if x.Leaks < 0 {
		return failed
	}
	at, by, ok := x.found()
	if !ok {
		return append(failed, x.Name+": never found")
	}
	if room := x.room(at); room >= 0.5 && !slices.Contains(tooFast, x.Name) {
		failed = append(failed, fmt.Sprintf("%s: %s found it when %.0f %% of the room was gone", x.Name, by, 100*room))
	}
	return failed
}

// TestLeaks replays every recording against the rules, and holds the aims. The
// tables for the document take longer than that, so they are made on demand.
func TestLeaks(t *testing.T) {
	file := rules.File(rules.Default())
	inHours, ofHours := replayed(t, hours, file)
	inDays, ofDays := replayed(t, days, file)
	for _, x := range slices.Concat(ofHours, ofDays) {
		for _, failed := range x.aims() {
			t.Error(failed)
		}
	}
	if os.Getenv(doc.Env) == "" {
		return
	}
	for _, c := range common {
		inHours.ask(ofHours, c.name, c.expr)
		inDays.ask(ofDays, c.name, c.expr)
	}
	table := doctable.New(slices.Concat([]string{"scenario", "what"}, ours, []string{"room gone"}, names(common))...)
	for _, x := range slices.Concat(ofHours, ofDays) {
		row := []any{x.Name, x.What}
		for _, name := range ours {
			row = append(row, x.cell(name))
		}
		row = append(row, x.roomGone())
		for _, c := range common {
			row = append(row, x.cell(c.name))
		}
		table.Add(row...)
	}
	doc.Write(t, "leaks", table)

	parts := doctable.New("alert", "condition", "fires without it")
	neededHours, neededDays := inHours.needed(ofHours), inDays.needed(ofDays)
	for _, g := range guards() {
		parts.Add(g.alert, g.name, strings.Join(append(neededHours[g], neededDays[g]...), ", "))
	}
	doc.Write(t, "guards", parts)
}
