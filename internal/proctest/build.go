// Package proctest builds the programs of this repository and runs them, for
// tests from the outside. A program is built once a test process, from the tree
// under test, and ends with the test that started it.
package proctest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	if err := noteSources(name); err != nil {
		return "", err
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

// noteSources looks at what a program is built of, so that go test does not take a
// result from its cache after a change: it does not see what the compiler reads.
func noteSources(name string) error {
	const files = `{{if .Module}}{{if .Module.Main}}{{.Dir}}{{range .EmbedFiles}}{{"\n"}}{{$.Dir}}/{{.}}{{end}}{{end}}{{end}}`
	cmd := exec.Command("go", "list", "-deps", "-f", files, "./cmd/"+name)
	cmd.Dir = pm2test.Root()
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("listing what %s is built of: %w", name, err)
	}
	for path := range strings.Lines(string(out)) {
		if path = strings.TrimSpace(path); path == "" {
			continue
		}
		if err := pm2test.NoteSource(path); err != nil {
			return err
		}
	}
	return nil
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
