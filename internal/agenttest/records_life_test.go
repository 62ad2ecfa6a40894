package agenttest

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/record"
)

// storm rejects often and lives on.
const storm = `
let left = 500;
const timer = setInterval(() => {
  for (let i = 0; i < 20 && left > 0; i++, left--) Promise.reject(new Error('storm ' + left));
  if (left === 0) clearInterval(timer);
}, 20);
setInterval(() => {}, 1000);
`

// TestStormOfExceptions: few records stand for all throws, whoever tells of
// them.
func TestStormOfExceptions(t *testing.T) {
	t.Parallel()
	d := pm2test.New(t, pm2test.Options{})
	script := filepath.Join(t.TempDir(), "storm.js")
	write(t, script, storm)
	notifier := filepath.Join(t.TempDir(), "notifier.js")
	write(t, notifier, "const pm25 = require('"+filepath.Join(pm2test.Root(), "ext")+"')\n"+
		"setTimeout(() => { for (let i = 0; i < 500; i++) pm25.notifyError(new Error('declined ' + i)) }, 500)\nsetInterval(() => {}, 1000)\n")
	ext := []string{"--require", filepath.Join(pm2test.Root(), "ext", "register.cjs")}
	w := watchAndRecord(t, d, t.TempDir())
	defer w.stop()
	d.App(t,
		pm2test.AppSpec{Name: "fork", Script: script}, pm2test.AppSpec{Name: "cluster", Script: script, Cluster: 2},
		pm2test.AppSpec{Name: "ext-fork", Script: script, NodeArgs: ext}, pm2test.AppSpec{Name: "ext-cluster", Script: script, Cluster: 2, NodeArgs: ext},
		pm2test.AppSpec{Name: "notified", Script: notifier, NodeArgs: ext},
	)
	throws := map[string]uint64{"fork": 500, "cluster": 1000, "ext-fork": 500, "ext-cluster": 1000, "notified": 500}
	pm2test.Eventually(t, 40*time.Second, func() error {
		m := w.scrape()
		for name, want := range throws {
			if v, _ := m.value("pm2_app_exceptions_total", "app", name, "handled", fmt.Sprint(name == "notified")); v != float64(want) {
				return fmt.Errorf("%s: %v exceptions are counted, want %d", name, v, want)
			}
		}
		return nil
	})
	w.stop() // which records what waits
	for name, want := range throws {
		var n uint64
		records := 0
		for _, r := range w.of(name) {
			if r.Kind == record.Exception {
				n += r.Count()
				records++
			}
		}
		if n != want || records > 6 {
			t.Errorf("%s: %d records stand for %d throws, want %d", name, records, n, want)
		}
	}
}

// TestLifecycleRecords: what an operator does.
func TestLifecycleRecords(t *testing.T) {
	t.Parallel()
	d := pm2test.New(t, pm2test.Options{})
	dir := t.TempDir()
	version := func(v string) { write(t, filepath.Join(dir, "package.json"), `{"name":"shop","version":"`+v+`"}`) }
	version("1.0.0")
	write(t, filepath.Join(dir, "shop.js"), "setInterval(() => {}, 1000)\n")
	state := t.TempDir()
	w := watchAndRecord(t, d, state)
	defer func() { w.stop() }()
	d.App(t, pm2test.AppSpec{Name: "web"}, pm2test.AppSpec{Name: "api", Cluster: 2}, pm2test.AppSpec{Name: "shop", Script: filepath.Join(dir, "shop.js"), Cluster: 2})
	w.want("web", life, "start")
	w.want("api", life, "start", "start")
	d.Must(t, "restart", "web")
	w.want("web", life, "start", "exit operator 0", "restart")
	d.Must(t, "stop", "web")
	w.want("web", life, "start", "exit operator 0", "restart", "exit operator 0", "stop")
	d.Must(t, "start", "web")
	d.Must(t, "reload", "api")
	w.want("web", life, "start", "exit operator 0", "restart", "exit operator 0", "stop", "start")
	w.want("api", life, "start", "start", "restart", "restart", "exit reload 0", "exit reload 0", "reload")
	version("1.1.0")
	d.Must(t, "reload", "shop")
	w.want("shop", []record.Kind{record.Deploy}, "deploy 1.0.0 → 1.1.0")
	w.scrape()
	w.stop()
	version("1.2.0") // while the agent is away
	d.Must(t, "restart", "shop")
	d.Must(t, "restart", "web")
	w.start(d, state)
	w.want("shop", []record.Kind{record.Deploy}, "deploy 1.0.0 → 1.1.0", "deploy 1.1.0 → 1.2.0")
	w.want("web", []record.Kind{record.Exit}, "exit operator 0", "exit operator 0", "exit operator 0")
	d.Must(t, "delete", "api")
	pm2test.Eventually(t, 10*time.Second, func() error {
		w.scrape()
		if n := len(w.told("api", record.Delete)); n != 2 {
			return fmt.Errorf("%d are deleted", n)
		}
		return nil
	})
	w.stop()
	for _, r := range w.all {
		if refusal := r.Check(time.Now()); refusal != nil {
			t.Errorf("%s of %s: %s", r.Kind, r.App, refusal.Error)
		}
	}
}
