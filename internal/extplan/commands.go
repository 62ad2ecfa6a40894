package extplan

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// plain is a name that a shell and PM2 take as it is: PM2 takes a number for
// an id, and "all" for all.
var plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// target is how PM2's command line names the app: by name where that is plain
// and no other app has it, else by ids.
func (a *App) target(among []App) string {
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

// keep stands for arguments that are not shown. Node.js would take it for the
// script, so that a command with it must not be one that can be pasted.
const keep = "ITS_OTHER_ARGUMENTS"

// command is the line that turns the extension on or off. PM2 replaces all
// arguments at once, so that others are named again. A line that is not safe to
// run as it is becomes a comment.
func (a *App) command(among []App, prefix, file string, on bool) string {
	verb := "restart"
	if a.Mode == "cluster" {
		verb = "reload"
	}
	args := a.args
	if a.hidden {
		args = append([]string{keep}, args...)
	}
	value := strings.Join(args, " ")
	if on {
		if value != "" {
			value += " "
		}
		value += "--require " + word(file)
	}
	if value == "" {
		value = " " // nothing at all would leave it as it is
	}
	quote := `"`
	if strings.Contains(value, quote) {
		quote = "'"
	}
	line := fmt.Sprintf("%spm2 %s %s --node-args=%s%s%s", prefix, verb, a.target(among), quote, value, quote)
	switch {
	case a.hidden:
		return fmt.Sprintf("# %s\n#   ^ put its own arguments for Node.js there, or they are lost: pm2 describe %d shows them", line, a.IDs[0])
	case a.down:
		return fmt.Sprintf("# %s\n#   ^ would start it: PM2 has stopped it, or given it up", line)
	}
	return line
}

// word is a file as one argument within PM2's --node-args.
func word(file string) string {
	if strings.Contains(file, " ") {
		return `"` + file + `"`
	}
	return file
}

// setting is the line of an ecosystem file that turns the extension on or off.
// Without such a line PM2 would leave the app's arguments as they are.
func (a *App) setting(file string, on bool) string {
	var list []string
	if a.hidden {
		list = append(list, "…")
	}
	for _, arg := range a.args {
		list = append(list, "'"+arg+"'")
	}
	if on {
		list = append(list, "'--require'", "'"+file+"'")
	}
	return "node_args: [" + strings.Join(list, ", ") + "]"
}
