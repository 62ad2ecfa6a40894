package stacklog

import (
	"regexp"
	"strings"
)

// head is what stands before the calls of an error.
type head struct {
	name, code, message string
	place               []string // where it was thrown: a file, its line, a mark below; nil if it was caught
	start               int      // where it begins in its line
}

func (h *head) String() string {
	s := h.name
	if h.code != "" {
		s += " [" + h.code + "]"
	}
	if h.message != "" {
		s += ": " + h.message
	}
	return s
}

// A name that says it is an error's may stand anywhere in its line; any other
// only at the beginning. The driver of PostgreSQL names its errors "error".
var (
	errorHead = regexp.MustCompile(`(?:^|[\s:\]\)>|=(,{"'\[])((?:[A-Za-z_$][\w$]*\.)*[\pL_$][\pL\w$]*(?:Error|Exception|Warning|Rejection)[\w$]*|Error|Exception)(?: \[([\w-]{1,64})\])?(?:: |:$|$)`)
	anyHead   = regexp.MustCompile(`^([A-Z][\w$]{0,63}|error)(?: \[([\w-]{1,64})\])?(?:: |:$|$)`)
)

// maxHead is how far into a line a head is looked for.
const maxHead = 1 << 10

// headOf reads the head in a line. Most lines are none, and expressions are slow.
func headOf(line string) (h head, ok bool) {
	// Node up to 14: the warning is about a rejection, the error follows it.
	const rejection = "UnhandledPromiseRejectionWarning: "
	skipped := 0
	if at := strings.Index(line, rejection); at >= 0 {
		skipped = at + len(rejection)
	}
	rest := line[skipped:]
	looked := rest[:min(len(rest), maxHead)]
	var m []int
	if errorName(looked) || strings.Contains(looked, "Warning") || strings.Contains(looked, "Rejection") {
		m = errorHead.FindStringSubmatchIndex(looked)
	}
	if m == nil {
		if m = anyHead.FindStringSubmatchIndex(looked); m == nil {
			return h, false
		}
	}
	h.start = skipped + m[2]
	h.name = rest[m[2]:m[3]]
	if m[4] >= 0 {
		h.code = rest[m[4]:m[5]]
	}
	h.message = rest[m[1]:]
	return h, true
}

// headIn finds the head of the calls that follow lines: in the last one, else
// in one above it, whose message goes over many.
func headIn(lines []string) (head, bool) {
	if len(lines) == 0 {
		return head{}, false
	}
	at := len(lines) - 1
	h, ok := headOf(strings.TrimLeft(lines[at], " \t"))
	for up := at - 1; !ok || !errorName(h.name) && h.start == 0 && !tracing(h.name); up-- {
		// Not sure of the last line: is there a better one?
		if up < 0 {
			break
		}
		if above, found := headOf(lines[up]); found && errorName(above.name) && !isMark(lines[up]) {
			h, ok, at = above, true, up
			break
		}
	}
	if !ok || tracing(h.name) {
		return head{}, false
	}
	h.message = strings.TrimRight(strings.Join(append([]string{h.message}, lines[at+1:]...), "\n"), "\n")
	h.place = placeBefore(lines[:at])
	return h, true
}

// errorName is true for names that are errors' by convention.
func errorName(s string) bool {
	return strings.Contains(s, "Error") || strings.Contains(s, "Exception") || strings.HasSuffix(s, "Rejection")
}

// tracing is true for what has calls but is no error.
func tracing(s string) bool { return s == "Trace" || strings.HasSuffix(s, "Warning") }

// placeBefore are the lines with which Node begins when nobody caught an error.
func placeBefore(lines []string) []string {
	mark := lastMark(lines)
	if mark < 2 || len(lines)-mark > 2 {
		return nil
	}
	return lines[mark-2 : mark+1]
}

// lastMark is the index of the last line of ^, below a place and a line of
// source; -1 if there is none.
func lastMark(lines []string) int {
	for i := len(lines) - 1; i >= 2; i-- {
		if isMark(lines[i]) && placeLine.MatchString(lines[i-2]) {
			return i
		}
	}
	return -1
}

var placeLine = regexp.MustCompile(`^\S.*:\d+$`)

func isMark(s string) bool {
	s = strings.TrimSpace(s)
	return s != "" && strings.Trim(s, "^") == ""
}
