//go:build alerts && linux

package alerts

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
)

var programs proctest.Builder

func TestMain(m *testing.M) { programs.Main(m) }

var doc = doctable.Doc{Path: "../../docs/alert-times.md", Env: "PM25_ALERTS_WRITE"}

// hostName is how `pm25 up` calls its host, daemonName the PM2 on it.
const (
	hostName   = "web-01"
	daemonName = "shop"
)

func appPath(name string) string {
	return filepath.Join(pm2test.Root(), "internal", "alerts", "apps", name)
}

// preload are the node_args of an app with pm25-ext.
func preload() []string {
	return []string{"--require", filepath.Join(pm2test.Root(), "ext", "register.cjs")}
}

// pause waits, unless the test ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// eventually is pm2test.Eventually for what takes minutes: it asks less often.
func eventually(t testing.TB, within time.Duration, cond func() error) {
	t.Helper()
	end := time.Now().Add(within)
	for {
		err := cond()
		if err == nil {
			return
		}
		if time.Now().After(end) || t.Context().Err() != nil {
			t.Fatalf("not within %v: %v", within, err)
		}
		pause(t.Context(), 200*time.Millisecond)
	}
}

// load is the load average of the last minute: timings are worth less on a busy
// machine.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err.Error()
	}
	first, _, _ := strings.Cut(string(b), " ")
	return first
}

// write writes a file of a test.
func write(t testing.TB, path, format string, args ...any) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
