package discovery

import (
	"path"
	"strings"
)

// proof is what a command line says about its process.
type proof struct {
	pm2  bool
	home string // that the title names; "" when it names none
	// cut: the title did not fit and home is only its beginning. A title may be no
	// longer than the command line that the process was started with.
	cut bool
}

const titleMark = ": God Daemon ("

// recognize reads the raw contents of /proc/<pid>/cmdline. A daemon calls itself
// "PM2 v7.0.4: God Daemon (/home/u/.pm2)". pm2-runtime, pm2-docker and
// `pm2 --no-daemon` are daemon and command line in one and keep the latter.
func recognize(cmdline []byte) proof {
	text := strings.TrimRight(string(cmdline), "\x00")
	if rest, ok := strings.CutPrefix(text, "PM2 v"); ok {
		if version, tail, ok := strings.Cut(rest, ":"); ok && isVersion(version) {
			tail = ":" + tail
			if home, ok := strings.CutPrefix(tail, titleMark); ok {
				home, whole := strings.CutSuffix(home, ")")
				return proof{pm2: true, home: home, cut: !whole}
			}
			if strings.HasPrefix(titleMark, tail) {
				return proof{pm2: true, cut: true}
			}
			return proof{}
		}
	}
	args := strings.Split(text, "\x00")
	switch path.Base(args[0]) {
	case "node", "nodejs", "bun":
		return proof{pm2: isPM2Script(script(args[1:]))}
	}
	return proof{}
}

// programName is the program of a command line, without its arguments: they
// may hold anybody's secrets.
func programName(cmdline []byte) string {
	program, _, _ := strings.Cut(string(cmdline), "\x00")
	program, _, _ = strings.Cut(program, " ")
	return printable(path.Base(program))
}

// recognizeEnv is for a daemon that was given a title of its own
// (PM2_DAEMON_TITLE). Of the environment nothing but this comparison is used.
func recognizeEnv(environ []byte, title string) proof {
	var p proof
	for v := range strings.SplitSeq(string(environ), "\x00") {
		if home, ok := strings.CutPrefix(v, "PM2_HOME="); ok {
			p.home = home
		}
		// A title too long for its room is cut at the end.
		if t, ok := strings.CutPrefix(v, "PM2_DAEMON_TITLE="); ok && title != "" && strings.HasPrefix(t, title) {
			p.pm2 = true
		}
	}
	p.pm2 = p.pm2 && p.home != ""
	return p
}

func isVersion(s string) bool {
	return s != "" && len(s) < 32 && s[0] >= '0' && s[0] <= '9' && !strings.ContainsAny(s, "/ \x00")
}

// title is the command line in a form for people.
func title(cmdline []byte) string {
	text := strings.TrimRight(string(cmdline), "\x00")
	if len(text) > 256 {
		text = text[:256]
	}
	return printable(strings.ReplaceAll(text, "\x00", " "))
}

// script is the first argument that is neither an option of node nor its value.
func script(args []string) string {
	for i := 0; i < len(args); i++ {
		switch a := args[i]; a {
		case "-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions":
			i++
		case "--":
			if i+1 < len(args) {
				return args[i+1]
			}
		default:
			if !strings.HasPrefix(a, "-") {
				return a
			}
		}
	}
	return ""
}

func isPM2Script(p string) bool {
	switch path.Base(p) {
	case "pm2", "pm2-runtime", "pm2-docker", "pm2-dev":
		return true
	case "Daemon.js": // before it sets its title
		return strings.HasSuffix(p, "/pm2/lib/Daemon.js")
	case "CLI.js", "DevCLI.js", "Runtime.js", "Runtime4Docker.js":
		return strings.HasSuffix(path.Dir(p), "/pm2/lib/binaries")
	}
	return false
}
