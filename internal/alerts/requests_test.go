//go:build alerts && linux

package alerts

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// visitor sends requests to one path until it is stopped.
type visitor struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// visit begins to ask for a path, so often.
func visit(t *testing.T, port int, path string, every time.Duration) *visitor {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	v := &visitor{cancel: cancel}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}}
	v.wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for ctx.Err() == nil {
			v.wg.Go(func() { get(ctx, client, fmt.Sprintf("http://127.0.0.1:%d%s", port, path)) })
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	})
	t.Cleanup(v.stop)
	return v
}

func (v *visitor) stop() {
	v.cancel()
	v.wg.Wait()
}

func get(ctx context.Context, client *http.Client, url string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	if res, err := client.Do(req); err == nil {
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
}

// requesting are acts of apps that answer badly, and of what they throw.
func requesting(t *testing.T) []act {
	slow, slowPort := measured(t, "slow", nil)
	failing, failingPort := measured(t, "failing", nil)
	throwing, _ := measured(t, "throwing", nil)
	novel, _ := measured(t, "novel", nil)
	var slowly, badly *visitor
	return []act{
		{
			name: "a route takes 1.5 s", alert: "PM2RouteSlow", app: slow.Name, labels: map[string]string{"route": "/slow", "method": "GET"}, apps: []pm2test.AppSpec{slow},
			cause: func(t *testing.T, _ *scene) time.Time {
				visit(t, slowPort, "/fine", 100*time.Millisecond)
				slowly = visit(t, slowPort, "/slow?ms=1500", 2*time.Second)
				return time.Now()
			},
			mend:  func(*testing.T, *scene) { slowly.stop() },
			mends: 10 * time.Minute, window: 2 * time.Minute,
			beside: map[string]string{"PM2ErrorBudgetBurn": "requests over 500 ms use the budget up"},
		},
		{
			name: "a fifth of the requests fails", alert: "PM2ErrorBudgetBurn", app: failing.Name, apps: []pm2test.AppSpec{failing},
			cause: func(t *testing.T, s *scene) time.Time {
				visit(t, failingPort, "/fine", 200*time.Millisecond)
				s.waitScraped(t, `pm2_http_request_duration_seconds_count{app="failing"}`)
				badly = visit(t, failingPort, "/error", 800*time.Millisecond)
				return time.Now()
			},
			mend:  func(*testing.T, *scene) { badly.stop() },
			mends: 5 * time.Minute, window: 30 * time.Second,
		},
		{
			name: "an app throws again and again, and goes on", alert: "PM2ExceptionSpike", app: throwing.Name, apps: []pm2test.AppSpec{throwing}, group: "card declined",
			cause: func(t *testing.T, s *scene) time.Time {
				s.waitScraped(t, `pm2_app_exceptions_total{app="throwing"}`)
				p := s.proc(t, throwing.Name)
				for range 40 { // of an app that is new, thirty are many
					s.Tell(t, p.PMID, pm2test.Cmd{"do": "notify", "message": "card declined"})
				}
				return time.Now()
			},
			mends: 6 * time.Minute,
			mend:  byItself,
			// What there was in five minutes is counted every 15 s.
			window: 15 * time.Second,
			beside: map[string]string{"PM2NewException": firstTime},
		},
		{
			name: "an exception that was never seen", alert: "PM2NewException", app: novel.Name, apps: []pm2test.AppSpec{novel}, group: "no stock of 7",
			cause: func(t *testing.T, s *scene) time.Time {
				s.tell(t, novel.Name, pm2test.Cmd{"do": "notify", "message": "no stock of 7"})
				return time.Now()
			},
			// Those of a bad deploy come in one message: group_wait.
			window: time.Minute,
		},
	}
}

// badDeploy: version 2 of an app fails at what version 1 could.
func badDeploy(t *testing.T) act {
	spec, port := measured(t, "released", nil)
	// PM2 takes the version from beside the script.
	dir := t.TempDir()
	code, err := os.ReadFile(appPath("released.js"))
	if err != nil {
		t.Fatal(err)
	}
	spec.Script = write(t, filepath.Join(dir, "released.js"), "%s", code)
	spec.Env["EXT"] = filepath.Join(pm2test.Root(), "ext")
	release := func(t *testing.T, version string) {
		write(t, filepath.Join(dir, "package.json"), `{"name":"released","version":%q}`, version)
	}
	release(t, "1.4.2")
	return act{
		name: "a new version fails", alert: "PM2DeployRegression", app: spec.Name, apps: []pm2test.AppSpec{spec}, group: "gift cards",
		// An app that was not there an hour ago has nothing to get worse than.
		warm: 62 * time.Minute,
		cause: func(t *testing.T, s *scene) time.Time {
			visit(t, port, "/pay", 250*time.Millisecond)
			s.waitScraped(t, `pm2_http_request_duration_seconds_count{app="released"} > 100`)
			release(t, "1.4.3")
			s.Must(t, "restart", "released")
			return time.Now()
		},
		mend: func(t *testing.T, s *scene) {
			release(t, "1.4.4")
			s.Must(t, "restart", "released")
		},
		mends:  10 * time.Minute,
		window: time.Minute,
		beside: map[string]string{
			"PM2NewException": firstTime, "PM2ErrorBudgetBurn": "half of all requests fail", "PM2ExceptionSpike": "each failure is an exception",
		},
	}
}
