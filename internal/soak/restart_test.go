//go:build soak

package soak

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
)

// TestRestarts stops and starts the agent in order, at random moments of a
// crash loop: nothing is lost and nothing is counted twice.
func TestRestarts(t *testing.T) {
	l := newLoop(t)
	a := newAgent(t, l.Home())
	a.start(t)
	a.ready(t)
	prom := newScraper(t, a)
	prom.sees(t, l)
	first, err := a.scrape()
	if err != nil {
		t.Fatal(err)
	}
	cpu := readCPU(t, l.burn)
	before := restarts(t, l)
	l.go_(t)
	began := time.Now()
	for range rounds {
		time.Sleep(rand.N(1800 * time.Millisecond))
		a.stop(t)
		time.Sleep(rand.N(300 * time.Millisecond))
		a.start(t)
	}
	a.ready(t)
	l.quiet(t)
	l.caught(t, a)
	prom.settled(t)
	last, err := a.scrape()
	if err != nil {
		t.Fatal(err)
	}
	now, after := readCPU(t, l.burn), restarts(t, l)
	t.Logf("%d restarts in %v", rounds, time.Since(began).Round(time.Second))

	r := doctable.New("metric", "app", "truth", "counter", "Prometheus, created", "Prometheus, plain", "resets seen", "`increase()`")
	check := func(metric, app string, truth, counter float64) {
		selector := fmt.Sprintf("%s{app=%q,job=%%q}", metric, app)
		created, resets := prom.deltas(t, fmt.Sprintf(selector, "created"))
		plain, more := prom.deltas(t, fmt.Sprintf(selector, "plain"))
		increase := prom.value(t, "sum(increase(%s[%ds]))", fmt.Sprintf(selector, "created"), prom.seconds())
		r.Add("`"+metric+"`", app, truth, counter, created, plain, resets+more, increase)
		if counter != truth || created != truth || plain != truth || resets+more > 0 {
			t.Errorf("%s of %s: counter %v, Prometheus %v and %v with %d resets; there were %v", metric, app, counter, created, plain, resets+more, truth)
		}
	}
	for _, app := range l.apps {
		label := fmt.Sprintf("app=%q", app)
		check("pm2_app_exits_total", app, float64(l.ends.count(app)), last.sum("pm2_app_exits_total", label))
		check("pm2_process_restarts_total", app, float64(after[app]-before[app]), last.sum("pm2_process_restarts_total", label))
	}
	const metric = "pm2_process_cpu_seconds_total"
	spent := now.user + now.system - cpu.user - cpu.system
	counted := last.sum(metric, `app="burns"`) - first.sum(metric, `app="burns"`)
	created, resets := prom.deltas(t, metric+`{app="burns",job="created"}`)
	created -= first.sum(metric, `app="burns"`) // from before the kernel was asked
	plain, more := prom.deltas(t, metric+`{app="burns",job="plain"}`)
	r.Add("`"+metric+"`", "burns", spent, counted, created, plain, resets+more, prom.value(t, `sum(increase(%s{app="burns",job="created"}[%ds]))`, metric, prom.seconds()))
	if math.Abs(counted-spent) > 2*tick*rounds || math.Abs(created-spent) > 2*tick*rounds || resets+more > 0 {
		t.Errorf("CPU time: counter %v s, Prometheus %v s with %d resets; the kernel says %v s", counted, created, resets+more, spent)
	}
	doc.Write(t, "restarts", r)
}
