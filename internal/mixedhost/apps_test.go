//go:build routes

package mixedhost

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pm25/pm25/internal/pm2test"
)

// app is one app of the host, and what is known of it.
type app struct {
	pm2test.AppSpec
	port      int
	path      string // to ask for
	route     string // under which requests are counted while pm25-ext is on
	processes int
}

// under is a path below a folder of the repository.
func under(elem ...string) string {
	return filepath.Join(append([]string{pm2test.Root()}, elem...)...)
}

// needs fails the test where a file is missing that `make mixed-host` makes.
func needs(t *testing.T, path string) string {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: make mixed-host makes it", err)
	}
	return path
}

const usersRoute = "/users/:id"

// apps are the apps of the host. Those with a route can load pm25-ext.
func apps(t *testing.T) []app {
	t.Helper()
	own := func(name string) string { return under("internal", "mixedhost", "apps", name) }
	modules := needs(t, under("ext", "test", "frameworks", "node_modules"))
	next := needs(t, under("ext", "test", "slow-frameworks", "node_modules", "next", "dist", "bin", "next"))
	site := under("ext", "test", "slow-frameworks", "next-app")
	needs(t, filepath.Join(site, ".next", "BUILD_ID"))

	spec := func(name, script string, change func(*app)) app {
		a := app{AppSpec: pm2test.AppSpec{Name: name, Script: script}, port: pm2test.FreePort(t), path: "/users/42", route: usersRoute, processes: 1}
		a.Env = map[string]string{"PORT": strconv.Itoa(a.port), "MODULES": modules, "NODE_ENV": "production"}
		a.Extra = map[string]any{}
		if change != nil {
			change(&a)
		}
		return a
	}
	noRoute := func(a *app) { a.route = "" }
	return []app{
		spec("web", own("web.cjs"), nil),
		spec("service", own("service.mjs"), func(a *app) { a.Cluster, a.processes = 2, 2 }),
		spec("small", own("web.cjs"), func(a *app) { a.NodeArgs = []string{"--max-old-space-size=200"} }),
		spec("tsx", own("typed.ts"), func(a *app) { a.Extra["interpreter"] = filepath.Join(modules, ".bin", "tsx") }),
		spec("tsx-import", own("typed.ts"), func(a *app) {
			a.Extra["interpreter"] = "node"
			a.NodeArgs = []string{"--import", filepath.Join(modules, "tsx", "dist", "loader.mjs")}
		}),
		spec("next", next, func(a *app) {
			a.Args = []string{"start", site, "-p", strconv.Itoa(a.port), "-H", "127.0.0.1"}
			a.Env["NEXT_TELEMETRY_DISABLED"] = "1"
			a.path, a.route = "/api/items/42", "/api/items/[id]"
		}),
		spec("npm", "npm", func(a *app) {
			noRoute(a)
			a.Args = []string{"start"}
			a.Env["npm_config_update_notifier"] = "false"
			a.Extra["cwd"] = own("wrapped")
		}),
		spec("python", own("site.py"), func(a *app) {
			noRoute(a)
			a.Extra["interpreter"] = "python3"
		}),
		spec("bash", own("loop.sh"), func(a *app) {
			noRoute(a)
			a.port = 0
		}),
	}
}

func (a *app) url() string { return fmt.Sprintf("http://127.0.0.1:%d%s", a.port, a.path) }
