package leaks

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/rules"
)

var doc = doctable.Doc{Path: "../../docs/leaks.md", Env: "PM25_LEAKS_WRITE"}

// ours are the alerts that judge memory, and what they look at.
var ours = []string{"NodeHeapLeakFast", "NodeHeapLeakSlow", "PM2MemoryGrowth", "PM2MemoryNearRestartLimit", "PM2MemoryRestartLoop"}

// common are rules that are often recommended.
var common = []struct{ name, expr string }{
	{"RSS > 80 %", `pm2_process_resident_memory_bytes > 0.8 * pm2_process_memory_limit_bytes`},
	{"deriv(heap[1h]) > 5 MB/h", `deriv(nodejs_heap_size_used_bytes[1h]) > 5e6 / 3600`},
	{"predict_linear(RSS[1h], 4h)", `predict_linear(pm2_process_resident_memory_bytes[1h], 4 * 3600) > pm2_process_memory_limit_bytes`},
}

// tooFast are leaks that are through before windows of five hours have seen
// enough: they are told, but late.
var tooFast = []string{"leak_quick", "leak_restarts"}

// steps are how often rules are evaluated: less often than in earnest, so that a
// week takes seconds. All offsets of the rules are multiples of them.
var steps = map[float64]time.Duration{hours: 3 * time.Minute, days: 10 * time.Minute}

// told is what the rules said of a recording.
type told struct {
	Recording

	firing map[string][]time.Duration // by alert or common rule, since the beginning
	step   time.Duration
}

// replayed replays the recordings of one compression against a rule file.
func replayed(t *testing.T, perHour float64, file string, step time.Duration, others bool) (all []told, needed map[guard][]string) {
	t.Helper()
	recordings := load(t, perHour)
	r := newReplay(t, file)
	r.run(recordings, step)
	end := recordings[0].Samples[len(recordings[0].Samples)-1].At
	for _, rec := range recordings {
		all = append(all, told{Recording: rec, firing: map[string][]time.Duration{}, step: step})
	}
	ask := func(name, expr string) {
		found := r.times(expr, end, step)
		for i := range all {
			all[i].firing[name] = found[all[i].Name]
		}
	}
	for _, name := range ours {
		ask(name, fmt.Sprintf(`ALERTS{alertname=%q, alertstate="firing"}`, name))
	}
	if others {
		for _, c := range common {
			ask(c.name, c.expr)
		}
		needed = r.needed(t, all, end, step)
	}
	return all, needed
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
			if x.Leaks < 0 || moment < x.began() {
				sum += int(x.step.Minutes())
			}
		}
	}
	return sum
}

// room is the share that is gone of what was left of the limit when the leak
// began: of the heap, or of the resident memory where that is what leaks.
func (x told) room(at time.Duration) float64 {
	value := func(s Sample) (used, limit float64) {
		if x.Name == "leak_buffer" || x.Name == "leak_restarts" {
			return s.RSS, x.MemoryLimit
		}
		return s.HeapAfterGC, x.HeapLimit
	}
	var first, now Sample
	for _, s := range x.Samples {
		if s.At <= x.began()+15*time.Minute || math.IsNaN(first.HeapAfterGC) {
			first = s
		}
		if s.At <= at {
			now = s
		}
	}
	if now.Restarts > first.Restarts {
		return 1
	}
	from, limit := value(first)
	to, _ := value(now)
	return (to - from) / (limit - from)
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
	for _, name := range tooFast {
		if x.Name == name {
			return failed
		}
	}
	if room := x.room(at); room >= 0.5 {
		failed = append(failed, fmt.Sprintf("%s: %s found it when %.0f %% of the room was gone", x.Name, by, 100*room))
	}
	return failed
}

// TestLeaks replays every recording against the rules, and holds the aims.
func TestLeaks(t *testing.T) {
	if os.Getenv("PM25_LEAKS") == "" {
		t.Skip("set PM25_LEAKS=1: the recordings are to be made anew on a machine that is not busy")
	}
	table := doctable.New("scenario", "what", ours[0], ours[1], ours[2], ours[3], ours[4], "room gone", common[0].name, common[1].name, common[2].name)
	file := rules.File(rules.Default())
	inHours, neededHours := replayed(t, hours, file, steps[hours], true)
	inDays, neededDays := replayed(t, days, file, steps[days], true)
	for _, x := range append(inHours, inDays...) {
		for _, failed := range x.aims() {
			t.Error(failed)
		}
		room := ""
		if at, _, ok := x.found(); ok && x.Leaks >= 0 {
			room = fmt.Sprintf("%.0f %%", 100*x.room(at))
		}
		table.Add(x.Name, x.What, x.cell(ours[0]), x.cell(ours[1]), x.cell(ours[2]), x.cell(ours[3]), x.cell(ours[4]), room,
			x.cell(common[0].name), x.cell(common[1].name), x.cell(common[2].name))
	}
	doc.Write(t, "leaks", table)

	parts := doctable.New("alert", "condition", "fires without it")
	for _, g := range guards() {
		parts.Add(g.alert, g.name, strings.Join(append(neededHours[g], neededDays[g]...), ", "))
	}
	doc.Write(t, "guards", parts)
}
