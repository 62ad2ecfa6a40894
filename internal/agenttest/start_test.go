package agenttest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// fails runs an agent that has to end by itself with code 1 and a message of
// one line that holds all the texts.
func fails(t *testing.T, state string, args []string, says ...string) {
	t.Helper()
	a := launch(t, state, nil, args...)
	select {
	case <-a.done:
	case <-time.After(15 * time.Second):
		t.Fatalf("%q: it runs:\n%s", args, a.log())
	}
	lines := strings.Split(strings.TrimSpace(a.log()), "\n")
	last := lines[len(lines)-1]
	if code := a.cmd.ProcessState.ExitCode(); code != 1 || !strings.HasPrefix(last, "pm25-agent: ") {
		t.Errorf("%q: code %d, %s", args, code, a.log())
	}
	for _, s := range says {
		if !strings.Contains(last, s) {
			t.Errorf("%q does not say %q: %s", args, s, last)
		}
	}
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ arg, says string }{
		{"--nonsense", "nonsense"},
		{"--pm2.home=relative/path", "absolute"},
		{"--pm2.home==/x", "name before ="},
		{"--pm2.user=no-such-user-here", "no-such-user-here"},
		{"--pm2.forget-after=0s", "--pm2.forget-after"},
		{"--pm2.forget-after=soon", "soon"},
		{"--custom.max-per-process=0", "--custom.max-per-process"},
		{"--log.lines=21", "--log.lines"},
		{"--web.telemetry-path=/", "--web.telemetry-path"},
		{"--web.telemetry-path=metrics", "--web.telemetry-path"},
		{"--web.telemetry-path=/-/healthy", "--web.telemetry-path"},
		{"--web.telemetry-path=/{x", "--web.telemetry-path"},
		{"--web.telemetry-path=/a b", "--web.telemetry-path"},
		{"--web.listen-address=nowhere:x", "--web.listen-address"},
		{"--log.format=loud", "loud"},
		{"--collector.nosuch", "collector.nosuch"},
		{"--web.config.file=/does/not/exist", "/does/not/exist"},
		{"--server.url=http://10.1.2.3:9725 --server.token-file=/dev/null", "--server.insecure"},
		{"--server.url=https://127.0.0.1:1", "--server.token-file"},
		{"--server.url=https://127.0.0.1:1 --server.token-file=/does/not/exist", "/does/not/exist"},
		{"--server.token-file=/dev/null", "--server.url"},
		{"--spool.max-bytes=much", "--spool.max-bytes"},
	} {
		t.Run(c.arg, func(t *testing.T) {
			t.Parallel()
			args := strings.Split(c.arg, " ")
			if strings.HasPrefix(c.arg, "--web.telemetry-path") {
				args = []string{c.arg}
			}
			if !strings.HasPrefix(c.arg, "--pm2.") {
				args = append(args, noHome(t))
			}
			fails(t, t.TempDir(), args, c.says)
		})
	}
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fails(t, t.TempDir(), []string{"--web.listen-address=" + l.Addr().String(), noHome(t)}, "--web.listen-address", "taken", fmt.Sprintf("pid %d", os.Getpid()))
}

func TestStateFolderInUse(t *testing.T) {
	t.Parallel()
	a := start(t, noHome(t))
	fails(t, a.state, []string{noHome(t)}, a.state, "another pm25-agent", "--state.dir")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fails(t, file, nil, file, "--state.dir")
}

func TestStateFiles(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"torn": `{"format":"pm25-agent state","version":1,"daemons":[{"dae`, "empty": "", "foreign": `{"version":7,"x":1}`, "list": "[]", "binary": "\x00\xff",
		"wrong types": `{"format":"pm25-agent state","version":1,"daemons":{"a":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "state.json"), content)
			a := launch(t, dir, nil, noHome(t))
			a.ready()
			a.wait(1, "pm25_agent_state_errors_total")
			a.wait(0, "pm25_agent_state_restored")
			if kept, err := os.ReadFile(filepath.Join(dir, "state.json.bad")); err != nil || string(kept) != content {
				t.Errorf("set aside: %q, %v", kept, err)
			}
			if !strings.Contains(a.log(), "state.json.bad") {
				t.Error("the log does not say so")
			}
		})
	}
	for _, file := range []string{"state.json", "daemons.json"} {
		t.Run("newer "+file, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			format := map[string]string{"state.json": "pm25-agent state", "daemons.json": "pm25 known daemons"}[file]
			content := fmt.Sprintf(`{"format":%q,"version":99,"daemons":{"of":"another form"}}`, format)
			write(t, filepath.Join(dir, file), content)
			fails(t, dir, []string{noHome(t)}, "newer", "99")
			if kept, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(kept) != content {
				t.Errorf("it was touched: %q, %v", kept, err)
			}
		})
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestHomesThatDoNotWork: each is down and the log says why and what to do.
func TestHomesThatDoNotWork(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "pm25h-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	stale := filepath.Join(dir, "stale")
	if err := os.Mkdir(stale, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"rpc.sock", "pub.sock"} {
		l, err := net.Listen("unix", filepath.Join(stale, s))
		if err != nil {
			t.Fatal(err)
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		l.Close()
	}
	file := filepath.Join(dir, "file")
	write(t, file, "")
	a := start(t, "--pm2.home=missing="+dir+"/missing", "--pm2.home=stale="+stale, "--pm2.home=file="+file)
	for _, name := range []string{"missing", "stale", "file"} {
		a.wait(0, "pm2_up", "daemon", name)
	}
	pm2test.Eventually(t, 5*time.Second, func() error {
		for _, want := range []string{dir + "/missing", stale + "/pub.sock", file} {
			if !strings.Contains(a.log(), want) {
				return fmt.Errorf("the log does not name %s", want)
			}
		}
		return nil
	})
	if n := strings.Count(a.log(), "Can not connect"); n != 3 {
		t.Errorf("%d lines about it, want one each", n)
	}
}
