package main

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
	"syscall"
	"time"
)

// agent is the running pm25-agent.
type agent struct {
	cmd    *exec.Cmd
	url    string
	log    string
	client *http.Client

	exited  chan struct{} // closed when it has ended
	exitErr error         // how, once exited is closed
}

// startAgent runs the agent for one PM2_HOME, with what it logs in a file.
func startAgent(o options, home, mark string, port int) (*agent, error) {
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	a := &agent{
		url:    "http://" + addr,
		log:    filepath.Join(o.dir, "agent.log"),
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}},
		exited: make(chan struct{}),
	}
	log, err := os.Create(a.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the agent has its own
	a.cmd = exec.Command(o.agent,
		"--pm2.home=demo="+home,
		"--web.listen-address="+addr,
		"--state.dir="+filepath.Join(o.dir, "state"))
	a.cmd.Stdout, a.cmd.Stderr = log, log
	a.cmd.Env = append(os.Environ(), mark)
	// Not in the terminal's group: on Ctrl-C it is ended when its turn comes.
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := a.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the agent: %w", err)
	}
	go func() {
		a.exitErr = a.cmd.Wait()
		close(a.exited)
	}()
	return a, nil
}

// waitReady waits until the agent says that it sees the daemon.
func (a *agent) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		s, err := a.scrape(ctx)
		if err == nil && s.up != 1 {
			err = errors.New("pm2_up is not 1")
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the agent does not see PM2: %w\n%s", err, a.logTail())
		case <-a.exited:
			return a.failure()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// scrape reads the metrics as Prometheus would.
func (a *agent) scrape(ctx context.Context) (samples, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+"/metrics", nil)
	if err != nil {
		return samples{}, err
	}
	res, err := a.client.Do(req)
	if err != nil {
		return samples{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return samples{}, fmt.Errorf("/metrics answered %s", res.Status)
	}
	return parse(io.LimitReader(res.Body, 32<<20))
}

// stop ends the agent, politely while ctx lasts, for five seconds at most.
func (a *agent) stop(ctx context.Context) {
	a.client.CloseIdleConnections()
	_ = a.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	select {
	case <-a.exited:
		return
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
	}
	_ = a.cmd.Process.Kill()
	<-a.exited
}

// failure is the error of an agent that ended by itself.
func (a *agent) failure() error {
	return fmt.Errorf("the agent ended (%v)\n%s", a.cmd.ProcessState, a.logTail())
}

func (a *agent) logTail() string {
	b, _ := os.ReadFile(a.log)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) > 10 {
		lines = lines[len(lines)-10:]
	}
	return fmt.Sprintf("the end of %s:\n  %s", a.log, strings.Join(lines, "\n  "))
}
