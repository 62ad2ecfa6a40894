package pm2test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestApp goes through what the test app can be told, and has PM2 confirm it.
func TestApp(t *testing.T) {
	ctx := context.Background()
	d := New(t, Options{})
	never := map[string]any{"autorestart": false}
	ends := []struct {
		name string
		cmd  Cmd
		code int // what PM2 gives as exit code; 0 for a signal
	}{
		{"throw", Cmd{"do": "throw", "type": "TypeError", "message": "told to"}, 1},
		{"exit0", Cmd{"do": "exit0"}, 0},
		{"exit3", Cmd{"do": "exit3"}, 3},
		{"abort", Cmd{"do": "abort"}, 0},
		{"signal", Cmd{"do": "signal", "signal": "SIGKILL"}, 0},
		{"oom", Cmd{"do": "oom"}, 0},
	}
	var apps []AppSpec
	for _, e := range ends {
		a := AppSpec{Name: e.name, Extra: never}
		if e.name == "oom" {
			a.NodeArgs = []string{"--max-old-space-size=20"}
		}
		apps = append(apps, a)
	}
	apps = append(apps, AppSpec{Name: "lives", Env: map[string]string{"PORT": "0"}})
	d.App(t, apps...)

	lives := len(ends)
	for i, e := range ends {
		d.Tell(t, i, e.cmd)
	}

	// Those that go on living after it.
	d.Tell(t, lives, Cmd{"do": "metric", "name": "orders", "value": 17, "unit": "n"})
	d.Tell(t, lives, Cmd{"do": "notify"})
	d.Tell(t, lives, Cmd{"do": "emit", "type": "my:event"})
	d.Tell(t, lives, Cmd{"do": "reject"})
	d.Tell(t, lives, Cmd{"do": "leak", "mb": 40})
	d.Tell(t, lives, Cmd{"do": "log", "text": "a line of mine", "count": 3})
	d.Tell(t, lives, Cmd{"do": "log", "mbps": 1, "ms": 300, "stream": "err"})
	d.Tell(t, lives, Cmd{"do": "hang", "ms": 50})
	d.Tell(t, lives, Cmd{"do": "burn", "share": 0.5, "ms": 200})
	port := d.Tell(t, lives, Cmd{"do": "info"})["port"]
	for path, code := range map[string]int{"/": 200, "/users/5": 200, "/slow?ms=10": 200, "/error": 500} {
		res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%v%s", port, path))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != code {
			t.Errorf("%s gives %d, want %d", path, res.StatusCode, code)
		}
	}
	if _, err := d.TellCtx(ctx, lives, Cmd{"do": "dance"}); err == nil {
		t.Error("an unknown command was accepted")
	}

	Eventually(t, 20*time.Second, func() error {
		ps, err := d.List(ctx)
		if err != nil {
			return err
		}
		for i, e := range ends {
			if p := ps[i]; p.Status != "stopped" || p.ExitCode != e.code {
				return fmt.Errorf("%s: %s with code %d, want stopped with %d", p.Name, p.Status, p.ExitCode, e.code)
			}
		}
		if p := ps[lives]; p.Status != "online" || p.Restarts != 0 || p.Memory < 80<<20 {
			return fmt.Errorf("%+v", p)
		}
		return nil
	})
	if out := d.Must(t, "jlist"); !strings.Contains(out, `"orders":{"value":17`) {
		t.Error("PM2 does not show the custom metric")
	}
	out, err := os.ReadFile(d.Home() + "/logs/lives-out.log")
	if err != nil || strings.Count(string(out), "a line of mine\n") != 3 {
		t.Errorf("out log %q %v", out, err)
	}
	if fi, err := os.Stat(d.Home() + "/logs/lives-error.log"); err != nil || fi.Size() < 100<<10 {
		t.Errorf("error log: %v %v", fi, err)
	}
}
