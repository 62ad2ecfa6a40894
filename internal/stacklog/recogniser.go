// Package stacklog finds the errors in an app's log: what Node and Python print
// when nobody caught one, what console.error prints, and what loggers write as
// JSON.
//
// It guarantees bounded memory and time for any log, and that an error is told
// of once, when its last line has come or nothing more has for Silence. It does
// not guarantee to tell where two programs write at the same time, and takes no
// warnings and traces for errors. It is not safe for several goroutines.
package stacklog

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/stack"
)

// Silence is how long a stack may go on without a line.
const Silence = 200 * time.Millisecond

const (
	maxRecent  = 20        // lines before a stack in which its head is looked for
	maxKept    = 16 << 10  // bytes of them that stay allocated
	maxLine    = 4 << 10   // bytes of a line
	maxJSON    = 256 << 10 // bytes of a line that is JSON
	maxLines   = 300       // of a stack and what comes with it
	maxBytes   = 64 << 10  // of them
	recentTime = time.Second
)

// Found is an error in a log.
type Found struct {
	Name, Code, Message string
	Stack               string // with its name and message at the beginning, as V8 and Python have it
	Causes              []record.Cause
	At                  time.Time // when its first call came
	Logger              string    // what wrote it: node, console, pino, bunyan, winston, json, python
	Uncaught            bool      // the process ended by it, or a logger says so
}

// Options say whom to tell.
type Options struct {
	Emit func(Found) // called from Line, Flush and End
}

// Recogniser reads one stream of one process.
type Recogniser struct {
	o      Options
	recent [maxRecent]recentLine // a ring of lines that belong to no stack
	next   int
	kept   int   // bytes allocated for recent
	barren bool  // no head is among recent
	open   block // what a stack goes on in; nil
	last   time.Time
}

type recentLine struct {
	text []byte
	at   time.Time
	used bool
}

// block is a stack of which more may come.
type block interface {
	// line is false for a line that is not part of it; it ends before that.
	line(text string) bool
	// done is true when no more can come.
	done() bool
	// found is false if it is none after all.
	found() (Found, bool)
}

// New returns an error without Emit.
func New(o Options) (*Recogniser, error) {
	if o.Emit == nil {
		return nil, errors.New("errors in logs: nobody is to be told of them: set Emit")
	}
	return &Recogniser{o: o}, nil
}

// Line takes one line, without what ended it, and when it came. It keeps
// nothing of text.
func (r *Recogniser) Line(text []byte, at time.Time) {
	text = bytes.TrimSuffix(text, []byte("\r"))
	text = afterTime(text)
	if bytes.IndexByte(text, 0x1b) >= 0 {
		text = withoutColors(text)
	}
	if r.open != nil && at.Sub(r.last) >= Silence {
		r.end()
	}
	r.last = at
	if r.open != nil {
		if r.open.line(string(text[:min(len(text), maxLine)])) {
			if r.open.done() {
				r.end()
			}
			return
		}
		r.end()
	}
	r.idle(text, at)
}

// Flush tells of a stack after which nothing has come for Silence.
func (r *Recogniser) Flush(now time.Time) {
	if r.open != nil && now.Sub(r.last) >= Silence {
		r.end()
	}
}

// End tells of a stack that has begun: nothing more will come.
func (r *Recogniser) End() {
	if r.open != nil {
		r.end()
	}
	r.forget()
}

// Pending says whether Flush or End may have something to tell.
func (r *Recogniser) Pending() bool { return r.open != nil }

func (r *Recogniser) end() {
	f, ok := r.open.found()
	r.open = nil
	r.forget()
	if ok {
		r.o.Emit(f.fit())
	}
}

// idle handles a line while no stack is open.
func (r *Recogniser) idle(text []byte, at time.Time) {
	switch {
	case len(text) > maxLine:
		r.json(text, at)
		return
	case bytes.IndexByte(text, '{') >= 0 && r.json(text, at):
		return
	case bytes.HasSuffix(text, []byte(tracebackHead)):
		r.open = newTraceback(string(text), at)
		return
	case len(text) > 8 && text[0] == '[' && r.bracketed(string(text), at):
		return
	case len(text) > 5 && (text[0] == ' ' || text[0] == '\t') && stack.IsCall(string(text)):
		r.call(string(text), at)
		return
	case bytes.HasPrefix(text, []byte("(Use `node --trace-uncaught")), bytes.HasPrefix(text, []byte("Node.js v")):
		r.thrownValue(at)
		return
	}
	r.remember(text, at)
}

// call opens a stack at its first call, if a head is before it.
func (r *Recogniser) call(text string, at time.Time) {
	if r.barren {
		return // as for the call before
	}
	h, ok := headIn(r.before(at))
	if r.barren = !ok; r.barren {
		return
	}
	b := &v8Block{head: h, at: at}
	r.open = b
	if !b.line(text) {
		r.open = nil
	}
}

// bracketed handles an error without a stack, as Node's inspection prints it:
// [Error: message], and " {" where properties follow.
func (r *Recogniser) bracketed(text string, at time.Time) bool {
	inner, properties := strings.CutSuffix(text, "] {")
	if !properties {
		var ok bool
		if inner, ok = strings.CutSuffix(text, "]"); !ok {
			return false
		}
	}
	h, ok := headOf(inner[1:])
	if !ok || h.start != 0 || !errorName(h.name) {
		return false
	}
	h.place = placeBefore(r.before(at))
	b := &v8Block{head: h, at: at, bare: true, inProperties: properties}
	r.open = b
	if !properties {
		r.end()
	}
	return true
}

// thrownValue handles what was thrown and is no error: Node prints the place, the
// value and one of two last lines.
func (r *Recogniser) thrownValue(at time.Time) {
	before := r.before(at)
	mark := lastMark(before)
	if mark < 1 || mark+1 >= len(before) {
		r.forget()
		return
	}
	value := strings.TrimSpace(strings.Join(before[mark+1:], "\n"))
	r.forget()
	if value != "" {
		r.o.Emit(Found{Name: "Error", Message: "Non-error value: " + value, At: at, Logger: "node", Uncaught: true}.fit())
	}
}

func (r *Recogniser) remember(text []byte, at time.Time) {
	l := &r.recent[r.next]
	r.kept -= cap(l.text)
	l.text = append(l.text[:0], text[:min(len(text), maxLine)]...)
	r.kept += cap(l.text)
	l.at, l.used = at, true
	for i := 1; r.kept > maxKept && i < maxRecent; i++ { // long lines: the oldest give way
		oldest := &r.recent[(r.next+i)%maxRecent]
		r.kept -= cap(oldest.text)
		*oldest = recentLine{}
	}
	r.next = (r.next + 1) % maxRecent
	r.barren = false
}

func (r *Recogniser) forget() {
	for i := range r.recent {
		r.recent[i].used = false
	}
}

// before are the lines that came shortly before, oldest first.
func (r *Recogniser) before(at time.Time) []string {
	var out []string
	for i := range maxRecent {
		if l := &r.recent[(r.next+i)%maxRecent]; l.used && at.Sub(l.at) < recentTime {
			out = append(out, string(l.text))
		}
	}
	return out
}
