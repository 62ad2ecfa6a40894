//go:build arrivals

package arrivals

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pm25/pm25/internal/pm2test"
)

const shopName = "shop"

// shop is an app with two bugs, on one host.
type shop struct {
	*host
	dir  string
	port int
	made map[string]int // bugs hit, by path
}

// openShop puts a version of the app on a host, and starts it there.
func openShop(t *testing.T, h *host, dir, version string, workers int, ext bool) *shop {
	t.Helper()
	s := &shop{host: h, dir: dir, port: pm2test.FreePort(t), made: map[string]int{}}
	s.write(version, 0)
	spec := pm2test.AppSpec{
		Name: shopName, Script: filepath.Join(dir, "shop.js"), Cluster: workers, Env: map[string]string{"PORT": fmt.Sprint(s.port)},
		Extra: map[string]any{"max_restarts": 1000, "cwd": dir},
	}
	if ext {
		spec.NodeArgs = preload(installExt(t))
	}
	h.App(t, spec)
	s.open()
	return s
}

// write writes the app's files with that many lines more above its code.
func (s *shop) write(version string, lines int) {
	s.t.Helper()
	for _, name := range []string{"shop.js", "lib/cart.js", "lib/pay.js"} {
		code, err := os.ReadFile(under("internal/arrivals/apps/shop", name))
		if err != nil {
			s.t.Fatal(err)
		}
		s.file(name, strings.Repeat("// Changed since.\n", lines)+string(code))
	}
	s.file("package.json", fmt.Sprintf(`{"name":"shop","version":%q}`, version))
}

func (s *shop) file(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// deploy brings another version out, in which the bugs are on other lines.
func (s *shop) deploy(version string, lines int) {
	s.t.Helper()
	s.write(version, lines)
	s.Must(s.t, "restart", shopName)
	pm2test.Eventually(s.t, patience, func() error {
		infos, err := s.metric("pm2_process_info")
		if err != nil {
			return err
		}
		for _, i := range infos {
			if i.labels["version"] != version {
				return fmt.Errorf("the agent knows version %q", i.labels["version"])
			}
		}
		return nil
	})
	s.open()
}

// open waits until the app answers.
func (s *shop) open() {
	s.t.Helper()
	pm2test.Eventually(s.t, patience, func() error { return s.get("/") })
}

// hit runs into a bug, and waits until the app has come back.
func (s *shop) hit(bug string) {
	s.t.Helper()
	before := s.ended(s.t, shopName)
	if err := s.get(bug); err != nil {
		s.t.Fatal(err)
	}
	s.made[bug]++
	pm2test.Eventually(s.t, patience, func() error {
		if n := s.ended(s.t, shopName); n != before+1 {
			return fmt.Errorf("%d ends, want %d", n, before+1)
		}
		return nil
	})
	s.open()
}

func (s *shop) get(path string) error {
	res, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d%s", s.port, path))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, res.Status)
	}
	return nil
}
