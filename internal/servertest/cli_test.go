package servertest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/internal/proctest"
)

// cli runs a command against the server, on its machine, and returns its exit
// code and what it says.
func cli(t *testing.T, s *Server, args ...string) (code int, out string) {
	t.Helper()
	if args[0] != "store" && !strings.HasPrefix(args[len(args)-1], "--server.url=") {
		args = append(args, "--server.url="+s.URL)
	}
	p := proctest.Start(t, nil, programs.Program(t, "pm25"), append(args, "--data.dir="+s.DataDir)...)
	code = p.Wait(t, time.Minute)
	return code, p.Log()
}

// must runs a command that has to succeed and say all the texts.
func must(t *testing.T, s *Server, says []string, args ...string) string {
	t.Helper()
	code, out := cli(t, s, args...)
	for _, text := range says {
		if code != 0 || !strings.Contains(out, text) {
			t.Errorf("pm25 %s: exit code %d, want %q in:\n%s", strings.Join(args, " "), code, text, out)
		}
	}
	return out
}

// mustNot runs a command that has to fail and name the reason.
func mustNot(t *testing.T, s *Server, says string, args ...string) {
	t.Helper()
	if code, out := cli(t, s, args...); code != 1 || !strings.Contains(out, says) || !strings.Contains("\n"+out, "\npm25: ") {
		t.Errorf("pm25 %s: exit code %d, want 1 and %q in:\n%s", strings.Join(args, " "), code, says, out)
	}
}

// TestCommandLine: exceptions, buckets and the store, from the shell.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := strings.TrimSpace(must(t, s, []string{"pm25_"}, "bucket", "create", "shop"))
	must(t, s, []string{"No such exceptions"}, "exceptions", "list")
	evil := Exception("api", "1.0.0", "不是函数 \x1b[2J\x07", time.Now())
	if code, receipt, err := s.Push(token, evil, Exception("worker", "2.0.0", "second", time.Now())); err != nil || code != http.StatusOK || receipt.Stored != 2 {
		t.Fatalf("%d %+v %v", code, receipt, err)
	}
	if out := must(t, s, []string{"不是函数", "api", "new", "1.0.0", "web-1"}, "exceptions", "list", "--app=api"); strings.ContainsAny(out, "\x1b\x07") || strings.Contains(out, "worker") {
		t.Errorf("it speaks to the terminal, or of others: %q", out)
	}
	var groups api.Groups
	if err := json.Unmarshal([]byte(must(t, s, []string{"{"}, "exceptions", "list", "--app=api", "--json")), &groups); err != nil || len(groups.Groups) != 1 {
		t.Fatalf("%v %+v", err, groups)
	}
	id := groups.Groups[0].ID
	if out := must(t, s, []string{"at handler (routes/users.js:10:3)", "最后一行", "handler (routes/users.js)"}, "exceptions", "show", id); strings.ContainsAny(out, "\x1b\x07") {
		t.Errorf("it speaks to the terminal: %q", out)
	}
	must(t, s, []string{"resolved in 1.0.1, by alex"}, "exceptions", "resolve", id, "--in-version=1.0.1", "--by=alex", "--note=修好了")
	must(t, s, []string{"worker"}, "exceptions", "list")
	must(t, s, []string{id, "resolved"}, "exceptions", "list", "--state=resolved")
	must(t, s, []string{"muted until"}, "exceptions", "mute", id, "--for=7d")
	must(t, s, []string{"ongoing"}, "exceptions", "reopen", id, "--owner=team")
	must(t, s, []string{"修好了", "team"}, "exceptions", "show", id)
	mustNot(t, s, "404", "exceptions", "show", "0123456789abcdef")
	mustNot(t, s, "for: it has to be a duration", "exceptions", "mute", id, "--for=soon")
	mustNot(t, s, "state: it has to be one of new, ongoing", "exceptions", "list", "--state=odd")
	mustNot(t, s, "--server.url", "exceptions", "list", "--server.url=127.0.0.1")
	s.bucketCommands(t, token)
	s.storeCommands(t)
}

