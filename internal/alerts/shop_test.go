//go:build alerts && linux

package alerts

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// shop are the apps of the example that nothing is wrong with, as a team would
// run them: with pm25-ext, each in a folder from which it is deployed.
type shop struct {
	*pm2test.Daemon
	dir      string
	ports    map[string]int
	version  map[string]int // how often deployed
	answered atomic.Int64
}

const (
	ordersApp       = "订单服务"
	ordersNamespace = "华东"
)

// newShop starts them.
func newShop(t *testing.T, d *pm2test.Daemon) *shop {
	t.Helper()
	s := &shop{Daemon: d, dir: t.TempDir(), ports: map[string]int{}, version: map[string]int{}}
	if err := os.CopyFS(s.dir, os.DirFS(filepath.Join(pm2test.Root(), "examples"))); err != nil {
		t.Fatal(err)
	}
	for _, app := range []string{"shop-web", "shop-api", "order-service"} {
		s.ports[app] = pm2test.FreePort(t)
	}
	web, api, orders := s.spec("shop-web"), s.spec("shop-api"), s.spec("order-service")
	web.Env["API_URL"] = fmt.Sprintf("http://127.0.0.1:%d", s.ports["shop-api"])
	api.Cluster = 2
	api.Extra["kill_timeout"] = 3000
	orders.Name, orders.Namespace = ordersApp, ordersNamespace
	legacy, backup := s.spec("legacy"), s.spec("nightly-backup")
	legacy.Extra["autostart"] = false
	backup.Extra["autorestart"], backup.Extra["cron_restart"] = false, "* * * * *"
	d.App(t, web, api, orders, s.spec("mailer"), legacy, backup)
	return s
}

// spec is an app of the example.
func (s *shop) spec(app string) pm2test.AppSpec {
	folder := filepath.Join(s.dir, app)
	spec := pm2test.AppSpec{Name: app, Script: filepath.Join(folder, "index.js"), NodeArgs: preload(), Env: map[string]string{}, Extra: map[string]any{"cwd": folder}}
	if port := s.ports[app]; port != 0 {
		spec.Env["PORT"] = fmt.Sprint(port)
	}
	return spec
}

// release writes a new version of an app, which has to be restarted for it.
func (s *shop) release(t *testing.T, app string) {
	t.Helper()
	s.version[app]++
	write(t, filepath.Join(s.dir, app, "package.json"), `{"name":%q,"version":"2.%d.0","private":true}`, app, s.version[app])
}

// visit sends requests until the test ends: four a second, four at most at a
// time, nearly all of which succeed fast.
func (s *shop) visit(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		free := make(chan struct{}, 4)
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			select {
			case free <- struct{}{}:
				wg.Go(func() { s.request(ctx, client); <-free })
			default: // the shop restarts
			}
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait(); client.CloseIdleConnections() })
}

func (s *shop) request(ctx context.Context, client *http.Client) {
	method, url := s.pick(rand.IntN(100), rand.IntN(20))
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(""))
	if err != nil {
		return
	}
	res, err := client.Do(req)
	if err != nil {
		return // a restart
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	res.Body.Close()
	if err == nil {
		s.answered.Add(1)
	}
}

// pick is what a customer does: mostly looking, sometimes buying, now and then
// following a dead link.
func (s *shop) pick(dice, customer int) (method, url string) {
	at := func(app, format string, args ...any) string {
		return fmt.Sprintf("http://127.0.0.1:%d", s.ports[app]) + fmt.Sprintf(format, args...)
	}
	products := []string{"sencha", "longjing", "assam", "pot"}
	switch {
	case dice < 35:
		return http.MethodGet, at("shop-web", "/")
	case dice < 60:
		return http.MethodGet, at("shop-web", "/products/%s", products[dice%len(products)])
	case dice < 63:
		return http.MethodGet, at("shop-web", "/products/discontinued")
	case dice < 80:
		return http.MethodPost, at("shop-api", "/api/carts/customer-%d/items", customer)
	case dice < 90:
		return http.MethodPost, at("order-service", "/orders")
	default:
		return http.MethodGet, at("order-service", "/orders")
	}
}
