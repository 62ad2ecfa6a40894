// Package extplan says how pm25-ext is turned on and off for the apps of a PM2
// daemon. It changes nothing, and of an app's arguments it knows no more than
// whether the extension's file is among them.
package extplan

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
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
	Preloaded       int // of them, those that load the extension
	IDs             []int

	// Unsupported says why the extension can not be loaded, "" if it can.
	Unsupported string
	others      bool // it has other arguments for Node.js
}

// Apps sums up the processes of a daemon by app.
func Apps(list []pm2.Process) []App {
	var apps []App
	for i := range list {
		p := &list[i]
		at := slices.IndexFunc(apps, func(a App) bool { return a.Namespace == p.Namespace && a.Name == p.Name })
		if at < 0 {
			apps = append(apps, App{Namespace: p.Namespace, Name: p.Name, Mode: p.ExecMode, Interpreter: p.Interpreter, Unsupported: unsupported(p)})
			at = len(apps) - 1
		}
		a := &apps[at]
		a.Processes++
		a.IDs = append(a.IDs, p.PMID)
		a.others = a.others || p.NodeArgs
		if p.Preloaded {
			a.Preloaded++
		}
	}
	slices.SortFunc(apps, func(a, b App) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return apps
}

func unsupported(p *pm2.Process) string {
	interpreter := strings.TrimSuffix(p.Interpreter, path.Ext(p.Interpreter))
	switch {
	case p.Launcher != "":
		return "PM2 runs it through " + p.Launcher + ", where arguments for Node.js do not reach the app: name the app's own file as script, or let package.json start it with node --require"
	case p.ExecMode == "cluster", interpreter == "node", interpreter == "nodejs":
		return ""
	case interpreter == "bun":
		return "Bun is not supported"
	case interpreter == "", interpreter == "none":
		return "not supported: PM2 runs it without Node.js"
	}
	return "not supported: its interpreter is " + p.Interpreter + ", not Node.js"
}

// plain is a name that a shell and PM2 take as it is: PM2 takes a number for
// an id, and "all" for all.
var plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// Target is how PM2's command line names the app: by name where that is plain
// and no other app has it, else by ids.
func (a *App) Target(among []App) string {
	same := 0
	for i := range among {
		if among[i].Name == a.Name || among[i].Namespace == a.Name {
			same++
		}
	}
	if plain.MatchString(a.Name) && a.Name != "all" && same == 1 {
		return a.Name
	}
	ids := make([]string, len(a.IDs))
	for i, id := range a.IDs {
		ids[i] = strconv.Itoa(id)
	}
	return strings.Join(ids, " ")
}

// keep stands for arguments that the agent does not know.
const keep = "ITS_OTHER_ARGUMENTS"

// Commands returns the command line that turns the extension on or off, and
// the setting in an ecosystem file that does. PM2 replaces all arguments at
// once, so that others have to be named again.
func (a *App) Commands(among []App, prefix, file string, on bool) (command, setting string) {
	verb := "restart"
	if a.Mode == "cluster" {
		verb = "reload"
	}
	var args, list []string
	if a.others {
		args, list = append(args, keep), append(list, keep)
	}
	if on {
		args = append(args, "--require "+file)
		list = append(list, "'--require'", "'"+file+"'")
	}
	value := strings.Join(args, " ")
	if value == "" {
		value = " " // nothing at all would leave it as it is
	}
	command = fmt.Sprintf(`%spm2 %s %s --node-args="%s" && %[1]spm2 save`, prefix, verb, a.Target(among), value)
	return command, "node_args: [" + strings.Join(list, ", ") + "]"
}

// Daemon is a PM2 daemon to print.
type Daemon struct {
	Label, Home string
	// Prefix makes pm2 speak to it, such as "PM2_HOME=/srv/.pm2 ".
	Prefix string
	Apps   []App
	// Missing says that the file is not there; Unseen why that is not known.
	Missing bool
	Unseen  error
}

// Write prints the plan of one daemon.
func (d *Daemon) Write(out io.Writer, file string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "PM2 daemon %s (%s)\n", d.Label, d.Home)
	if d.Missing {
		fmt.Fprintf(&b, "  %s is not there: install pm25-ext before you turn it on, or no app would start\n", file)
	}
	if d.Unseen != nil {
		fmt.Fprintf(&b, "  whether %s is there can not be seen: %v\n", file, d.Unseen)
	}
	if len(d.Apps) == 0 {
		b.WriteString("  no apps\n")
	}
	for i := range d.Apps {
		d.app(&b, &d.Apps[i], file)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (d *Daemon) app(b *strings.Builder, a *App, file string) {
	state := "off"
	switch {
	case a.Preloaded == a.Processes:
		state = "on"
	case a.Preloaded > 0:
		state = fmt.Sprintf("on for %d", a.Preloaded)
	}
	if a.Unsupported != "" && a.Preloaded == 0 {
		state = a.Unsupported
	}
	name := a.Name
	if a.Namespace != "default" {
		name = a.Namespace + "/" + a.Name
	}
	fmt.Fprintf(b, "\n  %s  (%s, %s, processes: %d): %s\n", name, a.Mode, cmp.Or(a.Interpreter, "no interpreter"), a.Processes, state)
	turn := func(on bool, word string) {
		command, setting := a.Commands(d.Apps, d.Prefix, file, on)
		fmt.Fprintf(b, "    %s  %s\n         or in its ecosystem file  %s\n", word, command, setting)
	}
	if a.Unsupported == "" {
		turn(true, "on: ")
	}
	if a.Unsupported == "" || a.Preloaded > 0 {
		turn(false, "off:")
	}
	if a.others && (a.Unsupported == "" || a.Preloaded > 0) {
		fmt.Fprintf(b, "    It has other arguments for Node.js, which PM2 would drop. Put them in place of %s: pm2 describe %d shows them.\n", keep, a.IDs[0])
	}
}
