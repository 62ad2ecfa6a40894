package sourcemap_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/safefile"
	"github.com/pm25/pm25/internal/sourcemap"
)

// TestWithSafeFiles opens files as the agent does: what an app put in the place
// of a map neither blocks nor leads elsewhere.
func TestWithSafeFiles(t *testing.T) {
	root := t.TempDir()
	const mapped = `{"version":3,"sources":["a.ts"],"sourcesContent":["one\ntwo"],"mappings":"AAAA;AACA"}`
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"good.js", "fifo.js", "folder.js", "large.js", "device.js"} {
		write(name, "x()\ny()\n")
	}
	write("good.js.map", mapped)
	write("large.js.map", mapped+string(make([]byte, 2000)))
	if err := unix.Mkfifo(filepath.Join(root, "fifo.js.map"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "folder.js.map"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", filepath.Join(root, "device.js.map")); err != nil {
		t.Fatal(err)
	}
	const maxFile = 1000
	m, err := sourcemap.New(sourcemap.Options{MaxFile: maxFile, Open: func(path string) (fs.File, error) {
		f, _, err := safefile.Open("", path, os.Getuid(), maxFile)
		if err != nil {
			return nil, err
		}
		return f, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"good.js": "a.ts", "fifo.js": "fifo.js", "folder.js": "folder.js", "large.js": "large.js", "device.js": "device.js"} {
		got, ok := m.Map(root, []record.Frame{{File: name, Line: 2, Column: 1, InApp: true}})
		if got[0].File != want || ok != (want == "a.ts") {
			t.Errorf("%s is %s, mapped = %t", name, got[0].File, ok)
		}
		if line := got[0].Text; line != "two" && line != "y()" {
			t.Errorf("%s has the line %q", name, line)
		}
	}
}
