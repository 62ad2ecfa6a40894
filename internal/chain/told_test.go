//go:build chain

package chain

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/uptest"
)

const (
	runs = 20
	// atOnce is how many runs overlap: more would measure how busy the host is.
	atOnce = 4
)

// TestCauseToWebhook measures the whole way, for each kind of trouble in runs
// of their own: from the moment at which PM2's log, or the test itself, says
// that it has happened, to the webhook's message.
func TestCauseToWebhook(t *testing.T) {
	f := newFleet(t, runs)
	table := doctable.New("what", "from", "runs", "shortest, s", "median, s", "longest, s")
	for _, c := range []struct {
		what, from string
		run        func(ctx context.Context, i int) (cause, told time.Time, err error)
	}{
		{"crash loop", "the fourth crash", f.crashLoop},
		{"errored", "PM2 gives up", f.errored},
		{"daemon killed", "the kill", f.killed},
	} {
		took := overlap(t, c.what, c.run)
		if len(took) == 0 {
			continue
		}
		slices.Sort(took)
		longest := took[len(took)-1]
		table.Add(c.what, c.from, len(took), took[0].Seconds(), median(took).Seconds(), longest.Seconds())
		if longest >= tell || len(took) < runs {
			t.Errorf("%s: %d of %d were told, the last after %v", c.what, len(took), runs, longest)
		}
	}
	doc.Write(t, "times", table)
}

// overlap runs something again and again and returns how long each took.
func overlap(t *testing.T, what string, run func(ctx context.Context, i int) (cause, told time.Time, err error)) []time.Duration {
	t.Helper()
	var mu sync.Mutex
	var took []time.Duration
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range runs {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			// Not in step with scrapes and rules.
			pause(ctx, rand.N(5*time.Second))
			cause, told, err := run(ctx, i)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("%s %d: %v", what, i, err)
				return
			}
			t.Logf("%s %d: %v", what, i, told.Sub(cause).Round(time.Millisecond))
			took = append(took, told.Sub(cause))
		})
	}
	wg.Wait()
	return took
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// fleet is a number of PM2 daemons under one `pm25 up`.
type fleet struct {
	up      *uptest.Up
	hook    *uptest.Webhook
	daemons []*pm2test.Daemon
	events  []*pm2test.Ends
}

// newFleet returns when all daemons, each with one app that does nothing, are
// watched.
func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	f := &fleet{hook: uptest.NewWebhook(t)}
	var homes []string
	for i := range n {
		d := pm2test.New(t, pm2test.Options{})
		d.App(t, pm2test.AppSpec{Name: "calm"})
		f.daemons, f.events = append(f.daemons, d), append(f.events, d.FollowEnds(t))
		homes = append(homes, name(i)+"="+d.Home())
	}
	f.up = uptest.Start(t, uptest.Options{Program: programs.Program(t, "pm25"), Homes: homes, Webhook: f.hook.URL})
	f.up.WaitValue(time.Minute, float64(n), `sum(pm2_up)`)
	return f
}

// name is the label of a daemon.
func name(i int) string { return fmt.Sprintf("d%02d", i+1) }

func (f *fleet) crashLoop(ctx context.Context, i int) (cause, told time.Time, err error) {
	d, app := f.daemons[i], "loop-"+name(i)
	if err := d.StartApps(ctx, looping(app)); err != nil {
		return cause, told, err
	}
	err = await(ctx, "the fourth crash", func() (ok bool) {
		cause, ok = f.events[i].End(app, 4)
		return ok
	})
	if err != nil {
		return cause, told, err
	}
	alert, err := awaitTold(ctx, f.hook, "firing", "alertname", "PM2CrashLoop", "app", app, "daemon", name(i))
	if err != nil {
		return cause, told, err
	}
	_, err = d.PM2(ctx, "delete", app)
	return cause, alert.At, err
}

func (f *fleet) errored(ctx context.Context, i int) (cause, told time.Time, err error) {
	d, app, began := f.daemons[i], "gone-"+name(i), time.Now()
	if err := d.StartApps(ctx, hopeless(app)); err != nil {
		return cause, told, err
	}
	err = await(ctx, "PM2 gives up", func() (ok bool) {
		cause, ok = f.events[i].GaveUp(began)
		return ok
	})
	if err != nil {
		return cause, told, err
	}
	alert, err := awaitTold(ctx, f.hook, "firing", "alertname", "PM2ProcessErrored", "app", app, "daemon", name(i))
	if err != nil {
		return cause, told, err
	}
	_, err = d.PM2(ctx, "delete", app)
	return cause, alert.At, err
}

func (f *fleet) killed(ctx context.Context, i int) (cause, told time.Time, err error) {
	cause = time.Now()
	f.daemons[i].KillDaemon9()
	alert, err := awaitTold(ctx, f.hook, "firing", "alertname", "PM2DaemonDown", "daemon", name(i))
	return cause, alert.At, err
}
