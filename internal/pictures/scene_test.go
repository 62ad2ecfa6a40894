//go:build boards

package pictures

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/simagent"
	"github.com/pm25/pm25/internal/uptest"
)

const (
	sceneHost = "shop-01"
	// Troubles are seen to begin. What the simulated hosts begin with is before the time range of the pictures then.
	calmFor    = 7 * time.Minute
	troubleFor = 2 * time.Minute // after the alerts
)

// scene is a host with the example's apps, all with pm25-ext and with visitors, two
// simulated hosts beside it, and what goes wrong on them.
type scene struct {
	*pm2test.Daemon
	up   *uptest.Up
	hook *uptest.Webhook
	// viewer is where alerts link to, as if Grafana was there.
	viewer string
	fleet  *simagent.Fleet
	dir    string
	ports  map[string]int
}

func newScene(t *testing.T) *scene {
	t.Helper()
	fleet, targets := simagent.Start(t, 2, 14)
	s := &scene{Daemon: pm2test.New(t, pm2test.Options{}), fleet: fleet, dir: shop(t), ports: map[string]int{}}
	if err := os.CopyFS(s.dir, os.DirFS(filepath.Join(pm2test.Root(), "examples"))); err != nil {
		t.Fatal(err)
	}
	for _, app := range []string{"checkout", "sessions"} {
		s.own(t, app)
	}
	s.release(t, "checkout", "1.4.0")
	s.release(t, "sessions", "0.9.2")
	for _, app := range []string{"shop-web", "shop-api", "order-service", "checkout"} {
		s.ports[app] = pm2test.FreePort(t)
	}
	s.App(t, s.calm()...)
	s.Must(t, "save")
	s.hook, s.viewer = uptest.NewWebhook(t), fmt.Sprintf("http://127.0.0.1:%d", pm2test.FreePort(t))
	s.up = uptest.Start(t, uptest.Options{
		Program: programs.Program(t, "pm25"), Homes: []string{"deploy=" + s.Home()}, Webhook: s.hook.URL,
		Args: []string{"--host.name=" + sceneHost, "--targets=" + targets, "--grafana.url=" + s.viewer},
	})
	s.visit(t)
	return s
}

// shop is an empty folder with a name that stacks may show.
func shop(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "shop")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatalf("%v: stacks in pictures name this folder, so it has to be a new one", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// calm are the apps that nothing is wrong with, as yet.
func (s *scene) calm() []pm2test.AppSpec {
	web, api, orders := s.spec("shop-web"), s.spec("shop-api"), s.spec("order-service")
	web.Env["API_URL"] = fmt.Sprintf("http://127.0.0.1:%d", s.ports["shop-api"])
	api.Cluster = 2
	orders.Name, orders.Namespace = "订单服务", "华东"
	legacy, backup, reports := s.spec("legacy"), s.spec("nightly-backup"), s.spec("reports")
	legacy.Extra["autostart"] = false
	backup.Extra["autorestart"], backup.Extra["cron_restart"] = false, "* * * * *"
	reports.Extra["max_memory_restart"] = "300M"
	sessions := s.spec("sessions")
	sessions.Extra["max_memory_restart"] = "600M"
	return []pm2test.AppSpec{web, api, orders, s.spec("checkout"), s.spec("mailer"), legacy, backup, reports, sessions}
}

// trouble begins: a deploy that makes a route slow and throws, a crash loop, and a
// host that goes away.
func (s *scene) trouble(t *testing.T) {
	t.Helper()
	s.release(t, "checkout", "1.5.0")
	s.Must(t, "restart", "checkout")
	s.App(t, s.spec("payments"))
	s.Must(t, "save")
	s.fleet.Hosts()[1].Switch(false)
}

// own puts an app of this folder beside those of the example.
func (s *scene) own(t *testing.T, app string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("apps", app+".js"))
	if err == nil {
		err = os.Mkdir(filepath.Join(s.dir, app), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(s.dir, app, "index.js"), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// release writes the version that the app has from its next start on.
func (s *scene) release(t *testing.T, app, version string) {
	t.Helper()
	text := fmt.Sprintf(`{"name":%q,"version":%q,"private":true}`, app, version)
	if err := os.WriteFile(filepath.Join(s.dir, app, "package.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (s *scene) spec(app string) pm2test.AppSpec {
	folder, ext := filepath.Join(s.dir, app), filepath.Join(pm2test.Root(), "ext")
	spec := pm2test.AppSpec{
		Name: app, Script: filepath.Join(folder, "index.js"), NodeArgs: []string{"--require", filepath.Join(ext, "register.cjs")},
		Env: map[string]string{"PM25_EXT_PATH": ext}, Extra: map[string]any{"cwd": folder},
	}
	if port := s.ports[app]; port != 0 {
		spec.Env["PORT"] = fmt.Sprint(port)
	}
	return spec
}

// visit sends five requests a second until the test ends.
func (s *scene) visit(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
	asks := []struct{ method, app, path string }{
		{"GET", "shop-web", "/"},
		{"GET", "checkout", "/basket"},
		{"POST", "checkout", "/pay"},
		{"GET", "shop-web", "/products/sencha"},
		{"POST", "shop-api", "/api/carts/customer-7/items"},
		{"POST", "checkout", "/voucher"},
		{"POST", "order-service", "/orders"},
		{"GET", "shop-api", "/api/products"},
		{"GET", "shop-web", "/products/discontinued"},
	}
	ports := maps.Clone(s.ports)
	var visitors sync.WaitGroup
	visitors.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			ask := asks[i%len(asks)]
			visitors.Go(func() {
				req, err := http.NewRequestWithContext(ctx, ask.method, fmt.Sprintf("http://127.0.0.1:%d%s", ports[ask.app], ask.path), nil)
				if err != nil {
					return
				}
				if res, err := client.Do(req); err == nil { // an app that restarts refuses some
					_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
					res.Body.Close()
				}
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		visitors.Wait()
		client.CloseIdleConnections()
	})
}
