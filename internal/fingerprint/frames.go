package fingerprint

import (
	"slices"
	"strings"

	"github.com/pm25/pm25/internal/record"
)

// knowledge is how much frames tell.
type knowledge int

const (
	named       knowledge = iota // the app's own, with names
	nameless                     // the app's own, none of which has a name
	installed                    // of packages
	onlyRuntime                  // of Node or Python alone
)

// callLines are the calls that count, each once: recursion does not.
func callLines(frames []record.Frame, limit int) (lines []string, k knowledge) {
	own := make([]record.Frame, 0, len(frames))
	for _, f := range frames {
		if f.InApp && !helper(f.Function) {
			own = append(own, f)
		}
	}
	k = nameless
	if len(own) == 0 {
		own, k = frames[:min(len(frames), maxRawFrames)], onlyRuntime
		for _, f := range own {
			if !runtime(f.File) {
				k = installed
			}
		}
	}
	for _, f := range own {
		function := normalFunction(f.Function)
		if k == nameless && function != "?" {
			k = named
		}
		file := normalFile(f.File)
		if k == onlyRuntime {
			file = moduleOf(file)
		}
		line := file + " " + function
		if len(lines) < limit && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines, k
}

// moduleOf names a module of Node before 16 as later ones do.
func moduleOf(file string) string {
	if module, ok := strings.CutSuffix(file, ".js"); ok && file[0] != '<' && !strings.HasPrefix(file, "node:") {
		return "node:" + module
	}
	return file
}

// overflowed is true for a stack that is full: it can be so at any of its calls.
func overflowed(name, message string) bool {
	return name == "RangeError" && strings.HasPrefix(message, "Maximum call stack") || name == "RecursionError"
}

// helper is true for what TypeScript adds for older targets.
func helper(function string) bool {
	switch function {
	case "__awaiter", "__generator", "__asyncGenerator", "fulfilled", "rejected", "Generator.next", "Generator.throw":
		return true
	}
	return false
}

func runtime(file string) bool {
	return file == "" || file[0] == '<' || strings.HasPrefix(file, "node:") || strings.HasPrefix(file, "internal/") ||
		file == "native" || strings.HasPrefix(file, "index ") || !strings.Contains(file, "/")
}

// normalFunction is what stays of a function's name between runtimes and
// builds: `async Object.handler [as get]` is handler. What has no name, or one
// that a minifier gave, is "?".
func normalFunction(s string) string {
	s = display(s)
	if s == "" || strings.HasSuffix(s, ">") { // <computed>, <lambda>
		if s == "<module>" {
			return s
		}
		return "?"
	}
	s = strings.TrimPrefix(s, "new ")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "get "), "set ")
	s = s[strings.LastIndexByte(s, '.')+1:]
	if at := strings.LastIndexByte(s, '$'); at > 0 && strings.Trim(s[at+1:], "0123456789") == "" {
		s = s[:at] // a bundler told two of the same name apart
	}
	if len(s) <= 2 {
		return "?"
	}
	return s
}

// display is a function's name without what says nothing; "" for none.
func display(s string) string {
	s = strings.TrimPrefix(strings.TrimSpace(s), "async ")
	if at := strings.Index(s, " [as "); at > 0 {
		s = s[:at]
	}
	for _, receiver := range []string{"Object.", "exports.", "module.exports."} {
		s = strings.TrimPrefix(s, receiver)
	}
	if s == "<anonymous>" || strings.HasSuffix(s, ".<anonymous>") || s == "eval" {
		return ""
	}
	return s
}
