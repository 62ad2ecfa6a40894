package agenttest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/record"
)

// TestEndsWhileTheAgentIsAway: what PM2's log told meanwhile is recorded of the
// app that it was, without the lines of another life.
func TestEndsWhileTheAgentIsAway(t *testing.T) {
	t.Parallel()
	d := pm2test.New(t, pm2test.Options{})
	state := t.TempDir()
	w := watchAndRecord(t, d, state)
	defer func() { w.stop() }()
	d.App(t, pm2test.AppSpec{Name: "web", Do: []pm2test.Cmd{{"do": "log", "text": "began"}}, Extra: map[string]any{"namespace": "prod"}})
	w.want("web", life, "start")
	w.stop()
	pid := d.WaitStatus(t, "web", "online", 1)[0].PID
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	pm2test.Eventually(t, 10*time.Second, func() error {
		if p := d.WaitStatus(t, "web", "online", 1)[0]; p.PID == pid {
			return fmt.Errorf("it is %d still", pid)
		}
		return nil
	})
	w.start(d, state)
	w.want("web", []record.Kind{record.Exit}, "exit signal 137 SIGKILL")
	for _, r := range w.of("web") {
		if r.Namespace != "prod" {
			t.Errorf("%s is of namespace %q", r.Kind, r.Namespace)
		}
		if r.Kind == record.Exit && len(r.Logs) > 0 {
			t.Errorf("lines of another life: %+v", r.Logs)
		}
	}
}

// TestEndsAfterAKill: where an agent left no more than a place that lags behind,
// each end has one id all the same, and no counter moves.
func TestEndsAfterAKill(t *testing.T) {
	t.Parallel()
	d := pm2test.New(t, pm2test.Options{})
	state := t.TempDir()
	w := watchAndRecord(t, d, state)
	defer func() { w.stop() }()
	d.App(t, pm2test.AppSpec{Name: "web"})
	w.want("web", life, "start")
	w.stop()
	place := placeIn(t, state)
	w.start(d, state)
	d.Must(t, "restart", "web")
	w.want("web", []record.Kind{record.Exit}, "exit operator 0")
	w.stop()
	if err := os.Remove(filepath.Join(state, "state.json")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(state, "places.json"), fmt.Sprintf(`{"version":1,"at":%q,"places":{"r":%s}}`, time.Now().Format(time.RFC3339), place))
	d.Must(t, "restart", "web")
	w.start(d, state)
	w.want("web", []record.Kind{record.Exit}, "exit operator 0", "exit operator 0", "exit operator 0")
	ids := map[string]int{}
	for _, r := range w.of("web") {
		if r.Kind == record.Exit {
			ids[r.ID]++
		}
	}
	if len(ids) != 2 {
		t.Errorf("ends by id: %v", ids)
	}
	if v, ok := w.scrape().value("pm2_app_exits_total", "app", "web", "reason", "operator"); v != 0 || !ok {
		t.Errorf("%v ends are counted", v)
	}
}

// placeIn is how far the log was read, by the state of an agent that has ended.
func placeIn(t *testing.T, state string) json.RawMessage {
	t.Helper()
	var doc struct {
		Daemons []struct{ Log json.RawMessage }
	}
	data, err := os.ReadFile(filepath.Join(state, "state.json"))
	if err == nil {
		err = json.Unmarshal(data, &doc)
	}
	if err != nil || len(doc.Daemons) != 1 {
		t.Fatal(err, doc)
	}
	return doc.Daemons[0].Log
}
