package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pm25/pm25/internal/promtest"
)

// hostName is how the demo calls this machine.
const hostName = "demo"

// stack is the running `pm25 up`.
type stack struct {
	cmd    *exec.Cmd
	url    string
	log    string
	client *http.Client

	exited chan struct{} // closed when it has ended
}

// startStack runs `pm25 up` for one PM2_HOME, with what it logs in a file.
func startStack(o options, home, mark string, port int, webhook string) (*stack, error) {
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	s := &stack{
		url:    "http://" + addr,
		log:    filepath.Join(o.dir, "pm25.log"),
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}},
		exited: make(chan struct{}),
	}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the program has its own
	s.cmd = exec.Command(o.program, "up",
		"--pm2.home="+daemonLabel+"="+home,
		"--host.name="+hostName,
		"--web.listen-address="+addr,
		"--data.dir="+filepath.Join(o.dir, "data"),
		"--alert.webhook="+webhook)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.Env = append(os.Environ(), mark)
	// Not in the terminal's group: on Ctrl-C it is ended when its turn comes.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting pm25: %w", err)
	}
	go func() {
		_ = s.cmd.Wait() // how it ended is read from cmd.ProcessState
		close(s.exited)
	}()
	return s, nil
}

// waitReady waits until the live page answers.
func (s *stack) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		err := s.answers(ctx, s.url+"/-/ready")
		if err == nil {
			return s.answers(ctx, s.url+"/")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("pm25 does not get ready: %w\n%s", err, s.logTail())
		case <-s.exited:
			return s.failure()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// answers opens a page; anything but 200 is an error.
func (s *stack) answers(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 300))
		return fmt.Errorf("%s answers %s: %s", url, res.Status, strings.TrimSpace(string(body)))
	}
	return nil
}

// look asks the Prometheus inside, as the live page and the rules do.
func (s *stack) look(ctx context.Context) (samples, error) {
	api := promtest.API{URL: s.url + "/prometheus", Client: s.client}
	return read(func(expr string) ([]promtest.Series, error) { return api.Query(ctx, expr, time.Now()) })
}

// stop ends the program, politely while ctx lasts, for ten seconds at most.
func (s *stack) stop(ctx context.Context) {
	s.client.CloseIdleConnections()
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	select {
	case <-s.exited:
		return
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
	}
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// failure is the error of a program that ended by itself.
func (s *stack) failure() error {
	return fmt.Errorf("pm25 up ended (%v)\n%s", s.cmd.ProcessState, s.logTail())
}

func (s *stack) logTail() string {
	b, _ := os.ReadFile(s.log)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) > 10 {
		lines = lines[len(lines)-10:]
	}
	return fmt.Sprintf("the end of %s:\n  %s", s.log, strings.Join(lines, "\n  "))
}
