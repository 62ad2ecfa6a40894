//go:build alerts && linux

package alerts

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/uptest"
)

// scene is a host: a PM2 with apps, a `pm25 up` that watches it, and a webhook.
type scene struct {
	*pm2test.Daemon
	ends *pm2test.Ends
	up   *uptest.Up
	hook *uptest.Webhook
	// saving keeps apart what changes PM2's list: `pm2 save` writes all of it.
	saving sync.Mutex

	mu     sync.Mutex
	claims []claim
}

// claim is what an act says of alerts: that they are about it, and why.
type claim struct {
	of    func(labels map[string]string) bool
	names map[string]string // alert: why
}

// setting is what differs from scene to scene.
type setting struct {
	daemon pm2test.Options
	apps   []pm2test.AppSpec
	args   []string
	// prepare is done to PM2 before anybody watches it.
	prepare func(d *pm2test.Daemon)
	// receivers writes a file of receivers in place of the webhook alone.
	receivers func(hook string) (file string)
}

// newScene returns when all is seen. Its one app that does nothing is there to
// be told of by mistake.
func newScene(t *testing.T, o setting) *scene {
	t.Helper()
	s := &scene{Daemon: pm2test.New(t, o.daemon), hook: uptest.NewWebhook(t)}
	s.ends = s.FollowEnds(t)
	if o.prepare != nil {
		o.prepare(s.Daemon)
	}
	s.App(t, append(o.apps, pm2test.AppSpec{Name: "calm", NodeArgs: preload(), Env: map[string]string{"PORT": "0"}})...)
	s.Must(t, "save")
	hook := s.hook.URL
	if o.receivers != nil {
		o.args = append(o.args, "--alert.receivers-file="+o.receivers(hook))
		hook = ""
	}
	s.up = uptest.Start(t, uptest.Options{
		Program: programs.Program(t, "pm25"), Homes: []string{daemonName + "=" + s.Home()}, Webhook: hook,
		Args: append([]string{"--host.name=" + hostName}, o.args...),
	})
	s.up.WaitValue(time.Minute, 1, fmt.Sprintf(`pm2_up{job="pm2",host=%q,daemon=%q}`, hostName, daemonName))
	return s
}

// start starts apps and saves the list: what is deleted later is missed.
func (s *scene) start(t *testing.T, apps ...pm2test.AppSpec) {
	t.Helper()
	s.saving.Lock()
	defer s.saving.Unlock()
	s.App(t, apps...)
	s.Must(t, "save")
}

// remove deletes apps and saves the list.
func (s *scene) remove(t *testing.T, apps ...string) {
	t.Helper()
	s.saving.Lock()
	defer s.saving.Unlock()
	s.Must(t, append([]string{"delete"}, apps...)...)
	s.Must(t, "save", "--force")
}

// tell gives an app's first process a command.
func (s *scene) tell(t *testing.T, app string, c pm2test.Cmd) map[string]any {
	t.Helper()
	return s.Tell(t, s.proc(t, app).PMID, c)
}

// proc is an app's first process.
func (s *scene) proc(t *testing.T, app string) pm2test.Proc {
	t.Helper()
	found, err := s.Find(t.Context(), app)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s has no process: %v", app, err)
	}
	return found[0]
}

// claim says which alerts are expected of what.
func (s *scene) claim(of func(labels map[string]string) bool, names map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims = append(s.claims, claim{of, names})
}

// fired lists what was firing in Prometheus since the scene began, whether it was
// told or held back, by name and labels.
func (s *scene) fired(t *testing.T) []map[string]string {
	t.Helper()
	series, err := s.up.Query(`max_over_time(ALERTS{alertstate="firing",severity!="none"}[3h])`)
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, f := range series {
		delete(f.Labels, "alertstate")
		if !ofMachine(f.Labels) {
			out = append(out, f.Labels)
		}
	}
	return out
}

// judge holds that nothing fired or was told that no act had claimed.
func (s *scene) judge(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	claimed := func(labels map[string]string) bool {
		return slices.ContainsFunc(s.claims, func(c claim) bool { return c.names[labels["alertname"]] != "" && c.of(labels) })
	}
	seen := map[string]bool{}
	for _, labels := range s.fired(t) {
		if text := describe(labels); !claimed(labels) && !seen[text] {
			seen[text] = true
			t.Errorf("fired besides: %s", text)
		}
	}
	for _, a := range s.hook.Told() {
		if text := describe(a.Labels); a.Labels["severity"] != "none" && !ofMachine(a.Labels) && !claimed(a.Labels) && !seen[text] {
			seen[text] = true
			t.Errorf("told besides: %s", text)
		}
	}
}

// ofMachine are alerts that say how the machine fares on which the tests run, and
// whatever else does: they are true, and about no test.
func ofMachine(labels map[string]string) bool {
	switch labels["alertname"] {
	case "PM2HostOverloaded", "PM2HostMemoryLow":
		return true
	case "PM2LogDiskFilling": // where other things than these tests write
		return labels["mountpoint"] == "/" || labels["mountpoint"] == "/tmp"
	}
	return false
}

// describe is an alert in one line: its name and the labels that matter.
func describe(labels map[string]string) string {
	text := labels["alertname"]
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		switch name {
		case "alertname", "__name__", "job", "instance", "daemon", "pm2_namespace", "scope":
		default:
			text += fmt.Sprintf(" %s=%s", name, labels[name])
		}
	}
	return strings.TrimSpace(text)
}
