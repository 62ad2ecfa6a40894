//go:build routes

package routes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
)

var programs proctest.Builder

func TestMain(m *testing.M) { programs.Main(m) }

var doc = doctable.Doc{Path: "../../docs/slow-routes.md", Env: "PM25_ROUTES_WRITE"}

func appPath(name string) string {
	return filepath.Join(pm2test.Root(), "internal", "routes", "apps", name)
}

func extPath(name string) string { return filepath.Join(pm2test.Root(), "ext", name) }

// preloads are the node_args of an app with pm25-ext.
func preloads() []string {
	return []string{"--require", appPath("preload.cjs"), "--require", extPath("register.cjs")}
}

// app is an app with pm25-ext that listens on a port of its own.
func app(t testing.TB, name, script string, workers int, env map[string]string) (pm2test.AppSpec, int) {
	t.Helper()
	port := pm2test.FreePort(t)
	all := map[string]string{"PORT": fmt.Sprint(port)}
	for k, v := range env {
		all[k] = v
	}
	return pm2test.AppSpec{Name: name, Script: script, Cluster: workers, NodeArgs: preloads(), Env: all}, port
}

// onNode makes PM2 and its apps run on a Node.js of tools/node for the rest of
// the test; none stands for the system's. PM2 starts its daemon and apps with
// what its command line runs on.
func onNode(t *testing.T, major string) {
	t.Helper()
	if major == "" {
		return
	}
	bin := filepath.Join(pm2test.Root(), "tools", "node", "node_modules", "node"+major, "bin")
	if _, err := os.Stat(filepath.Join(bin, "node")); err != nil {
		t.Skipf("skipped: %v; make tools/node/node_modules/.installed installs it", err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

// runsOn is the Node.js that a process runs.
func runsOn(t testing.TB, pid int) string {
	t.Helper()
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// pids are the process ids of an app.
func pids(t testing.TB, d *pm2test.Daemon, name string) []int {
	t.Helper()
	list, err := d.Find(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, p := range list {
		if p.PID > 0 {
			out = append(out, p.PID)
		}
	}
	return out
}

// cpu is the CPU time that a process has used, to a hundredth of a second.
func cpu(t testing.TB, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	var user, system int64
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		t.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// listening waits until something listens on each port.
func listening(t testing.TB, ports ...int) {
	t.Helper()
	for _, port := range ports {
		pm2test.Eventually(t, 60*time.Second, func() error {
			c, err := dial(port)
			if err == nil {
				c.Close()
			}
			return err
		})
	}
}

func kill9(t testing.TB, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
