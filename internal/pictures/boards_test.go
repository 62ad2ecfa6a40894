//go:build boards

package pictures

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
)

// holdEnv is the path of a file that receives the addresses of the scene and of its
// boards; when the pictures are taken the scene goes on until the file is gone: to
// look at boards while they are worked on.
const holdEnv = "PM25_BOARDS_HOLD"

// drawn is what a board has when all of its panels are drawn.
const drawn = "body:not(:has([data-done=no])):has([data-panel])"

// TestBoards takes a picture of every board, of a host on which much goes wrong, and
// follows the links of two alerts that tell of it.
func TestBoards(t *testing.T) {
	s := newScene(t)
	s.serveBoards(t)
	hold := os.Getenv(holdEnv)
	if hold != "" {
		if err := os.WriteFile(hold, []byte(s.up.URL+" "+s.viewer+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(calmFor)
	s.trouble(t)
	crashes := s.hook.Wait(t, 5*time.Minute, "firing", "alertname", "PM2CrashLoop", "app", "payments")
	slow := held(t, s.up.URL, 15*time.Minute, "PM2RouteSlow", "checkout")
	time.Sleep(troubleFor)
	shoot(t, s.boards()...)
	t.Run("on call", func(t *testing.T) { browse(t, "click.js", append(crashLoopPaths(crashes), slowRoutePaths(slow)...)) })
	for hold != "" {
		if _, err := os.Stat(hold); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// boards are the pictures: each board of what it is about, one in the dark and one in
// Chinese.
func (s *scene) boards() []shot {
	of := func(file, uid string, vars url.Values) shot {
		vars.Set("from", "now-15m")
		vars.Set("to", "now")
		return shot{
			URL: s.viewer + "/d/" + uid + "?" + vars.Encode(), File: filepath.Join("boards", file),
			Width: 1600, Height: 900, Whole: true, Wait: drawn, Patience: 120_000, Settle: 3000,
		}
	}
	return []shot{
		of("fleet", "pm25-fleet", url.Values{}),
		of("fleet-dark", "pm25-fleet", url.Values{"theme": {"dark"}}),
		of("host", "pm25-host", url.Values{"var-host": {sceneHost}}),
		of("app", "pm25-app", url.Values{"var-app": {"checkout"}}),
		of("app-crash-loop", "pm25-app", url.Values{"var-app": {"payments"}}),
		of("process", "pm25-process", url.Values{"var-app": {"sessions"}}),
		of("routes", "pm25-routes", url.Values{"var-app": {"checkout"}}),
		of("exceptions", "pm25-exceptions", url.Values{}),
		of("exceptions-zh", "pm25-exceptions", url.Values{"lang": {"zh"}}),
		of("alerts", "pm25-alerts", url.Values{}),
		of("self", "pm25-self", url.Values{}),
	}
}

// serveBoards serves the page of tools/boards where alerts link to.
func (s *scene) serveBoards(t *testing.T) {
	t.Helper()
	address, err := url.Parse(s.viewer)
	if err != nil {
		t.Fatal(err)
	}
	vite := filepath.Join(pm2test.Root(), "tools", "boards", "node_modules", "vite", "bin", "vite.js")
	proctest.Start(t, []string{"PM25_URL=" + s.up.URL, "PORT=" + address.Port()}, "node", vite, "preview", filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(vite)))))
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	pm2test.Eventually(t, time.Minute, func() error {
		res, err := client.Get(s.viewer + "/d/pm25-fleet")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %d", s.viewer, res.StatusCode)
		}
		return nil
	})
}
