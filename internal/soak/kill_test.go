//go:build soak

package soak

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
)

const rounds = 200

// TestKills kills the agent at random moments of a crash loop, under a real
// Prometheus.
func TestKills(t *testing.T) {
	l := newLoop(t)
	a := newAgent(t, l.Home())
	a.start(t)
	a.ready(t)
	prom := newScraper(t, a)
	prom.sees(t, l)
	cpu := readCPU(t, l.burn)
	before := restarts(t, l)
	l.go_(t)
	began := time.Now()
	var lives []life
	for range rounds {
		time.Sleep(100*time.Millisecond + rand.N(2800*time.Millisecond))
		lives = append(lives, life{ends: time.Now()})
		a.kill()
		a.start(t)
	}
	a.ready(t)
	l.quiet(t)
	prom.settled(t)
	now, after := readCPU(t, l.burn), restarts(t, l)
	lives = append(lives, life{ends: time.Now()})
	lives = followed(t, lives, a.connects(t))
	t.Logf("%d kills in %v", rounds, time.Since(began).Round(time.Second))

	r := doctable.New("metric", "app", "job", "truth", "counted", "missed", "out of sight", "bound", "resets seen", "`increase()`")
	for _, app := range l.apps {
		for _, job := range jobs {
			selector := fmt.Sprintf("pm2_app_exits_total{app=%q,job=%q}", app, job)
			truth := l.ends.count(app)
			counted, resets := prom.deltas(t, selector)
			scrapes := prom.scrapes(t, job)
			exactly := l.ends.within(app, blind(lives, scrapes, 0))
			hidden := l.ends.within(app, blind(lives, scrapes, slack))
			r.Add("`pm2_app_exits_total`", app, job, truth, counted, float64(truth)-counted, exactly, hidden, resets, prom.value(t, "sum(increase(%s[%ds]))", selector, prom.seconds()))
			if counted > float64(truth) {
				t.Errorf("%s, %s: %v ends counted, there were %d", app, job, counted, truth)
			}
			// Without created timestamps a life that begins higher than the
			// last one ended is no step back, and the bound does not hold.
			if lost := float64(truth) - counted; job == "created" && lost > float64(hidden) {
				t.Errorf("%s: %v ends missed, %d were out of sight", app, lost, hidden)
			}
		}
		for _, job := range jobs {
			selector := fmt.Sprintf("pm2_process_restarts_total{app=%q,job=%q}", app, job)
			truth := after[app] - before[app]
			counted, resets := prom.deltas(t, selector)
			r.Add("`pm2_process_restarts_total`", app, job, truth, counted, float64(truth)-counted, "", "", resets, prom.value(t, "sum(increase(%s[%ds]))", selector, prom.seconds()))
			if counted > float64(truth) {
				t.Errorf("%s, %s: %v restarts counted, there were %d", app, job, counted, truth)
			}
		}
	}
	for _, job := range jobs {
		selector := fmt.Sprintf("pm2_process_cpu_seconds_total{app=\"burns\",job=%q}", job)
		truth := now.user + now.system - cpu.user - cpu.system
		counted, resets := prom.deltas(t, selector)
		r.Add("`pm2_process_cpu_seconds_total`", "burns", job, truth, counted, truth-counted, "", "", resets, prom.value(t, "sum(increase(%s[%ds]))", selector, prom.seconds()))
		// The kernel was asked before the last scrape.
		if counted > truth+tick {
			t.Errorf("%s: %v s counted, the kernel says %v s", job, counted, truth)
		}
	}
	doc.Write(t, "kills", r)
}
