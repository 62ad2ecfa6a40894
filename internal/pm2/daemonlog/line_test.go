package daemonlog

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The messages are those of PM2 5.4.3, 6.0.14 and 7.0.4, which agree.
func TestParse(t *testing.T) {
	for message, want := range map[string]Line{
		"App [web:0] exited with code [1] via signal [SIGINT]":                {Kind: Exited, Name: []byte("web"), Code: 1, Signal: "SIGINT"},
		"App [web:_old_12] exited with code [0] via signal [SIGKILL]":         {Kind: Exited, Name: []byte("web"), ID: 12, Retired: true, Signal: "SIGKILL"},
		"App [a:b] x:7] exited with code [0] via signal [SIGTERM]":            {Kind: Exited, Name: []byte("a:b] x"), ID: 7, Signal: "SIGTERM"},
		"App [订单服务:3] starting in -fork mode-":                                {Kind: Starting, Name: []byte("订单服务"), ID: 3},
		"App [web:3] starting in -cluster mode-":                              {Kind: Starting, Name: []byte("web"), ID: 3, Cluster: true},
		"Stopping app:my app id:4 id:5":                                       {Kind: Stopping, Name: []byte("my app id:4"), ID: 5},
		"Stopping app:web id:_old_0":                                          {Kind: Stopping, Name: []byte("web"), Retired: true},
		"Change detected on path a for app b.js for app web - restarting":     {Kind: FileChanged, Name: []byte("web"), ID: -1},
		"[PM2] Deregistering a cron job on: 9":                                {Kind: CronRemoved, ID: 9},
		"Process 2 in a stopped status, starting it":                          {Kind: Reloading, ID: 2},
		"--- New PM2 Daemon started -----------------------------":            {Kind: DaemonStarted},
		`Script /a.js had too many unstable restarts (3). Stopped. "errored"`: {Kind: GaveUp},
		"[PM2][WORKER] Process 0 restarted because it exceeds --max-memory-restart value (current_memory=54185984 max_memory_limit=1048576 [octets])": {Kind: MemoryLimit},
		"App [web:0] online": {},
		"App [web] exited with code [1] via signal [SIGINT]":     {},
		"App [web:0] exited with code [x] via signal [SIGINT]":   {},
		"App [web:0] exited with code [1] via signal [SIGINT] x": {},
		"": {},
	} {
		if diff := cmp.Diff(want, Parse([]byte(message))); diff != "" {
			t.Errorf("%q: (-want +got)\n%s", message, diff)
		}
	}
}

func TestParseFileFindsTimeAndMessage(t *testing.T) {
	got := ParseFile([]byte("a worker's own words2026-11-22T12:29:49: PM2 log: App [web:0] exited with code [1] via signal [SIGINT]"), time.UTC)
	want := Line{Kind: Exited, Name: []byte("web"), Code: 1, Signal: "SIGINT", At: time.Date(2026, 11, 22, 12, 29, 49, 0, time.UTC)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// PM2_LOG_DATE_FORMAT= in the daemon's environment: no time at all.
	if got := ParseFile([]byte("App [web:0] exited with code [1] via signal [SIGINT]"), time.UTC); got.Kind != Exited || !got.At.IsZero() {
		t.Errorf("without a time: %+v", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("App [web:0] exited with code [1] via signal [SIGINT]"))
	f.Add([]byte("Stopping app:web id:_old_0"))
	f.Add([]byte("Change detected on path a for app b - restarting"))
	f.Fuzz(func(t *testing.T, line []byte) {
		l := ParseFile(line, time.UTC)
		if l.Kind == Exited && (l.ID < 0 || len(l.Name) > len(line)) {
			t.Fatalf("%q gave %+v", line, l)
		}
	})
}
