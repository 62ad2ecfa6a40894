// Package promtest runs a real Prometheus server, in a folder and on a
// loopback port of its own, for tests that ask what Prometheus makes of our
// metrics.
package promtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// Binaries by version, with the make target that leaves them in .cache/bin.
var binaries = map[string]struct {
	file, target string
	inCI         bool // installed there before the tests run
}{
	"3":        {"prometheus", "make tools-prom", true},
	"2.42":     {"prometheus-2.42", "make tools-prom-2.42", false},
	"promtool": {"promtool", "make tools-prom", true},
	"amtool":   {"amtool", "make tools-prom", true},
}

// Binary returns the path of a Prometheus, "3" or "2.42", of "promtool" or of
// "amtool".
// Where it is not installed the test is skipped; under CI, which installs
// all but 2.42, that is a failure.
func Binary(t testing.TB, version string) string {
	t.Helper()
	b, ok := binaries[version]
	if !ok {
		t.Fatalf("no such Prometheus: %q", version)
	}
	path := filepath.Join(pm2test.Root(), ".cache", "bin", b.file)
	if _, err := os.Stat(path); err != nil {
		if b.inCI && os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed; %s installs it", b.file, b.target)
		}
		t.Skipf("skipped: %s is not installed; %s installs it", b.file, b.target)
	}
	return path
}

// Options of Start.
type Options struct {
	Binary string   // see Binary
	Config string   // text of prometheus.yml
	Args   []string // further flags
}

// Server is a running Prometheus.
type Server struct {
	API

	cmd    *exec.Cmd
	log    string
	exited chan struct{}
	stop   sync.Once
}

// Start starts a server and returns when it is ready. It ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte(o.Config), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", pm2test.FreePort(t))
	s := &Server{
		API: API{URL: "http://" + addr, Client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}},
		log: filepath.Join(dir, "log"), exited: make(chan struct{}),
	}
	log, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the server has its own
	s.cmd = exec.Command(o.Binary, append([]string{
		"--config.file=" + config, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + addr,
	}, o.Args...)...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("starting Prometheus: %v", err)
	}
	go func() {
		_ = s.cmd.Wait() // Stop has no use for it
		close(s.exited)
	}()
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("end of Prometheus' log:\n%s", s.logTail())
		}
	})
	pm2test.Eventually(t, 30*time.Second, s.ready)
	return s
}

func (s *Server) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/-/ready", nil)
	if err != nil {
		return err
	}
	res, err := s.Client.Do(req)
	if err != nil {
		return errors.Join(err, errors.New(s.logTail()))
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body) // only to use the connection again
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("/-/ready answers %s", res.Status)
	}
	return nil
}

// PID is the server's process id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Stop ends the server. Calling it again does nothing.
func (s *Server) Stop() {
	s.stop.Do(func() {
		s.Client.CloseIdleConnections()
		_ = s.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
		select {
		case <-s.exited:
		case <-time.After(20 * time.Second):
			_ = s.cmd.Process.Kill()
			<-s.exited
		}
	})
}

func (s *Server) logTail() string {
	b, _ := os.ReadFile(s.log)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}
