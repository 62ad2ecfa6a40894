//go:build chain

package chain

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/promtest"
	"github.com/pm25/pm25/internal/uptest"
)

const (
	kills    = 10
	interval = 5 * time.Second // of scrapes
	// settle is how long a round may take until all is told: PM2 has to give up,
	// Prometheus to find out what had happened, Alertmanager to wait its minute.
	settle = 3 * time.Minute
)

// downtime is one time in which `pm25 up` was away: from the kill until it was
// ready again.
type downtime struct{ from, to time.Time }

// killing is the state of TestKills.
type killing struct {
	t       *testing.T
	d       *pm2test.Daemon
	events  *pm2test.Ends
	up      *uptest.Up
	hook    *uptest.Webhook
	silence string
	began   time.Time
	down    []downtime
}

// TestKills kills `pm25 up` in the middle of alerts, ten times in a row on one
// data folder. What was told is not told again; what ended meanwhile is told as
// resolved, what began meanwhile is told; silences and samples stay, and
// counters never count too much.
func TestKills(t *testing.T) {
	k := newKilling(t)
	table := doctable.New("kill", "away, s", "ended meanwhile: told as resolved after, s", "began meanwhile: told after, s", "told twice")
	k.begin("ends-0")
	for i := range kills {
		ends, begins := fmt.Sprint("ends-", i), fmt.Sprint("begins-", i)
		k.firing(ends)
		pause(t.Context(), rand.N(interval))
		killed := time.Now()
		k.up.Kill()
		k.must("delete", ends)
		k.begin(begins)
		pause(t.Context(), rand.N(3*time.Second))
		k.up.Again()
		k.up.Ready()
		ready := time.Now()
		k.down = append(k.down, downtime{killed, ready})
		k.kept()
		k.begin(fmt.Sprint("ends-", i+1))
		resolved := k.hook.Wait(t, settle, "resolved", "alertname", "PM2ProcessErrored", "app", ends)
		told := k.firing(begins)
		table.Add(i+1, ready.Sub(killed).Seconds(), resolved.At.Sub(ready).Seconds(), told.At.Sub(ready).Seconds(), k.twice())
		k.must("delete", begins)
		if t.Failed() {
			return
		}
	}
	// What lasts was there all the time.
	for _, app := range []string{"loop", "gone"} {
		for _, a := range k.hook.Told("resolved", "app", app) {
			if app != "gone" || a.Labels["alertname"] != "PM2CrashLoop" {
				t.Errorf("told as resolved while it lasts: %v", a)
			}
		}
	}
	for _, a := range k.hook.Told() {
		if a.Labels["app"] == "muted" {
			t.Errorf("told in spite of a silence: %v", a)
		}
	}
	k.samples()
	k.counters()
	doc.Write(t, "kills", table)
}

// newKilling returns when a crash loop and an errored app are told, and another
// errored one is silenced.
func newKilling(t *testing.T) *killing {
	t.Helper()
	k := &killing{t: t, d: pm2test.New(t, pm2test.Options{}), hook: uptest.NewWebhook(t), began: time.Now()}
	k.events = k.d.FollowEnds(t)
	k.d.App(t, pm2test.AppSpec{Name: "calm"})
	k.up = uptest.Start(t, uptest.Options{Program: programs.Program(t, "pm25"), Homes: []string{"shop=" + k.d.Home()}, Webhook: k.hook.URL})
	k.up.WaitValue(20*time.Second, 1, `pm2_up{daemon="shop"}`)
	var err error
	if k.silence, err = k.up.Silence(map[string]string{"app": "muted"}, 2*time.Hour, "known"); err != nil {
		t.Fatal(err)
	}
	k.d.App(t, pm2test.AppSpec{Name: "loop", Do: []pm2test.Cmd{{"do": "throw", "after": 2500}}})
	k.begin("gone")
	k.begin("muted")
	k.hook.Wait(t, tell, "firing", "alertname", "PM2CrashLoop", "app", "loop")
	k.firing("gone")
	return k
}

// begin starts an app that PM2 gives up at once, and returns when it has.
func (k *killing) begin(app string) {
	k.t.Helper()
	k.d.App(k.t, hopeless(app))
	k.d.WaitStatus(k.t, app, "errored", 1)
}

