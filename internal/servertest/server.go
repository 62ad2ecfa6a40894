// Package servertest runs the program `pm25 server`, as it was built, for tests
// from the outside: started, killed and started again on one data folder, pushed
// to as agents push, and asked as people ask it.
package servertest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
	"github.com/pm25/pm25/internal/record"
)

const readyWithin = 30 * time.Second

// Options of a Server. Program is required.
type Options struct {
	Program string // path of pm25, see proctest.Builder
	Args    []string
	Env     []string
	Address string // default: loopback
}

// Server is a `pm25 server` on one port and one data folder, in one run or
// several.
type Server struct {
	*proctest.Process
	URL     string
	DataDir string
	Client  *http.Client

	t       testing.TB
	program string
	args    []string
	env     []string
}

// Launch starts the program and does not wait for it.
func Launch(t testing.TB, o Options) *Server {
	t.Helper()
	port := pm2test.FreePort(t)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	s := &Server{
		t: t, URL: "http://" + address, DataDir: filepath.Join(t.TempDir(), "data"), program: o.Program, env: o.Env,
		Client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	t.Cleanup(s.Client.CloseIdleConnections)
	if o.Address != "" {
		address = fmt.Sprintf("%s:%d", o.Address, port)
	}
	s.args = append([]string{"server", "--data.dir=" + s.DataDir, "--web.listen-address=" + address}, o.Args...)
	s.Again()
	return s
}

// Start starts the program and returns when it is ready.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := Launch(t, o)
	s.Ready()
	return s
}

// Again starts the program once more. It must have ended, and is not waited for.
func (s *Server) Again(more ...string) {
	s.t.Helper()
	s.Client.CloseIdleConnections()
	s.Process = proctest.Start(s.t, s.env, s.program, slices.Concat(s.args, more)...)
}

// Ready waits until the program says that it is ready.
func (s *Server) Ready() {
	s.t.Helper()
	pm2test.Eventually(s.t, readyWithin, func() error {
		if s.Ended() {
			return nil
		}
		code, body, err := s.Do(http.MethodGet, "/-/ready", nil)
		if err == nil && code != http.StatusOK {
			err = fmt.Errorf("not ready: %d %s", code, body)
		}
		return err
	})
	if s.Ended() {
		s.t.Fatalf("pm25 server ended: %s", s.LastLine())
	}
}

// Stop ends the program in order; anything but exit code 0 fails the test.
func (s *Server) Stop() {
	s.t.Helper()
	if code := s.Process.Stop(s.t, syscall.SIGTERM); code != 0 {
		s.t.Errorf("pm25 server ended with code %d", code)
	}
}

// Operator is the operator token.
func (s *Server) Operator() string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.DataDir, "operator.token"))
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// Do sends a request with headers in pairs, and a body that may be nil.
func (s *Server) Do(method, path string, body io.Reader, headers ...string) (code int, answer string, err error) {
	r, err := http.NewRequestWithContext(context.Background(), method, s.URL+path, body)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.Client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	return res.StatusCode, string(b), err
}

// Operate changes something with the operator token, and reads what it gives.
func (s *Server) Operate(path string, in, into any) {
	s.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	code, answer, err := s.Do(http.MethodPost, path, bytes.NewReader(body), "Authorization", "Bearer "+s.Operator(), "Content-Type", "application/json")
	if err != nil || code != http.StatusOK {
		s.t.Fatalf("%s: %d %s, %v", path, code, answer, err)
	}
	data := struct{ Data any }{into}
	if err := json.Unmarshal([]byte(answer), &data); err != nil {
		s.t.Fatalf("%s: %v: %s", path, err, answer)
	}
}

// Bucket makes a bucket and returns its token.
func (s *Server) Bucket(name string) (secret string) {
	s.t.Helper()
	var issued struct{ Secret string }
	s.Operate("/api/v1/buckets", map[string]string{"name": name}, &issued)
	return issued.Secret
}

// Push sends records as an agent does.
func (s *Server) Push(token string, records ...*record.Record) (code int, receipt record.Receipt, err error) {
	body, err := json.Marshal(record.Batch{V: record.Version, Agent: record.Agent{Host: "web-1", Version: "1.0.0"}, Records: records})
	if err != nil {
		return 0, receipt, err
	}
	code, answer, err := s.Do(http.MethodPost, "/api/v1/push", bytes.NewReader(body), "Authorization", "Bearer "+token, "Content-Type", "application/json")
	if err == nil && code == http.StatusOK {
		err = json.Unmarshal([]byte(answer), &receipt)
	}
	return code, receipt, err
}

// Event is an event of an app.
func Event(app, message string, at time.Time) *record.Record {
	data, _ := json.Marshal(map[string]string{"text": message})
	return &record.Record{
		V: record.Version, ID: record.NewID(at), At: at.UnixNano(), Kind: record.Event, Host: "web-1", Daemon: "shop", Namespace: "default",
		App: app, PMID: 0, Level: record.LevelInfo, Source: record.FromExt, Message: message, Event: &record.EventInfo{Name: "order", Data: data},
	}
}

// Exception is an exception of an app; those with one bug make one group.
func Exception(app, version, bug string, at time.Time) *record.Record {
	sum := sha256.Sum256([]byte(app + bug))
	stack := "TypeError: " + bug + "\n    at handler (routes/users.js:10:3)"
	return &record.Record{
		V: record.Version, ID: record.NewID(at), At: at.UnixNano(), Kind: record.Exception, Host: "web-1", Daemon: "shop", Namespace: "default",
		App: app, PMID: 0, PID: 4711, Version: version, Level: record.LevelError, Source: record.FromPM2,
		Exception: &record.ExceptionInfo{
			Fingerprint: hex.EncodeToString(sum[:]), Algo: 1, Title: "TypeError: " + bug, Culprit: "handler (routes/users.js)",
			Name: "TypeError", Message: bug, Stack: stack, Mechanism: record.Uncaught,
		},
		Logs: []record.LogLine{{Stream: "err", Text: "the last line: 最后一行"}},
	}
}
