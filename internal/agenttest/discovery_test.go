package agenttest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// runPM2 starts a PM2 daemon in a home of its own by running prefix and then
// PM2's command line, as another user if uid is not 0.
func runPM2(t *testing.T, home string, uid uint32, prefix ...string) {
	t.Helper()
	script, err := pm2test.Script("7")
	if err != nil {
		t.Skip(err)
	}
	args := append(prefix, "node", script, "ping")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(home), "PM2_HOME=" + home, "PM2_DISCRETE_MODE=true", "PM2_DISABLE_VERSION_CHECK=1", "PM2_NO_INTERACTION=true", "PM2_USAGE=CLI"}
	cmd.Dir = "/"
	if uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid, NoSetGroups: true}}
	}
	t.Cleanup(func() {
		if err := pm2test.KillHome(context.Background(), home, 0); err != nil {
			t.Error(err)
		}
	})
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("PM2 does not run here that way: %v: %s", err, out)
	}
}

// forge listens where a PM2 daemon would and counts the bytes that come.
func forge(t *testing.T, home string) *atomic.Int64 {
	t.Helper()
	n := new(atomic.Int64)
	for _, s := range []string{"rpc.sock", "pub.sock"} {
		l, err := net.Listen("unix", filepath.Join(home, s))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					got, _ := io.Copy(io.Discard, c)
					n.Add(got)
				}()
			}
		}()
	}
	return n
}

