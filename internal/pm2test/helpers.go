package pm2test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const pollEvery = 25 * time.Millisecond

// Eventually calls cond until it returns nil, and fails the test with the last
// error if that does not happen within the time.
func Eventually(t testing.TB, within time.Duration, cond func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := poll(ctx, cond); err != nil {
		t.Fatalf("not within %v: %v", within, err)
	}
}

// poll calls cond, at least once, until it returns nil or ctx is done; then the
// last error of cond is the answer.
func poll(ctx context.Context, cond func() error) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := cond()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// FreePort returns a loopback TCP port that nobody listened on a moment ago.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Root is the root of the repository: the nearest folder, from the working
// directory upwards, with a go.mod that is not a nested module's.
func Root() string { return root() }

var root = sync.OnceValue(func() string {
	wd, err := os.Getwd()
	if err != nil {
		return "."
	}
	// Nested modules (tools) have a go.mod too; only the root has both this and
	// the package's own folder.
	for dir := wd; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			if _, err := os.Stat(filepath.Join(dir, "internal", "pm2test")); err == nil {
				return dir
			}
		}
		if dir == filepath.Dir(dir) {
			return wd
		}
	}
})
