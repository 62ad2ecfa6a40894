package stacklog

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/stack"
)

// v8Block is an error as Node prints it: a head, calls, and properties in
// braces, errors that led to it among them.
type v8Block struct {
	head         head
	at           time.Time
	bare         bool // without calls
	calls        []string
	properties   []string
	inProperties bool
	closed       bool
	base         int // indentation of the head
	lines, bytes int
}

func (b *v8Block) line(s string) bool {
	if b.lines++; b.lines > 10*maxLines {
		return false
	}
	if !b.inProperties {
		return b.call(s)
	}
	if indentation(s) <= b.base && strings.TrimSpace(s) != "" {
		b.closed = strings.HasPrefix(strings.TrimLeft(s, " \t"), "}")
		return b.closed
	}
	if b.keep(s) {
		b.properties = append(b.properties, s)
	}
	return true
}

// keep says whether there is room for s.
func (b *v8Block) keep(s string) bool {
	b.bytes += len(s)
	return b.bytes <= maxBytes && len(b.calls)+len(b.properties) < maxLines
}

func (b *v8Block) call(s string) bool {
	trimmed := strings.TrimSpace(s)
	switch {
	case stack.IsCall(s):
		if len(b.calls) == 0 {
			b.base = max(0, indentation(s)-4)
		}
		trimmed, b.inProperties = strings.CutSuffix(trimmed, " {")
		trimmed = strings.TrimSuffix(trimmed, ",")
	case len(b.calls) > 0 && (skipped(trimmed) > 0 || strings.HasPrefix(trimmed, "-> ")):
	default:
		return false
	}
	if b.keep(s) {
		b.calls = append(b.calls, trimmed)
	}
	return true
}

func (b *v8Block) done() bool { return b.closed }

func (b *v8Block) found() (Found, bool) {
	h := b.head
	f := Found{Name: h.name, Code: h.code, Message: h.message, At: b.at, Logger: "console"}
	errs := inner(b.properties)
	all := append([]printed{{head: h, calls: b.calls}}, errs...)
	restore(all)
	if !b.bare {
		f.Stack = all[0].stack()
	}
	for _, e := range all[1:] {
		c := record.Cause{Name: e.head.name, Message: e.head.message}
		if len(e.calls) > 0 {
			c.Stack = e.stack()
		}
		f.Causes = append(f.Causes, c)
	}
	if code := codeIn(b.properties, b.base+2); code != "" {
		f.Code = code
	}
	if h.place != nil {
		f.Logger, f.Uncaught = "node", true
		if h.name == "SyntaxError" { // its own stack has them too
			f.Stack = strings.Join(h.place, "\n") + "\n\n" + f.Stack
		}
	}
	f.reason()
	return f, true
}

// reason puts what a promise was rejected with in the place of what Node says
// where it is no error.
func (f *Found) reason() {
	if f.Name != "UnhandledPromiseRejection" {
		return
	}
	if _, reason, ok := strings.Cut(f.Message, "The promise rejected with the reason "); ok {
		f.Name, f.Code, f.Stack = "Error", "", ""
		f.Message = "Non-error value: " + strings.TrimSuffix(reason, ".")
	}
}

// printed is one error of those that were printed together.
type printed struct {
	head  head
	calls []string
}

func (p *printed) stack() string {
	var b strings.Builder
	b.WriteString(p.head.String())
	for _, c := range p.calls {
		b.WriteString("\n    " + c)
	}
	return b.String()
}

// inner are the errors within properties: causes, and those of an AggregateError.
func inner(lines []string) []printed {
	var out []printed
	list := -1 // indentation of a list of errors
	for i := 0; i < len(lines) && len(out) < record.MaxCauses; i++ {
		s := strings.TrimSpace(lines[i])
		indent := indentation(lines[i])
		cause, ok := strings.CutPrefix(s, "[cause]: ")
		switch {
		case s == "[errors]: [":
			list = indent
			continue
		case s == "]" && indent == list, s == "]," && indent == list:
			list = -1
			continue
		case !ok && (list < 0 || indent != list+2):
			continue
		}
		p, used, ok := readPrinted(cause, lines[i+1:])
		if ok {
			out = append(out, p)
			i += used
		}
	}
	return out
}

// readPrinted reads an error whose head is first; used are the lines of rest
// that belong to it, without its properties.
func readPrinted(first string, rest []string) (p printed, used int, ok bool) {
	first = strings.TrimSuffix(first, ",")
	bare := strings.TrimSuffix(first, " {")
	if strings.HasPrefix(bare, "[") && strings.HasSuffix(bare, "]") {
		p.head, ok = headOf(bare[1 : len(bare)-1])
		return p, 0, ok
	}
	if quoted := strings.Trim(bare, "'\"`"); quoted != bare {
		return printed{head: head{name: "Error", message: quoted}}, 0, true
	}
	if p.head, ok = headOf(first); !ok || p.head.start != 0 {
		return p, 0, false
	}
	end := slices.IndexFunc(rest[:min(len(rest), maxRecent)], stack.IsCall)
	if end < 0 {
		return p, 0, true
	}
	for _, more := range rest[:end] {
		p.head.message += "\n" + strings.TrimSpace(more)
	}
	for used = end; used < len(rest); used++ {
		s := strings.TrimSpace(rest[used])
		if !stack.IsCall(s) && skipped(s) == 0 {
			break
		}
		last := strings.HasSuffix(s, " {")
		p.calls = append(p.calls, strings.TrimRight(s, " {,"))
		if last {
			used++
			break
		}
	}
	return p, used, true
}

var matching = regexp.MustCompile(`^\.\.\. (\d{1,3}) lines matching cause stack trace \.\.\.$`)

// skipped is how many calls Node left out because the cause has them too.
func skipped(s string) int {
	m := matching.FindStringSubmatch(s)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1]) // digits
	return n
}

// restore puts back the calls that were left out: the stack is then the same
// as the error's own.
func restore(all []printed) {
	for i := len(all) - 2; i >= 0; i-- {
		e, cause := &all[i], &all[i+1]
		at := slices.IndexFunc(e.calls, func(s string) bool { return skipped(s) > 0 })
		if at < 1 {
			continue
		}
		from := slices.Index(cause.calls, e.calls[at-1])
		n := skipped(e.calls[at])
		if from < 0 || from+1+n > len(cause.calls) || len(e.calls)+n > maxLines {
			continue
		}
		e.calls = slices.Concat(e.calls[:at], cause.calls[from+1:from+1+n], e.calls[at+1:])
	}
}

var codeLine = regexp.MustCompile(`^ +code: (?:'([^']{1,128})'|(-?\d{1,12})),?$`)

func codeIn(lines []string, indent int) string {
	for _, l := range lines {
		if indentation(l) == indent {
			if m := codeLine.FindStringSubmatch(l); m != nil {
				return m[1] + m[2]
			}
		}
	}
	return ""
}
