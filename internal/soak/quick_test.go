package soak

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const quickRounds = 10

// TestKillsQuick: what is counted through kills of the agent is never more
// than what happened, and no less than what happened in plain sight.
func TestKillsQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it takes half a minute")
	}
	l := newLoop(t)
	a := newAgent(t, l.Home())
	a.start(t)
	a.ready(t)
	cpu := readCPU(t, l.burn)
	before := restarts(t, l)
	l.go_(t)

	w := &watcher{}
	var lives []life
	for range quickRounds {
		end := time.Now().Add(200*time.Millisecond + rand.N(2600*time.Millisecond))
		for time.Now().Before(end) {
			w.scrape(a)
			time.Sleep(150 * time.Millisecond)
		}
		lives = append(lives, life{ends: time.Now()})
		a.kill()
		a.start(t)
	}
	a.ready(t)
	l.quiet(t)
	w.scrape(a)
	lives = append(lives, life{ends: time.Now()})
	lives = followed(t, lives, a.connects(t))

	missing := blind(lives, w.at, slack)
	for _, app := range l.apps {
		truth := l.ends.count(app)
		counted := w.sum("pm2_app_exits_total", `app="`+app+`"`)
		hidden := l.ends.within(app, missing)
		t.Logf("%s: %d ends, %v counted, %d out of sight", app, truth, counted, hidden)
		if counted > float64(truth) {
			t.Errorf("%s: %v ends counted, there were %d", app, counted, truth)
		}
		if lost := float64(truth) - w.each("pm2_app_exits_total", `app="`+app+`"`); lost > float64(hidden) {
			t.Errorf("%s: %v ends lost, %d were out of sight", app, lost, hidden)
		}
		told := restarts(t, l)[app] - before[app]
		if got := w.sum("pm2_process_restarts_total", `app="`+app+`"`); got > float64(told) {
			t.Errorf("%s: %v restarts counted, there were %d", app, got, told)
		}
	}
	now := readCPU(t, l.burn)
	for mode, spent := range map[string]float64{"user": now.user - cpu.user, "system": now.system - cpu.system} {
		got := w.sum("pm2_process_cpu_seconds_total", `app="burns"`, `mode="`+mode+`"`)
		t.Logf("%s time: %.2f s of %.2f s counted", mode, got, spent)
		if got > spent+tick {
			t.Errorf("%v s of %s time counted, the kernel says %v s", got, mode, spent)
		}
	}
}

// TestRestartsQuick: restarts of the agent lose and add nothing.
func TestRestartsQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it takes half a minute")
	}
	l := newLoop(t)
	a := newAgent(t, l.Home())
	a.start(t)
	a.ready(t)
	w := &watcher{}
	w.scrape(a)
	cpu, first := readCPU(t, l.burn), w.now
	before := restarts(t, l)
	l.go_(t)
	for range quickRounds {
		time.Sleep(rand.N(1500 * time.Millisecond))
		w.scrape(a)
		a.stop(t)
		time.Sleep(rand.N(500 * time.Millisecond))
		a.start(t)
	}
	a.ready(t)
	l.quiet(t)
	l.caught(t, a)
	w.scrape(a)
	now := readCPU(t, l.burn)

	for _, app := range l.apps {
		label := `app="` + app + `"`
		truth := float64(l.ends.count(app))
		t.Logf("%s: %v ends", app, truth)
		if final, deltas := w.now.sum("pm2_app_exits_total", label), w.sum("pm2_app_exits_total", label); final != truth || deltas != truth {
			t.Errorf("%s: %v ends counted, %v seen from outside, there were %v", app, final, deltas, truth)
		}
		told := float64(restarts(t, l)[app] - before[app])
		if final, deltas := w.now.sum("pm2_process_restarts_total", label), w.sum("pm2_process_restarts_total", label); final != told || deltas != told {
			t.Errorf("%s: %v restarts counted, %v seen from outside, there were %v", app, final, deltas, told)
		}
	}
	for mode, spent := range map[string]float64{"user": now.user - cpu.user, "system": now.system - cpu.system} {
		labels := []string{`app="burns"`, `mode="` + mode + `"`}
		got := w.now.sum("pm2_process_cpu_seconds_total", labels...) - first.sum("pm2_process_cpu_seconds_total", labels...)
		t.Logf("%s time: %.2f s counted, the kernel says %.2f s", mode, got, spent)
		// The two were not read at the same moment.
		if math.Abs(got-spent) > 0.1 {
			t.Errorf("%v s of %s time counted, the kernel says %v s", got, mode, spent)
		}
	}
	if n := w.now.sum("pm25_agent_state_restored"); n != 1 {
		t.Errorf("pm25_agent_state_restored = %v", n)
	}
}
