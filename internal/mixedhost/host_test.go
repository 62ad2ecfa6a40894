//go:build routes

package mixedhost

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
)

var programs proctest.Builder

func TestMain(m *testing.M) { programs.Main(m) }

// host is a PM2 daemon with apps, and pm25-ext somewhere on the disk.
type host struct {
	t    *testing.T
	d    *pm2test.Daemon
	apps []app
	ext  string // the folder of the package
	bin  string // a folder with the command pm2
	// restarts are how often each process was restarted, by its id in PM2, as
	// far as it was asked for.
	restarts map[int]int
}

func newHost(t *testing.T, ext string, list []app) *host {
	t.Helper()
	h := &host{t: t, apps: list, ext: ext, bin: t.TempDir(), d: pm2test.New(t, pm2test.Options{}), restarts: map[int]int{}}
	script, err := pm2test.Script(h.d.Version())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(script, filepath.Join(h.bin, "pm2")); err != nil {
		t.Fatal(err)
	}
	h.install()
	specs := make([]pm2test.AppSpec, len(list))
	for i := range list {
		specs[i] = list[i].AppSpec
	}
	h.d.App(t, specs...)
	return h
}

// file is what apps load.
func (h *host) file() string { return filepath.Join(h.ext, "register.cjs") }

// install puts the package where a package manager would.
func (h *host) install() {
	h.t.Helper()
	for _, name := range []string{"package.json", "index.js", "index.mjs", "register.cjs", "lib"} {
		from, to := under("ext", name), filepath.Join(h.ext, name)
		if err := os.MkdirAll(h.ext, 0o755); err != nil {
			h.t.Fatal(err)
		}
		if info, err := os.Stat(from); err != nil {
			h.t.Fatal(err)
		} else if info.IsDir() {
			if err := os.CopyFS(to, os.DirFS(from)); err != nil {
				h.t.Fatal(err)
			}
			continue
		}
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, b, 0o644)
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// remove removes the package as ours has to be: an empty file stays.
func (h *host) remove() {
	h.t.Helper()
	if err := os.RemoveAll(h.ext); err != nil {
		h.t.Fatal(err)
	}
	if err := os.MkdirAll(h.ext, 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(h.file(), nil, 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// agent runs a command of pm25-agent and returns what it printed and its exit
// code.
func (h *host) agent(command string) (string, int) {
	h.t.Helper()
	cmd := exec.Command(programs.Program(h.t, "pm25-agent"), "ext", command, "--ext.path="+h.file(), "--pm2.home=host="+h.d.Home(), "--state.dir="+h.t.TempDir())
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		h.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// plan is what `ext plan` printed, by the titles of its blocks.
type plan map[string][]string

const table = "APP"

func (h *host) plan() plan {
	h.t.Helper()
	out, code := h.agent("plan")
	if code != 0 {
		h.t.Fatalf("ext plan: exit code %d: %s", code, out)
	}
	h.t.Logf("ext plan:\n%s", out)
	p := plan{}
	for _, block := range strings.Split(out, "\n\n")[1:] {
		lines := strings.Split(strings.TrimRight(block, "\n"), "\n")
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
		title, _, _ := strings.Cut(lines[0], " ")
		if title != table {
			title = lines[0]
		}
		p[title] = lines[1:]
	}
	return p
}

// states are the last column of the table, by app.
func (p plan) states() map[string]string {
	states := map[string]string{}
	for _, line := range p[table] {
		f := strings.Fields(line)
		states[f[0]] = strings.Join(f[4:], " ")
	}
	return states
}

// run runs lines of the plan as they are, in a shell that knows nothing of the
// test's daemon but what they say.
func (h *host) run(lines []string) {
	h.t.Helper()
	if len(lines) == 0 {
		h.t.Fatal("nothing to run")
	}
	for _, line := range lines {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		cmd := exec.CommandContext(ctx, "bash", "-ec", line)
		cmd.Env = []string{
			"PATH=" + h.bin + ":" + os.Getenv("PATH"), "HOME=" + h.t.TempDir(),
			"PM2_DISABLE_VERSION_CHECK=1", "PM2_DISCRETE_MODE=true", "PM2_NO_INTERACTION=true",
		}
		out, err := cmd.CombinedOutput()
		cancel()
		if err != nil {
			h.t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
}

// asked notes that the processes of some apps were restarted once more; without
// names, of all.
func (h *host) asked(names ...string) {
	h.t.Helper()
	for _, p := range h.list() {
		if names == nil || slices.Contains(names, p.Name) {
			h.restarts[p.PMID]++
		}
	}
}

// measured are the names of the apps that can load pm25-ext.
func (h *host) measured() []string {
	var names []string
	for i := range h.apps {
		if h.apps[i].route != "" {
			names = append(names, h.apps[i].Name)
		}
	}
	return names
}

func (h *host) list() []pm2test.Proc {
	h.t.Helper()
	list, err := h.d.List(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

// settle is how long an app has to hold out: one that can not start is
// restarted at once.
const settle = 3 * time.Second

// allOnline sees that every app is online, answers, and was restarted as often
// as was asked for, now and a while later.
func (h *host) allOnline(step string) {
	h.t.Helper()
	check := func() error {
		processes := map[string]int{}
		restarts := map[int]int{}
		for _, p := range h.list() {
			if p.Status != "online" {
				return fmt.Errorf("%s (%d) is %s", p.Name, p.PMID, p.Status)
			}
			processes[p.Name]++
			restarts[p.PMID] = p.Restarts
		}
		for i := range h.apps {
			a := &h.apps[i]
			if processes[a.Name] != a.processes {
				return fmt.Errorf("%s has %d processes", a.Name, processes[a.Name])
			}
			if a.port != 0 {
				if err := get(a.url()); err != nil {
					return err
				}
			}
		}
		if !maps.EqualFunc(restarts, h.restarts, func(a, b int) bool { return a == b }) {
			return fmt.Errorf("restarts by id, more or less than asked for: %s", cmp.Diff(h.restarts, restarts))
		}
		return nil
	}
	for _, p := range h.list() {
		if _, ok := h.restarts[p.PMID]; !ok {
			h.restarts[p.PMID] = 0
		}
	}
	pm2test.Eventually(h.t, 30*time.Second, check)
	time.Sleep(settle)
	if err := check(); err != nil {
		h.t.Fatalf("%s, a while later: %v", step, err)
	}
	h.t.Logf("%s: all %d processes of %d apps are online, and restarted as asked for", step, len(h.restarts), len(h.apps))
}

var client = &http.Client{Timeout: 10 * time.Second}

func get(url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %s, %w", url, resp.Status, body, err)
	}
	return nil
}

// volatile are settings of PM2 that are different after any restart, and two
// that PM2 puts there when it restarts an app with any option. Neither changes
// what runs: no variable is kept from the app, and its logs stay where they are.
var volatile = []string{
	"filter_env", "merge_logs",
	"_tree_pids", "axm_actions", "axm_dynamic", "axm_monitor", "axm_options", "created_at", "exit_code", "pm_uptime", "prev_restart_delay", "restart_time",
	"status", "unique_id", "unstable_restarts", "updateEnv",
}

// settings are all settings of all processes, by app, as PM2 lists them.
func (h *host) settings() map[string]map[string]any {
	h.t.Helper()
	out := h.d.Must(h.t, "jlist")
	var list []struct {
		Name string
		Env  map[string]any `json:"pm2_env"`
	}
	if err := json.Unmarshal([]byte(out[strings.Index(out, "[{"):]), &list); err != nil {
		h.t.Fatal(err)
	}
	all := map[string]map[string]any{}
	for _, p := range list {
		for _, key := range volatile {
			delete(p.Env, key)
		}
		all[fmt.Sprintf("%s %v", p.Name, p.Env["pm_id"])] = p.Env
	}
	return all
}
