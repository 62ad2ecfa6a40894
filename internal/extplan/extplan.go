// Package extplan says how pm25-ext is turned on and off for the apps of a PM2
// daemon. It changes nothing, and of an app's arguments it shows only what can
// hold no secret.
package extplan

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pm25/pm25/internal/pm2"
)

// DefaultPath is where packages put the file that Node.js loads before an app.
const DefaultPath = "/usr/lib/pm25/ext/register.cjs"

// App is one app of a daemon, and what is to be done to it.
type App struct {
	Namespace, Name string
	Mode            string // fork or cluster
	Interpreter     string
	Processes       int
	Preloaded       int // of them, those that load the extension by their arguments
	ByEnv           int // and those that load it by NODE_OPTIONS
	IDs             []int

	// Unsupported says why the extension can not be loaded, "" if it can.
	Unsupported string

	args   []string // other arguments for Node.js, which have to be named again
	hidden bool     // there are more, or its processes have different ones
	down   bool     // a process does not run, and would be started
}

// Loads tells whether a process of the app loads the extension.
func (a *App) Loads() bool { return a.Preloaded+a.ByEnv > 0 }

// Apps sums up the processes of a daemon by app.
func Apps(list []pm2.Process) []App {
	var apps []App
	for i := range list {
		p := &list[i]
		at := slices.IndexFunc(apps, func(a App) bool { return a.Namespace == p.Namespace && a.Name == p.Name })
		if at < 0 {
			apps = append(apps, App{
				Namespace: p.Namespace, Name: p.Name, Mode: p.ExecMode, Interpreter: p.Interpreter,
				Unsupported: unsupported(p), args: p.NodeArgs,
			})
			at = len(apps) - 1
		}
		a := &apps[at]
		a.Processes++
		a.IDs = append(a.IDs, p.PMID)
		a.hidden = a.hidden || p.NodeArgsHidden || !slices.Equal(a.args, p.NodeArgs)
		a.down = a.down || p.Status == pm2.StatusStopped || p.Status == pm2.StatusErrored
		switch {
		case p.Preloaded:
			a.Preloaded++
		// A cluster worker gets the app's environment when preloads are done.
		case p.PreloadedByEnv && p.ExecMode != "cluster":
			a.ByEnv++
		}
	}
	slices.SortFunc(apps, func(a, b App) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return apps
}

// byItself are interpreters that hand arguments before the script on to the
// Node.js that runs it.
var byItself = []string{"node", "nodejs", "tsx"}

func unsupported(p *pm2.Process) string {
	interpreter := strings.TrimSuffix(p.Interpreter, path.Ext(p.Interpreter))
	switch {
	case p.Launcher != "":
		return fmt.Sprintf("PM2 starts %s, which would keep the arguments to itself: make the app's own file the script", p.Launcher)
	case p.ExecMode == "cluster", slices.Contains(byItself, interpreter):
		return ""
	case interpreter == "bun":
		return "Bun is not supported"
	case interpreter == "", interpreter == "none":
		return "PM2 runs it without Node.js"
	}
	return p.Interpreter + " is not Node.js"
}

// title is the app's name, with its namespace where that is not PM2's default.
func (a *App) title() string {
	if a.Namespace == "default" || a.Namespace == "" {
		return a.Name
	}
	return a.Namespace + "/" + a.Name
}

// idle tells whether the extension is loaded only by what starts the app, where
// it does nothing.
func (a *App) idle() bool { return a.Unsupported != "" && a.ByEnv == 0 }

// state says in few words whether the app loads the extension.
func (a *App) state(file FileState) string {
	n := a.Preloaded + a.ByEnv
	switch {
	case n == 0 && a.Unsupported != "":
		return "not possible"
	case n == 0:
		return "off"
	case file == Missing:
		return "on, FILE MISSING"
	case file == Empty:
		return "on, but removed"
	case a.idle():
		return "on, without effect"
	case n < a.Processes:
		return fmt.Sprintf("on in %d of %d", n, a.Processes)
	case a.ByEnv > 0:
		return "on, by NODE_OPTIONS"
	}
	return "on"
}
