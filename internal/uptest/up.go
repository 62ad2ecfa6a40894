// Package uptest runs the program `pm25 up`, as it was built, for tests from the
// outside: started, stopped, killed and started again on one data folder, asked
// over HTTP as people and other programs ask it, with a webhook that keeps what
// it is told.
package uptest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
	"github.com/pm25/pm25/internal/promtest"
)

const (
	// readyWithin is how long a start may take, also one that replays a log.
	readyWithin = 60 * time.Second
	// bodyLimit is more than any page or answer has.
	bodyLimit = 64 << 20
)

// Options of an Up. Program is required.
type Options struct {
	Program string   // path of pm25, see proctest.Builder
	Homes   []string // --pm2.home; none is an empty folder, so that nothing of this machine is watched
	Webhook string   // --alert.webhook
	Args    []string // further flags
	DataDir string   // empty is a temporary folder
	Env     []string
	// Client and TLS are for a listener with a --web.config.file.
	Client *http.Client
	TLS    bool
}

// Up is a `pm25 up` on one port and one data folder, in one run or several.
type Up struct {
	*proctest.Process
	URL     string
	DataDir string
	Client  *http.Client

	t       testing.TB
	program string
	args    []string
	env     []string
	before  strings.Builder // what earlier runs wrote
}

// Launch starts the program and does not wait for it.
func Launch(t testing.TB, o Options) *Up {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", pm2test.FreePort(t))
	u := &Up{t: t, URL: "http://" + address, DataDir: o.DataDir, Client: o.Client, program: o.Program, env: o.Env}
	if o.TLS {
		u.URL = "https://" + address
	}
	if u.DataDir == "" {
		u.DataDir = t.TempDir()
	}
	if u.Client == nil {
		u.Client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
	}
	t.Cleanup(u.Client.CloseIdleConnections)
	u.args = []string{"up", "--data.dir=" + u.DataDir, "--web.listen-address=" + address}
	if len(o.Homes) == 0 {
		o.Homes = []string{"none=" + t.TempDir()}
	}
	for _, home := range o.Homes {
		u.args = append(u.args, "--pm2.home="+home)
	}
	if o.Webhook != "" {
		u.args = append(u.args, "--alert.webhook="+o.Webhook)
	}
	u.args = append(u.args, o.Args...)
	u.Again()
	return u
}

// Start starts the program and returns when it is ready.
func Start(t testing.TB, o Options) *Up {
	t.Helper()
	u := Launch(t, o)
	u.Ready()
	return u
}

// Again starts the program once more, on the same port and folder, with further
// flags. It must have ended, and is not waited for.
func (u *Up) Again(more ...string) {
	u.t.Helper()
	if u.Process != nil {
		u.before.WriteString(u.Process.Log())
	}
	u.Client.CloseIdleConnections()
	u.Process = proctest.Start(u.t, u.env, u.program, slices.Concat(u.args, more)...)
}

// Log is what all runs have written.
func (u *Up) Log() string { return u.before.String() + u.Process.Log() }

// Ready waits until the program says that it is ready.
func (u *Up) Ready() {
	u.t.Helper()
	pm2test.Eventually(u.t, readyWithin, func() error {
		if u.Ended() {
			return nil
		}
		return u.ok("/-/ready")
	})
	if u.Ended() {
		u.t.Fatalf("pm25 up ended: %s", u.LastLine())
	}
}

func (u *Up) ok(path string) error {
	code, body, err := u.Get(path)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("%s answers %d: %s", path, code, strings.TrimSpace(body))
	}
	return err
}

// Stop ends the program in order; anything but exit code 0 fails the test.
func (u *Up) Stop() {
	u.t.Helper()
	if code := u.Process.Stop(u.t, syscall.SIGTERM); code != 0 {
		u.t.Errorf("pm25 up ended with code %d", code)
	}
}

// Get asks for a path.
func (u *Up) Get(path string) (code int, body string, err error) {
	return u.Do(http.MethodGet, path, nil)
}

// Do sends a request, with a body in JSON unless it is nil.
func (u *Up) Do(method, path string, in any) (code int, body string, err error) {
	var payload []byte
	if in != nil {
		if payload, err = json.Marshal(in); err != nil {
			return 0, "", err
		}
	}
	req, err := http.NewRequestWithContext(context.Background(), method, u.URL+path, bytes.NewReader(payload))
	if err != nil {
		return 0, "", err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := u.Client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit))
	return res.StatusCode, string(b), err
}

// Reload has the configuration read again over HTTP.
func (u *Up) Reload() error {
	code, body, err := u.Do(http.MethodPost, "/-/reload", nil)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("reload answers %d: %s", code, strings.TrimSpace(body))
	}
	return err
}

// Prometheus is the HTTP API of the Prometheus inside.
func (u *Up) Prometheus() promtest.API {
	return promtest.API{URL: u.URL + "/prometheus", Client: u.Client}
}

// Query evaluates an expression now.
func (u *Up) Query(expr string) ([]promtest.Series, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return u.Prometheus().Query(ctx, expr, time.Now())
}

// Value evaluates an expression that gives one value.
func (u *Up) Value(expr string) (float64, error) {
	series, err := u.Query(expr)
	if err == nil && (len(series) != 1 || len(series[0].Samples) != 1) {
		err = fmt.Errorf("%s gives %d series, not one", expr, len(series))
	}
	if err != nil {
		return 0, err
	}
	return series[0].Samples[0].Value, nil
}

// WaitValue waits until an expression gives one value, and it is want.
func (u *Up) WaitValue(within time.Duration, want float64, expr string) {
	u.t.Helper()
	pm2test.Eventually(u.t, within, func() error {
		got, err := u.Value(expr)
		if err == nil && got != want {
			err = fmt.Errorf("%s is %v, want %v", expr, got, want)
		}
		return err
	})
}
