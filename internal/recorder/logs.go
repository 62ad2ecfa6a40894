package recorder

import (
	"bytes"
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/record"
)

// Ring keeps the last lines of a process, within a bound.
type Ring interface {
	// Add takes lines or parts of them, which it does not keep.
	Add(stream string, chunk []byte, at time.Time)
	// Last returns at most n lines, oldest first.
	Last(n int) []record.LogLine
}

// Stacks finds errors among the lines of one stream.
type Stacks interface {
	Line(text []byte, at time.Time)
	// Flush ends what no line has added to for a while.
	Flush(now time.Time)
}

// Found is an error in a log.
type Found struct {
	Name, Code, Message, Stack string
	Causes                     []record.Cause
	At                         time.Time
	Uncaught                   bool // the process ended by it
}

// logTail takes the text of one process's logs.
type logTail struct {
	ring    Ring
	streams [2]logStream
	find    func() Stacks // nil where no errors are looked for
	heard   time.Time
	waiting bool // something was heard that no flush has ended yet
}

type logStream struct {
	part   []byte // of a line that is not complete
	skip   bool   // the line at hand is longer than is kept
	stacks Stacks // nil for none
}

const (
	// flushAfter is when what has no newline is a line, and a stack is over.
	flushAfter = 300 * time.Millisecond
	// lateLines is how much later than a throw its process's last lines may
	// come in: they take another way.
	lateLines = time.Second
	maxPart   = 16 << 10
)

var streamNames = [2]string{"out", "err"}

func (c *core) newLogTail(p *proc) *logTail {
	l := &logTail{}
	if c.opts.LogLines > 0 && c.opts.Tools.Ring != nil {
		l.ring = c.opts.Tools.Ring()
	}
	if c.opts.LogExceptions && c.opts.Tools.Stacks != nil {
		l.find = func() Stacks { return c.opts.Tools.Stacks(func(f Found) { c.found(p, f) }) }
		for i := range l.streams {
			l.streams[i].stacks = l.find()
		}
	}
	return l
}

// chunk takes text of a log.
func (c *core) chunk(ev *pm2.Event, now time.Time) {
	p := c.procOf(ev)
	if p.logs == nil {
		return
	}
	stream := 0
	if ev.Kind == pm2.EventErr {
		stream = 1
	}
	p.logs.heard, p.logs.waiting, c.reading = now, true, true
	p.logs.text(stream, ev.Chunk, ev.ChunkCut, when(ev.At, now))
}

func (l *logTail) text(stream int, text []byte, cut bool, at time.Time) {
	s := &l.streams[stream]
	if cut { // what comes first is no beginning of a line, and continues nothing
		if l.find != nil {
			s.stacks = l.find()
		}
		s.part = s.part[:0]
		_, text, s.skip = bytes.Cut(text, []byte("\n"))
		s.skip = !s.skip
	}
	for {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		if !ended {
			if room := maxPart - len(s.part); !s.skip && len(line) <= room {
				s.part = append(s.part, line...)
			} else {
				s.part, s.skip = s.part[:0], len(line) > 0 || s.skip
			}
			return
		}
		if !s.skip {
			l.line(stream, append(s.part, line...), at)
		}
		s.part, s.skip = s.part[:0], false
		text = rest
	}
}

func (l *logTail) line(stream int, line []byte, at time.Time) {
	line = bytes.TrimRight(line, "\r")
	if l.ring != nil && len(bytes.TrimSpace(line)) > 0 {
		l.ring.Add(streamNames[stream], line, at)
		l.ring.Add(streamNames[stream], []byte("\n"), at)
	}
	if s := l.streams[stream].stacks; s != nil {
		s.Line(line, at)
	}
}

// flush ends what nothing was added to for a while. It is false where that is
// still to come.
func (l *logTail) flush(now time.Time) (done bool) {
	if !l.waiting || now.Sub(l.heard) < flushAfter {
		return !l.waiting
	}
	l.waiting = false
	for i := range l.streams {
		s := &l.streams[i]
		if len(s.part) > 0 {
			l.line(i, s.part, l.heard)
			s.part, s.skip = s.part[:0], true // what follows is the rest of it
		}
		if s.stacks != nil {
			s.stacks.Flush(now)
		}
	}
	return true
}

// last returns the last n lines, those only that had come by until, if that is
// not zero.
func (l *logTail) last(n int, until time.Time) []record.LogLine {
	if l == nil || l.ring == nil || n == 0 {
		return nil
	}
	if until.IsZero() {
		return l.ring.Last(n)
	}
	lines := l.ring.Last(3 * n)
	latest := until.Add(lateLines).UnixNano()
	for len(lines) > 0 && lines[len(lines)-1].At > latest {
		lines = lines[:len(lines)-1]
	}
	return lines[max(0, len(lines)-n):]
}

// found takes an error that a log told of.
func (c *core) found(p *proc, f Found) {
	t := &pm2.Thrown{Occurrences: 1}
	t.Name, t.Code = record.CleanName(f.Name), record.CleanName(f.Code)
	var cut [2]bool
	t.Message, cut[0] = record.CleanText(f.Message, record.MaxMessage)
	t.Stack, cut[1] = record.CleanText(f.Stack, record.MaxStack)
	t.Cut = cut[0] || cut[1]
	for _, cause := range f.Causes {
		message, _ := record.CleanText(cause.Message, record.MaxMessage)
		stack, _ := record.CleanText(cause.Stack, record.MaxStack)
		t.Causes = append(t.Causes, pm2.ThrownCause{Name: record.CleanName(cause.Name), Message: message, Stack: stack})
	}
	if t.Name == "" {
		t.Name = "Error"
	}
	t.NonError = t.Name == "UnhandledPromiseRejection"
	now := p.logs.heard
	head := c.head(record.Exception, p, p.run, when(f.At, now))
	cl := handled
	if f.Uncaught {
		cl = unhandled
	}
	c.see(sighting{src: byLog, class: cl, proc: p, run: p.run, head: head, thrown: t, mech: record.Logged}, 0, now)
}
