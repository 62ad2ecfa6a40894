package pm2test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// NoteSource looks at a file, or into a folder, of which another program makes
// something, so that go test does not take a result from its cache after a change:
// it knows only what the test itself looked at.
func NoteSource(path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return err
	}
	_, err = os.ReadDir(path)
	return err
}

// noteApps does so with what apps under PM2 load.
func noteApps(t testing.TB) {
	t.Helper()
	for _, top := range []string{"ext", "examples"} {
		err := filepath.WalkDir(filepath.Join(Root(), top), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || !d.IsDir():
				return err
			case d.Name() == "node_modules":
				return fs.SkipDir
			}
			return NoteSource(path)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
