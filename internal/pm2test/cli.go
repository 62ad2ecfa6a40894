package pm2test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// environment is what the command line gets, and through it the daemon and the
// apps: the few settings that programs need to run at all, and those that keep
// PM2 quiet. Nothing else of the caller's gets in, so that a test does not depend
// on who runs it and no secret of a CI ends up in PM2's files.
func environment(home string) []string {
	env := []string{
		"PM2_HOME=" + home,
		"PM2_DISABLE_VERSION_CHECK=1",
		"PM2_DISCRETE_MODE=true",  // no banner, no messages about the daemon
		"PM2_NO_INTERACTION=true", // do not look for a link to a service
		"PM2_USAGE=CLI",           // as the command line sets it; see Processes
		"NODE_NO_WARNINGS=1",
	}
	for _, k := range []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(k); ok {
			env = append(env, k+"="+v)
		}
	}
	return env
}

// PM2 runs PM2's command line in the daemon's home and returns what it printed.
// An error carries the output. A call takes some 0.3 s of CPU time, so tests that
// need many apps start them with one call.
func (d *Daemon) PM2(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{d.script}, args...)...)
	cmd.Env, cmd.Dir = d.env, d.home
	cmd.WaitDelay = 2 * time.Second
	// A Ctrl-C in the terminal is for the caller, who decides what to end and how.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if d.stdout != nil {
		cmd.Stdout = io.MultiWriter(&stdout, d.stdout)
	}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return stdout.String(), fmt.Errorf("pm2 %s: %w\n%s%s", strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

// Must is PM2 for a test that cannot go on without.
func (d *Daemon) Must(t testing.TB, args ...string) string {
	t.Helper()
	out, err := d.PM2(context.Background(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Proc is what PM2 itself says of one of its processes.
type Proc struct {
	Name      string
	Namespace string
	PMID      int
	PID       int // 0 while it does not run
	Status    string
	Restarts  int
	ExecMode  string // fork_mode or cluster_mode
	ExitCode  int    // of the last run; -1 if there was none
	Memory    int64  // bytes
	Uptime    time.Time
}

// List asks PM2's command line for all processes, by id: a second opinion for
// whatever else reads the daemon's sockets.
func (d *Daemon) List(ctx context.Context) ([]Proc, error) {
	out, err := d.PM2(ctx, "jlist")
	if err != nil {
		return nil, err
	}
	// PM2 may print messages before the list.
	for line := range strings.SplitSeq(out, "\n") {
		if line == "[]" || strings.HasPrefix(line, "[{") {
			return parseList([]byte(line))
		}
	}
	return nil, fmt.Errorf("pm2 jlist printed no list: %q", out)
}

// Find returns the processes of an app.
func (d *Daemon) Find(ctx context.Context, name string) ([]Proc, error) {
	all, err := d.List(ctx)
	var found []Proc
	for _, p := range all {
		if p.Name == name {
			found = append(found, p)
		}
	}
	return found, err
}

func parseList(b []byte) ([]Proc, error) {
	var raw []struct {
		Name  string
		PMID  number `json:"pm_id"`
		PID   number `json:"pid"`
		Monit struct{ Memory number }
		Env   struct {
			Status    string  `json:"status"`
			Namespace string  `json:"namespace"`
			Restarts  number  `json:"restart_time"`
			ExecMode  string  `json:"exec_mode"`
			ExitCode  *number `json:"exit_code"`
			Uptime    number  `json:"pm_uptime"`
		} `json:"pm2_env"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("the list of pm2 jlist: %w", err)
	}
	list := make([]Proc, len(raw))
	for i, r := range raw {
		list[i] = Proc{
			Name: r.Name, Namespace: r.Env.Namespace, PMID: int(r.PMID), PID: int(r.PID),
			Status: r.Env.Status, Restarts: int(r.Env.Restarts), ExecMode: r.Env.ExecMode,
			ExitCode: -1, Memory: int64(r.Monit.Memory), Uptime: time.UnixMilli(int64(r.Env.Uptime)),
		}
		if r.Env.ExitCode != nil {
			list[i].ExitCode = int(*r.Env.ExitCode)
		}
	}
	return list, nil
}

// number is an integer that PM2 may write as a string, because the environment
// of an app overrides fields of the same name.
type number int64

func (n *number) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		*n = number(f)
	}
	return nil // "N/A", null: stays 0
}
