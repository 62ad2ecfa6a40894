package matrix

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// action is a way to bring an event about, for all apps that it is tried on.
type action struct {
	nodeArgs  []string
	extra     map[string]any // of the apps
	processes int            // of apps in cluster mode, and of others where PM2 can; 0 is 1
	stopped   bool           // the app is stopped before
	restarted bool           // it was restarted before
	cron      bool
	watch     bool
	loops     bool // its script can throw at each start
	daemon    bool // the whole daemon is concerned
	resets    bool // PM2 forgets its counts
	run       func(*window, []*subject)
}

// subject is the app that one event is tried on.
type subject struct {
	*event
	app  string
	spec pm2test.AppSpec
	dir  string // watched
	flag string // the file that makes it throw
}

func (s *subject) processes() int {
	if s.act.processes > 0 && s.mode == cluster {
		return s.act.processes
	}
	return 1
}

// newSubject makes an app for an event.
func newSubject(t *testing.T, d *pm2test.Daemon, e *event, app string) *subject {
	s := &subject{event: e, app: app}
	s.spec = pm2test.AppSpec{Name: app, NodeArgs: e.act.nodeArgs, Extra: map[string]any{}}
	for k, v := range e.act.extra {
		s.spec.Extra[k] = v
	}
	if e.mode == cluster {
		s.spec.Cluster = s.processes()
	}
	dir := filepath.Join(d.Home(), "work", app)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if e.act.watch {
		s.dir = dir
		s.spec.Extra["watch"] = []string{dir}
	}
	if e.act.loops {
		s.flag = filepath.Join(dir, "throw")
		s.spec.Script = filepath.Join(dir, "loop.js")
		script := "const fs = require('fs');\nsetInterval(() => { if (fs.existsSync(process.env.FLAG)) throw new Error('again'); }, 50);\n"
		if err := os.WriteFile(s.spec.Script, []byte(script), 0o644); err != nil {
			t.Fatal(err)
		}
		s.spec.Env = map[string]string{"FLAG": s.flag}
		s.spec.Extra["max_restarts"], s.spec.Extra["min_uptime"] = 3, 300_000
	}
	return s
}

// cronJobs are apps that cron is to restart once, at a time.
func cronJobs(subjects []*subject, at time.Time) []pm2test.AppSpec {
	var specs []pm2test.AppSpec
	for _, s := range subjects {
		s.spec.Extra["cron_restart"] = fmt.Sprintf("%d %d %d * * *", at.Second(), at.Minute(), at.Hour())
		specs = append(specs, s.spec)
	}
	return specs
}

// tell has each app do something by itself.
func tell(c pm2test.Cmd) *action {
	return &action{run: func(w *window, subjects []*subject) {
		for _, s := range subjects {
			w.d.Tell(w.t, w.first(s).PMID, c)
		}
	}}
}

func signal(sig syscall.Signal) *action {
	return &action{run: func(w *window, subjects []*subject) {
		for _, s := range subjects {
			if err := syscall.Kill(w.first(s).PID, sig); err != nil {
				w.t.Fatalf("%s: %v", s.app, err)
			}
		}
	}}
}

type batch bool

const (
	all  batch = true  // PM2's command takes several apps
	each batch = false // it takes one
)

func cli(b batch, command string) *action {
	return &action{run: func(w *window, subjects []*subject) {
		var names []string
		for _, s := range subjects {
			names = append(names, s.app)
			if b == each {
				w.d.Must(w.t, command, s.app)
			}
		}
		if b == all {
			w.d.Must(w.t, append([]string{command}, names...)...)
		}
	}}
}

func scale(n string) func(*window, []*subject) {
	return func(w *window, subjects []*subject) {
		for _, s := range subjects {
			w.d.Must(w.t, "scale", s.app, n)
		}
	}
}

func removeAndStart(w *window, subjects []*subject) {
	cli(all, "delete").run(w, subjects)
	var specs []pm2test.AppSpec
	for _, s := range subjects {
		specs = append(specs, s.spec)
	}
	w.d.App(w.t, specs...)
}

func startLoops(w *window, subjects []*subject) {
	for _, s := range subjects {
		write(w.t, s.flag)
	}
}

func touch(w *window, subjects []*subject) {
	for _, s := range subjects {
		write(w.t, filepath.Join(s.dir, "changed.txt"))
	}
}

func write(t *testing.T, path string) {
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func updatePM2(w *window, _ []*subject) {
	before := w.d.PID()
	w.d.Must(w.t, "update")
	pm2test.Eventually(w.t, 30*time.Second, func() error {
		if pid := w.d.PID(); pid == 0 || pid == before {
			return fmt.Errorf("the daemon is %d, was %d", pid, before)
		}
		return nil
	})
}

func killAndResurrect(w *window, _ []*subject) {
	w.d.Must(w.t, "kill")
	resurrect(w)
}

func kill9AndResurrect(w *window, _ []*subject) {
	apps := pm2test.Processes(w.d.Home())
	w.d.KillDaemon9()
	pm2test.Eventually(w.t, 20*time.Second, func() error {
		for _, pid := range apps {
			if pm2test.Alive(pid) {
				return fmt.Errorf("process %d outlived the daemon", pid)
			}
		}
		return nil
	})
	resurrect(w)
}

func sigtermAndResurrect(w *window, _ []*subject) {
	if err := syscall.Kill(w.d.PID(), syscall.SIGTERM); err != nil {
		w.t.Fatal(err)
	}
	pm2test.Eventually(w.t, 20*time.Second, func() error {
		if pid := w.d.PID(); pid != 0 {
			return fmt.Errorf("the daemon still runs as %d", pid)
		}
		return nil
	})
	resurrect(w)
}

func resurrect(w *window) {
	if err := w.d.Resurrect(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// slug makes an app's name of an event's.
func slug(text string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, text), "-")
}
