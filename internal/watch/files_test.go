package watch

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2/pm2fake"
)

// TestSavedListIsSeenSoon: what `pm2 save` wrote is there within some scrapes,
// whether or not anything happened that PM2 is asked for its list after.
func TestSavedListIsSeenSoon(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		w := follow(t, d, nil)
		pass(time.Minute)
		expected := func() map[string]int {
			all := map[string]int{}
			for _, f := range w.view(time.Second).Files {
				all[f.Key.App] = f.Expected
			}
			return all
		}
		if got := expected(); got["app0"] != -1 || got["gone"] != 0 {
			t.Fatalf("without a saved list: %v", got)
		}
		saved := `[{"name":"app0","pm2_env":{"name":"app0"}},{"name":"gone","pm2_env":{"name":"gone"}}]`
		if err := os.WriteFile(filepath.Join(d.Home(), savedList), []byte(saved), 0o600); err != nil {
			t.Fatal(err)
		}
		pass(filesEvery)
		if got := expected(); got["app0"] != 1 || got["gone"] != 1 {
			t.Errorf("%s after it was saved: %v", filesEvery, got)
		}
	})
}

// TestFilesOfNoDaemon: nothing is read of a home whose daemon was never seen.
func TestFilesOfNoDaemon(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		d.Down()
		if err := os.WriteFile(filepath.Join(d.Home(), savedList), []byte(`[{"name":"app0","pm2_env":{"name":"app0"}}]`), 0o600); err != nil {
			t.Fatal(err)
		}
		w := follow(t, d, nil)
		pass(time.Minute)
		if v := w.view(time.Second); v.Files != nil {
			t.Errorf("files of a daemon that is not there: %+v", v.Files)
		}
	})
}
