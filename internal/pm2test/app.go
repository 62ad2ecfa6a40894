package pm2test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// AppPath returns the path of a test app in apps/.
func AppPath(name string) string {
	return filepath.Join(Root(), "internal", "pm2test", "apps", name)
}

// Cmd is a command for the test app, such as
//
//	Cmd{"do": "throw", "message": "boom", "after": 200}
//
// apps/app.js lists them.
type Cmd map[string]any

// AppSpec describes an app to start.
type AppSpec struct {
	Name      string
	Script    string // default: the test app, apps/app.js
	Args      []string
	Cluster   int // workers in cluster mode; 0 is one process in fork mode
	Namespace string
	NodeArgs  []string // such as --max-old-space-size=20
	Env       map[string]string
	// Do are commands that the test app runs whenever it starts.
	Do []Cmd
	// Extra are further settings by the names of PM2's ecosystem file, such as
	// "max_memory_restart": "50M" or "autorestart": false.
	Extra map[string]any
}

// ecosystem is the entry for PM2's ecosystem file.
func (a AppSpec) ecosystem() (map[string]any, error) {
	e := map[string]any{"name": a.Name, "script": a.Script}
	if a.Script == "" {
		e["script"] = AppPath("app.js")
	}
	if len(a.Args) > 0 {
		e["args"] = a.Args
	}
	if len(a.NodeArgs) > 0 {
		e["node_args"] = a.NodeArgs
	}
	if a.Cluster > 0 {
		e["exec_mode"], e["instances"] = "cluster", a.Cluster
	}
	if a.Namespace != "" {
		e["namespace"] = a.Namespace
	}
	env := maps.Clone(a.Env)
	if len(a.Do) > 0 {
		b, err := json.Marshal(a.Do)
		if err != nil {
			return nil, err
		}
		if env == nil {
			env = map[string]string{}
		}
		env["DO"] = string(b)
	}
	if len(env) > 0 {
		e["env"] = env
	}
	maps.Copy(e, a.Extra)
	return e, nil
}

// StartApps starts any number of apps with one call of the command line.
func (d *Daemon) StartApps(ctx context.Context, apps ...AppSpec) error {
	return d.withEcosystem(ctx, "start", apps)
}

// ReloadApps reloads apps that run, with what is new in their specs.
func (d *Daemon) ReloadApps(ctx context.Context, apps ...AppSpec) error {
	return d.withEcosystem(ctx, "reload", apps)
}

func (d *Daemon) withEcosystem(ctx context.Context, command string, apps []AppSpec) error {
	var file struct {
		Apps []map[string]any `json:"apps"`
	}
	for _, a := range apps {
		e, err := a.ecosystem()
		if err != nil {
			return fmt.Errorf("app %s: %w", a.Name, err)
		}
		file.Apps = append(file.Apps, e)
	}
	b, err := json.MarshalIndent(file, "", " ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(d.home, command+"-*.json")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	_, err = d.PM2(ctx, command, f.Name())
	return err
}

// StartEcosystem starts the apps of an ecosystem file; more arguments go to
// `pm2 start`.
func (d *Daemon) StartEcosystem(ctx context.Context, path string, args ...string) error {
	_, err := d.PM2(ctx, append([]string{"start", path}, args...)...)
	return err
}

// App starts one app, or several with one call, for a test. PM2 has started
// their processes when it returns; what they do then is theirs.
func (d *Daemon) App(t testing.TB, apps ...AppSpec) {
	t.Helper()
	if err := d.StartApps(context.Background(), apps...); err != nil {
		t.Fatalf("starting apps: %v", err)
	}
}

// WaitStatus waits until PM2 itself says that an app has n processes and all of
// them have the status, and returns them.
func (d *Daemon) WaitStatus(t testing.TB, app, status string, n int) []Proc {
	t.Helper()
	var procs []Proc
	Eventually(t, 30*time.Second, func() (err error) {
		if procs, err = d.Find(context.Background(), app); err != nil {
			return err
		}
		if len(procs) != n {
			return fmt.Errorf("%s has %d processes, want %d", app, len(procs), n)
		}
		for _, p := range procs {
			if p.Status != status {
				return fmt.Errorf("%s (%d) is %s, want %s", app, p.PMID, p.Status, status)
			}
		}
		return nil
	})
	return procs
}

// Tell gives the test app with a PM2 id a command and returns its answer. It
// waits a little for an app that is only just starting. Commands that end the
// app are answered before they take effect.
func (d *Daemon) Tell(t testing.TB, pmID int, c Cmd) map[string]any {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	r, err := d.TellCtx(ctx, pmID, c)
	if err != nil {
		t.Fatalf("telling app %d to %v: %v", pmID, c["do"], err)
	}
	return r
}

// TellCtx is Tell outside of a test.
func (d *Daemon) TellCtx(ctx context.Context, pmID int, c Cmd) (map[string]any, error) {
	line, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	var conn net.Conn
	err = poll(ctx, func() (err error) {
		conn, err = net.Dial("unix", filepath.Join(d.home, fmt.Sprintf("c%d.sock", pmID)))
		return err
	})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if _, err := conn.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	answer, err := bufio.NewReader(conn).ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	var r map[string]any
	if err := json.Unmarshal(answer, &r); err != nil {
		return nil, err
	}
	if e, ok := r["error"]; ok {
		return nil, fmt.Errorf("the app answered: %v", e)
	}
	return r, nil
}
