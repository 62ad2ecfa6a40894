package stacklog

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/record"
)

const tracebackHead = "Traceback (most recent call last):"

// traceback is what Python prints of an error, with those that led to it before
// it.
type traceback struct {
	at       time.Time
	group    bool // of exceptions, drawn with lines at their left
	sections []section
	after    bool // the exception's line has come
	chained  bool // and then that there is one more
	lines    int
	bytes    int
}

// section is one traceback of a chain.
type section struct {
	lines         []string
	name, message string
}

func newTraceback(first string, at time.Time) *traceback {
	return &traceback{
		at: at, sections: []section{{lines: []string{tracebackHead}}},
		group: strings.HasSuffix(first, "+ Exception Group "+tracebackHead),
	}
}

func (t *traceback) line(s string) bool {
	if t.lines++; t.lines > 10*maxLines {
		return false
	}
	if t.group {
		return t.groupLine(s)
	}
	if t.after {
		return t.between(s)
	}
	last := &t.sections[len(t.sections)-1]
	if strings.HasPrefix(s, "  ") || strings.TrimSpace(s) == "" {
		t.add(last, s)
		return true
	}
	if len(last.lines) == 1 {
		return false // nothing was called
	}
	last.name, last.message = exceptionOf(s)
	t.add(last, s)
	t.after = true
	return last.name != ""
}

// between handles what follows an exception: the next of a chain, or nothing.
func (t *traceback) between(s string) bool {
	switch {
	case strings.TrimSpace(s) == "":
		return true
	case strings.HasPrefix(s, "During handling of the above exception"), strings.HasPrefix(s, "The above exception was the direct cause"):
		t.chained = true
		return true
	case t.chained && s == tracebackHead:
		if len(t.sections) > record.MaxCauses { // the last ones count
			t.sections = slices.Delete(t.sections, 0, 1)
		}
		t.sections = append(t.sections, section{lines: []string{tracebackHead}})
		t.after, t.chained = false, false
		return true
	}
	return false
}

func (t *traceback) groupLine(s string) bool {
	trimmed := strings.TrimLeft(s, " ")
	if !strings.HasPrefix(trimmed, "|") && !strings.HasPrefix(trimmed, "+") {
		return false
	}
	first := &t.sections[0]
	depth := indentation(s)
	rest, ok := strings.CutPrefix(trimmed, "| ")
	if !ok || strings.HasPrefix(rest, " ") || strings.HasPrefix(rest, tracebackHead) {
		if depth <= 2 && ok {
			t.add(first, rest)
		}
		return true
	}
	name, message := exceptionOf(rest)
	switch {
	case name == "":
	case first.name == "":
		first.name, first.message = name, message
		t.add(first, rest)
	case len(t.sections) <= record.MaxCauses:
		t.sections = append(t.sections, section{name: name, message: message})
	}
	return true
}

func (t *traceback) add(s *section, line string) {
	if t.bytes += len(line); t.bytes <= maxBytes && len(s.lines) < maxLines {
		s.lines = append(s.lines, line)
	}
}

func (t *traceback) done() bool { return false }

func (t *traceback) found() (Found, bool) {
	if t.group {
		slices.Reverse(t.sections) // the group is the outermost
	}
	n := len(t.sections)
	if n > 1 && t.sections[n-1].name == "" {
		n-- // it was cut off
	}
	last := &t.sections[n-1]
	if last.name == "" || last.name == "KeyboardInterrupt" || last.name == "SystemExit" {
		return Found{}, false
	}
	f := Found{Name: last.name, Message: last.message, Stack: strings.Join(last.lines, "\n"), At: t.at, Logger: "python"}
	for i := n - 2; i >= 0; i-- {
		s := &t.sections[i]
		f.Causes = append(f.Causes, record.Cause{Name: s.name, Message: s.message, Stack: strings.Join(s.lines, "\n")})
	}
	if t.group {
		slices.Reverse(f.Causes)
	}
	return f, true
}

var pythonException = regexp.MustCompile(`^([\pL_][\pL\w]*(?:\.[\pL_][\pL\w]*)*)(?:: (.*)|:?)$`)

// exceptionOf reads "json.decoder.JSONDecodeError: Expecting value".
func exceptionOf(line string) (name, message string) {
	m := pythonException.FindStringSubmatch(line)
	if m == nil {
		return "", ""
	}
	return m[1], m[2]
}
