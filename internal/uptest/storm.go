package uptest

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// Storm is a number of alerts at once: an alert of each app of each host, and one
// of each of the hosts that are down, which say that nothing else is known of
// those.
type Storm struct{ Hosts, Apps, Down int }

// StormResult is what became of a storm.
type StormResult struct {
	Sent      int
	Inhibited int           // never told, because of a host that is down
	Delivered int           // different alerts that were told
	Twice     int           // of those, told more than once
	Requests  int           // messages that told them
	Largest   int           // alerts in the largest message
	Accepted  time.Duration // until the API had taken all of them
	First     time.Duration // until the first was told
	Last      time.Duration // until the last was told
	Before    int64         // resident memory in bytes
	Peak      int64
}

// prometheusBatch is how many alerts a Prometheus sends at a time.
const prometheusBatch = 64

// Run sends the storm to Alertmanager's API as Prometheus does and waits until all
// is told that has to be. told is how many messages and alerts have come.
func (s Storm) Run(t testing.TB, u *Up, hook *Webhook) StormResult {
	t.Helper()
	alerts := s.alerts(u.URL)
	r := StormResult{Sent: len(alerts), Inhibited: s.Down * s.Apps}
	r.Before, _ = u.Resident()
	stop := r.watch(u)
	began := time.Now()
	for rest := alerts; len(rest) > 0; {
		n := min(prometheusBatch, len(rest))
		if code, body, err := u.Do(http.MethodPost, "/alertmanager/api/v2/alerts", rest[:n]); err != nil || code != http.StatusOK {
			t.Fatalf("Alertmanager does not take alerts: %d, %v: %.300s", code, err, body)
		}
		rest = rest[n:]
	}
	r.Accepted = time.Since(began)
	want := r.Sent - r.Inhibited
	pm2test.Eventually(t, 5*time.Minute, func() error {
		if n := len(stormed(hook)); n < want {
			return fmt.Errorf("%d of %d alerts were told", n, want)
		}
		return nil
	})
	stop()
	r.count(t, hook, began, s.Down)
	return r
}

// alerts are all of them; those of the hosts come last, as the worst case.
func (s Storm) alerts(url string) []any {
	var out []any
	alert := func(labels map[string]string) {
		labels["job"], labels["severity"] = "pm2", "critical"
		labels["instance"] = labels["host"]
		out = append(out, map[string]any{
			"labels": labels, "startsAt": time.Now(), "endsAt": time.Now().Add(time.Hour), "generatorURL": url + "/graph",
			"annotations": map[string]string{
				"summary": labels["app"] + " on " + labels["host"] + " is down", "description": "A text of usual length, so that messages have a usual size; it says what is known and what to look at first.",
				"runbook_url": url + "/runbooks/" + labels["alertname"], "dashboard_url": url + "/?host=" + labels["host"],
			},
		})
	}
	for h := range s.Hosts {
		for a := range s.Apps {
			alert(map[string]string{
				"alertname": "PM2CrashLoop", "scope": "app", "host": fmt.Sprintf("storm-%03d", h),
				"daemon": "deploy", "pm2_namespace": "default", "app": fmt.Sprintf("app-%d", a),
			})
		}
	}
	for h := range s.Down {
		alert(map[string]string{"alertname": "PM2HostDown", "scope": "host", "host": fmt.Sprintf("storm-%03d", h)})
	}
	return out
}

// watch follows the memory until it is stopped.
func (r *StormResult) watch(u *Up) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			if n, err := u.Resident(); err == nil {
				r.Peak = max(r.Peak, n)
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	return func() { cancel(); wg.Wait() }
}

// stormed counts how often each alert of a storm was told.
func stormed(hook *Webhook) map[string]int {
	out := map[string]int{}
	for _, a := range hook.Told("firing") {
		if isStorm(a) {
			out[a.Labels["host"]+"/"+a.Labels["app"]]++
		}
	}
	return out
}

func isStorm(a Told) bool { return len(a.Labels["host"]) > 6 && a.Labels["host"][:6] == "storm-" }

// count reads the result from the messages.
func (r *StormResult) count(t testing.TB, hook *Webhook, began time.Time, down int) {
	t.Helper()
	for _, m := range hook.Messages() {
		n := 0
		for _, a := range m.Alerts {
			if !isStorm(a) || a.Status != "firing" {
				continue
			}
			n++
			var host int
			if _, err := fmt.Sscanf(a.Labels["host"], "storm-%d", &host); err != nil || host < down && a.Labels["app"] != "" {
				t.Errorf("told although its host is down: %v", a)
			}
		}
		if n == 0 {
			continue
		}
		if r.Requests == 0 {
			r.First = m.At.Sub(began)
		}
		r.Requests++
		r.Largest = max(r.Largest, n)
		r.Last = m.At.Sub(began)
	}
	for _, times := range stormed(hook) {
		r.Delivered++
		if times > 1 {
			r.Twice++
		}
	}
}
