// Package proctest builds the programs of this repository and runs them, for
// tests from the outside. A program is built once a test process, from the tree
// under test, and ends with the test that started it.
package proctest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pm25/pm25/internal/pm2test"
)

// Builder builds programs into a folder of its own. The zero value is ready.
type Builder struct {
	mu    sync.Mutex
	dir   string
	built map[string]error
}

// Program returns the path of a program of cmd/, which is built if it was not.
func (b *Builder) Program(t testing.TB, name string) string {
	t.Helper()
	path, err := b.program(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (b *Builder) program(name string) (path string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dir == "" {
		if b.dir, err = os.MkdirTemp("", "pm25-built-"); err != nil {
			return "", err
		}
		b.built = map[string]error{}
	}
	path = filepath.Join(b.dir, name)
	if err, ok := b.built[name]; ok {
		return path, err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./cmd/"+name)
	cmd.Dir = pm2test.Root()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.built[name] = fmt.Errorf("building %s: %w\n%s", name, err, out)
	} else {
		b.built[name] = nil
	}
	return path, b.built[name]
}

// Main runs a package's tests, removes what was built for them and ends the
// process: all that a TestMain has to do.
func (b *Builder) Main(m *testing.M) {
	code := m.Run()
	if b.dir != "" {
		_ = os.RemoveAll(b.dir) // a folder for temporary files that stays harms nobody
	}
	os.Exit(code)
}
