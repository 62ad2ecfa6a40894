//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// accept is what Prometheus 3 sends by default.
const accept = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"

// party is one of the exporters that are compared.
type party struct {
	cmd    *exec.Cmd
	url    string
	log    string
	client *http.Client
	exited chan struct{}
}

// answer is one scrape.
type answer struct {
	took                   time.Duration
	bytes, series, created int
}

func (b *bench) startAgent(ctx context.Context) (*party, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	state, err := os.MkdirTemp(b.dir, "state-")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(b.opts.agent, "--pm2.home=bench="+b.daemon.Home(), fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port), "--state.dir="+state)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir}
	return b.start(ctx, cmd, "agent", port, "\npm2_up{daemon=\"bench\"} 1")
}

// startPeer starts pm2-metrics, which takes its settings as those of a module
// of PM2: from a variable of its name. It connects to PM2 at its first scrape.
func (b *bench) startPeer(ctx context.Context) (*party, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(pm2test.Root(), "tools", "peer", "node_modules", "pm2-metrics")
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("%w; make peer installs it", err)
	}
	cmd := exec.Command("node", "exporter.js")
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "PM2_HOME=" + b.daemon.Home(),
		"PM2_DISABLE_VERSION_CHECK=1", "PM2_DISCRETE_MODE=true", "PM2_NO_INTERACTION=true", "NODE_NO_WARNINGS=1",
		fmt.Sprintf(`pm2-metrics={"host":"127.0.0.1","port":%d}`, port),
	}
	return b.start(ctx, cmd, "peer", port, "\npm2_up{")
}

// start runs a party until its answer holds what it must.
func (b *bench) start(ctx context.Context, cmd *exec.Cmd, name string, port int, want string) (*party, error) {
	p := &party{
		cmd: cmd, url: fmt.Sprintf("http://127.0.0.1:%d/metrics", port), log: filepath.Join(b.dir, name+".log"),
		client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableCompression: true}}, exited: make(chan struct{}),
	}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	// Not in the terminal's group, and gone should this program be killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the %s: %w", name, err)
	}
	go func() {
		_ = cmd.Wait() // how it ended is in ProcessState
		close(p.exited)
	}()
	for deadline := time.Now().Add(30 * time.Second); ; {
		_, body, err := p.fetch(ctx)
		if err == nil && bytes.Contains(body, []byte(want)) {
			return p, nil
		}
		select {
		case <-p.exited:
			err = errors.New("it ended")
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(100 * time.Millisecond):
			if time.Now().Before(deadline) {
				continue
			}
		}
		p.stop()
		tail, _ := os.ReadFile(p.log)
		return nil, fmt.Errorf("the %s does not see PM2: %w\n%s", name, err, tail[max(0, len(tail)-2000):])
	}
}

// stop ends the party and waits for that.
func (p *party) stop() {
	p.client.CloseIdleConnections()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	select {
	case <-p.exited:
	case <-time.After(5 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

func (p *party) fetch(ctx context.Context) (time.Duration, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "10")
	began := time.Now()
	res, err := p.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s", p.url, res.Status)
	}
	return time.Since(began), body, err
}

func (p *party) scrape(ctx context.Context) (answer, error) {
	took, body, err := p.fetch(ctx)
	if err != nil {
		return answer{}, err
	}
	a := answer{took: took, bytes: len(body)}
	for line := range bytes.Lines(body) {
		if len(line) < 2 || line[0] == '#' {
			continue
		}
		a.series++
		name, _, _ := strings.Cut(string(line), "{")
		if strings.HasSuffix(strings.Fields(name)[0], "_created") {
			a.created++
		}
	}
	if a.series == 0 {
		return answer{}, fmt.Errorf("%s answered without a series", p.url)
	}
	return a, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