// labelsOf reads which of our homes have which label.
func labelsOf(t *testing.T, state string, ours string) map[string]string {
	t.Helper()
	var doc struct {
		Daemons []struct{ Label, Home string }
	}
	b, err := os.ReadFile(filepath.Join(state, "daemons.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, d := range doc.Daemons {
		if name, ok := strings.CutPrefix(d.Home, ours+"/"); ok {
			if _, twice := out[name]; twice {
				t.Errorf("%s has two labels", name)
			}
			out[name] = d.Label
		}
	}
	return out
}

// TestDiscovery finds two homes of one user, another user's daemon, and one in
// other namespaces; it leaves a forged one alone, and keeps what is dead. Other
// daemons of the machine may be found too: nothing is said about those.
func TestDiscovery(t *testing.T) {
	if testing.Short() {
		t.Skip("starts four daemons")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be two users")
	}
	base, err := os.MkdirTemp("", "pm25d-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	const stranger = 23456
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	home := func(name string, uid int) string {
		h := filepath.Join(base, name)
		if err := os.MkdirAll(h, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(h, uid, uid); err != nil {
			t.Fatal(err)
		}
		return h
	}
	box := home("box", 0)
	runPM2(t, home("one", 0), 0)
	runPM2(t, home("two", 0), 0)
	runPM2(t, home("other", stranger), stranger)
	runPM2(t, box, 0, "unshare", "--mount", "--net", "sh", "-c", `mount -t tmpfs none "$PM2_HOME" && exec "$@"`, "sh")
	forged := forge(t, home("forged", 0))

	state := t.TempDir()
	run := func(args ...string) *agent {
		a := launch(t, state, nil, append([]string{"--no-collector.host"}, args...)...)
		a.ready()
		return a
	}
	up := func(a *agent, want map[string]float64) map[string]string {
		t.Helper()
		var labels map[string]string
		pm2test.Eventually(t, 20*time.Second, func() error {
			labels = labelsOf(t, state, base)
			m := a.scrape()
			for name, v := range want {
				got, ok := m.value("pm2_up", "daemon", labels[name])
				if labels[name] == "" || !ok || got != v {
					return fmt.Errorf("%s (%q): pm2_up %v, %v, want %v", name, labels[name], got, ok, v)
				}
			}
			return nil
		})
		if l, ok := labels["forged"]; ok {
			t.Errorf("the forged one is listed as %s", l)
		}
		return labels
	}
	// As root, a stranger's daemon is left alone until it is asked for.
	a := run()
	first := up(a, map[string]float64{"one": 1, "two": 1, "other": 0, "box": 1})
	if !strings.Contains(a.log(), "--pm2.user=") {
		t.Error("the log does not say how to allow the other user")
	}
	if first["one"] == first["two"] || !strings.Contains(first["box"], "@") {
		t.Errorf("labels %v", first)
	}
	a.stop(syscall.SIGTERM)

	a = run("--pm2.user=*")
	second := up(a, map[string]float64{"one": 1, "two": 1, "other": 1, "box": 1})
	if fmt.Sprint(first) != fmt.Sprint(second) {
		t.Errorf("labels were %v and are %v", first, second)
	}
	// One is gone for good; it stays down, also for the next agent.
	if err := pm2test.KillHome(t.Context(), filepath.Join(base, "two"), 0); err != nil {
		t.Fatal(err)
	}
	up(a, map[string]float64{"one": 1, "two": 0, "other": 1, "box": 1})
	a.stop(syscall.SIGTERM)
	a = run("--pm2.user=*")
	third := up(a, map[string]float64{"one": 1, "two": 0, "other": 1, "box": 1})
	if fmt.Sprint(first) != fmt.Sprint(third) {
		t.Errorf("labels were %v and are %v", first, third)
	}
	if v, ok := a.scrape().value("pm25_agent_rejected_sockets_total", "reason", "not_pm2"); !ok || v < 1 {
		t.Errorf("rejected sockets: %v", v)
	}
	if n := forged.Load(); n != 0 {
		t.Errorf("%d bytes were written to the forged daemon", n)
	}
	a.stop(syscall.SIGTERM)
	// Until it is forgotten by hand.
	forget := exec.Command(binary, "forget", "--state.dir="+state, first["two"])
	if out, err := forget.CombinedOutput(); err != nil {
		t.Errorf("forget: %v: %s", err, out)
	}
	if l, ok := labelsOf(t, state, base)["two"]; ok {
		t.Errorf("%s is not forgotten", l)
	}
}

// TestDaemonInContainerRestarts: PM2 in other namespaces is reached through its
// process, and its counters go on when that is another one after an update.
func TestDaemonInContainerRestarts(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for discovery to look again")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make namespaces")
	}
	home, err := os.MkdirTemp("", "pm25d-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	runPM2(t, home, 0, "unshare", "--mount", "--net", "sh", "-c", `mount -t tmpfs none "$PM2_HOME" && exec "$@"`, "sh")
	script, _ := pm2test.Script("7")
	pm2 := func(args ...string) {
		t.Helper()
		pids := pm2test.Processes(home)
		if len(pids) == 0 {
			t.Fatal("nothing runs there")
		}
		cmd := exec.Command("nsenter", append([]string{"-t", fmt.Sprint(pids[0]), "-m", "-n", "node", script}, args...)...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "PM2_HOME=" + home, "PM2_DISCRETE_MODE=true", "PM2_DISABLE_VERSION_CHECK=1", "PM2_NO_INTERACTION=true", "PM2_USAGE=CLI"}
		cmd.Dir, cmd.WaitDelay = "/", time.Second
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("pm2 %q: %v: %s", args, err, out)
		}
	}
	pm2("start", pm2test.AppPath("app.js"), "--name", "boxed")
	a := start(t)
	ours := func() string {
		for _, d := range a.scrape().find("pm2_process_info", "app", "boxed") {
			return label(d, "daemon")
		}
		return ""
	}
	pm2test.Eventually(t, 20*time.Second, func() error {
		if ours() == "" {
			return fmt.Errorf("not found yet")
		}
		return nil
	})
	daemon := ours()
	pm2("restart", "boxed")
	a.wait(1, "pm2_app_exits_total", "daemon", daemon, "app", "boxed", "reason", "operator")
	before := a.scrape().find("pm2_app_exits_total", "daemon", daemon, "reason", "operator")[0].GetCounter().GetCreatedTimestamp()
	pm2("update")
	pm2test.Eventually(t, 40*time.Second, func() error {
		m := a.scrape()
		if up, _ := m.value("pm2_up", "daemon", daemon); up != 1 {
			return fmt.Errorf("pm2_up %v", up)
		}
		if v, _ := m.value("pm2_app_exits_total", "daemon", daemon, "app", "boxed", "reason", "operator"); v != 2 {
			return fmt.Errorf("%v ends by an operator, want 2", v)
		}
		return nil
	})
	after := a.scrape().find("pm2_app_exits_total", "daemon", daemon, "reason", "operator")[0].GetCounter().GetCreatedTimestamp()
	if !before.AsTime().Equal(after.AsTime()) {
		t.Errorf("the counters began at %s and then at %s", before.AsTime(), after.AsTime())
	}
}