func (k *killing) must(args ...string) {
	k.t.Helper()
	k.d.Must(k.t, args...)
}

// firing waits until an errored app is told.
func (k *killing) firing(app string) uptest.Told {
	k.t.Helper()
	return k.hook.Wait(k.t, settle, "firing", "alertname", "PM2ProcessErrored", "app", app)
}

// kept holds that the silence is there.
func (k *killing) kept() {
	k.t.Helper()
	silences, err := k.up.Silences()
	if err != nil || len(silences) != 1 || silences[0].ID != k.silence || silences[0].Status.State != "active" {
		k.t.Errorf("silences %v, %v: want %s", silences, err, k.silence)
	}
}

// twice counts the messages that said nothing new. One alert may fire, end and
// fire again; then there is a message in between that says so.
func (k *killing) twice() int {
	k.t.Helper()
	n := 0
	last := map[string]string{}
	for _, m := range k.hook.Messages() {
		var states []string
		for _, a := range m.Alerts {
			states = append(states, a.Fingerprint+" "+a.Status)
		}
		state := strings.Join(states, ",")
		if last[m.GroupKey] == state {
			n++
			k.t.Errorf("told twice: %v", m.Alerts)
		}
		last[m.GroupKey] = state
	}
	return n
}

// samples holds that there is no hole in what was stored but for the downtimes.
func (k *killing) samples() {
	k.t.Helper()
	at := k.raw(`pm2_up{daemon="shop"}`)
	holes, longest := 0, time.Duration(0)
	for i := 1; i < len(at); i++ {
		gap := at[i].At.Sub(at[i-1].At)
		allowed := 2 * interval
		for _, d := range k.down {
			if d.from.Before(at[i].At) && d.to.After(at[i-1].At) {
				allowed += d.to.Sub(d.from)
			}
		}
		if gap > allowed {
			holes++
			k.t.Errorf("no sample from %s for %v, %v were allowed", at[i-1].At.Format(time.TimeOnly), gap, allowed)
		}
		longest = max(longest, gap)
	}
	if holes == 0 && len(at) < int(time.Since(k.began)/interval)/2 {
		k.t.Errorf("only %d samples in %v", len(at), time.Since(k.began))
	}
	k.t.Logf("%d samples in %v, the longest time without one %v", len(at), time.Since(k.began).Round(time.Second), longest)
}

// raw returns the samples of a series since the test began.
func (k *killing) raw(selector string) []promtest.Sample {
	k.t.Helper()
	series, err := k.up.Query(fmt.Sprintf("%s[%ds]", selector, int(time.Since(k.began).Seconds())+1))
	if err != nil || len(series) != 1 {
		k.t.Fatalf("%s: %d series, %v", selector, len(series), err)
	}
	return series[0].Samples
}

// counters holds that what Prometheus makes of a counter that began anew ten
// times is never more than what happened.
func (k *killing) counters() {
	k.t.Helper()
	const selector = `pm2_app_exits_total{app="loop",reason="crash"}`
	samples := k.raw(selector)
	counted, resets := 0.0, 0
	for i := 1; i < len(samples); i++ {
		step := samples[i].Value - samples[i-1].Value
		if step < 0 {
			step = samples[i].Value
			resets++
		}
		counted += step
	}
	truth := k.events.Count("loop")
	increase, err := k.up.Value(fmt.Sprintf("increase(%s[%ds])", selector, int(time.Since(k.began).Seconds())+1))
	if err != nil {
		k.t.Fatal(err)
	}
	table := doctable.New("metric", "what happened", "counted", "resets seen", "`increase()`")
	table.Add("`pm2_app_exits_total`", truth, counted, resets, increase)
	doc.Write(k.t, "kill-counters", table)
	// increase() extrapolates by up to an interval at both ends.
	if counted > float64(truth) || increase > float64(truth)*1.05 || counted < float64(truth)/2 || resets == 0 {
		k.t.Errorf("%d crashes happened, counted %v, increase() %v, %d resets", truth, counted, increase, resets)
	}
}