func (s *Server) bucketCommands(t *testing.T, token string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	must(t, s, []string{file}, "bucket", "rotate", "shop", "--out="+file)
	mustNot(t, s, "there is a file already", "bucket", "rotate", "shop", "--out="+file)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	list := must(t, s, []string{"shop", "until", "valid"}, "bucket", "list")
	second, _ := os.ReadFile(file)
	if strings.Contains(list, token) || strings.Contains(list, strings.TrimSpace(string(second))) {
		t.Error("the list shows a token")
	}
	mustNot(t, s, "there is one already", "bucket", "create", "shop")
	mustNot(t, s, "401", "bucket", "create", "bank", "--user=ops", "--password-file="+file)
}

func (s *Server) storeCommands(t *testing.T) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy.db")
	must(t, s, []string{"sound"}, "store", "check")
	must(t, s, []string{copied}, "store", "backup", copied)
	mustNot(t, s, "name a new file", "store", "backup", copied)
	mustNot(t, s, "in use", "store", "check", "--repair")
	s.Stop()
	must(t, s, []string{"sound"}, "store", "check", "--repair")
	mustNot(t, s, "is pm25 server or pm25 up running there", "exceptions", "list")
}

// TestEvents: filters and LogQL, and what comes while one looks.
func TestEvents(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.Bucket("shop")
	push := func(app, message string) {
		t.Helper()
		if code, _, err := s.Push(token, Event(app, message, time.Now())); err != nil || code != http.StatusOK {
			t.Fatalf("%d %v", code, err)
		}
	}
	push("api", "订单已创建")
	push("worker", "second")
	if out := must(t, s, []string{"订单已创建", "web-1 api: order"}, "events", "query", "--app=api"); strings.Contains(out, "second") {
		t.Errorf("of another app: %s", out)
	}
	must(t, s, []string{"订单已创建", "second"}, "events", "query")
	must(t, s, []string{"second"}, "events", "query", "--app=api", "--app=worker", "--grep=second")
	must(t, s, []string{`"line"`, "second"}, "events", "query", "--json", `{app="worker"} |= "second"`)
	must(t, s, []string{`"1"`}, "events", "query", `sum(count_over_time({app="worker"}[1h]))`)
	mustNot(t, s, "400", "events", "query", `{app=`)
	mustNot(t, s, "either a query or filters", "events", "query", "--app=x", `{app="x"}`)
	tail := proctest.Start(t, nil, programs.Program(t, "pm25"), "events", "tail", "--app=late", "--server.url="+s.URL, "--data.dir="+s.DataDir)
	for i := 0; !strings.Contains(tail.Log(), "fresh"); i++ { // until it looks
		if i == 100 || tail.Ended() {
			t.Fatalf("it tells of nothing: %s", tail.Log())
		}
		push("late", "fresh")
		push("other", "foreign")
		time.Sleep(200 * time.Millisecond)
	}
	if code := tail.Stop(t, os.Interrupt); code != 0 || strings.Contains(tail.Log(), "foreign") {
		t.Errorf("%d: %s", code, tail.Log())
	}
}

// TestCheck goes the whole way, and says where it ends.
func TestCheck(t *testing.T) {
	t.Parallel()
	s := start(t)
	file := filepath.Join(t.TempDir(), "token")
	must(t, s, []string{file}, "bucket", "create", "shop", "--out="+file)
	up := "1"
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("# TYPE pm2_up gauge\npm2_up{daemon=\"shop\"} " + up + "\n"))
	}))
	t.Cleanup(agent.Close)
	must(t, s, []string{"PM2 shop answers", "an event is stored", "bucket shop", "Loki's API finds it"}, "check", "--agent.url="+agent.URL, "--server.token-file="+file)
	must(t, s, []string{"left out"}, "check", "--agent.url=")
	up = "0"
	mustNot(t, s, "PM2 shop does not answer", "check", "--agent.url="+agent.URL, "--server.token-file="+file)
	mustNot(t, s, "unknown, revoked or expired token", "check", "--agent.url=", "--server.token-file="+filepath.Join(s.DataDir, "operator.token"))
	s.Stop()
	mustNot(t, s, "does not answer", "check", "--agent.url=", "--server.token-file="+file)
}
