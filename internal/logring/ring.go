// Package logring keeps the last lines that a process wrote.
//
// It guarantees bounded memory whatever is written, lines of both streams in
// the order in which they ended, and lines put together from the chunks in
// which they come. It allocates nothing once it is full. It is not safe for
// several goroutines.
package logring

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pm25/pm25/internal/record"
)

// Options are the bounds; each has to be at least 1.
type Options struct {
	Lines int // that are kept
	Line  int // bytes of one line; what is over them is cut off
	Bytes int // of all lines together; twice as many are allocated at most
}

// Defaults are what a record takes.
func Defaults() Options {
	return Options{Lines: record.MaxLogs, Line: record.MaxLogLine, Bytes: 8 << 10}
}

// The streams.
const (
	Out = "out"
	Err = "err"
)

// Ring holds the last lines of one process.
type Ring struct {
	o     Options
	buf   []byte // texts of the lines, one after another, with gaps of lines that are gone
	lines []line // a ring
	first int    // the oldest
	n     int
	kept  int // bytes of all lines
	parts [2]part
}

// line is buf[start:end].
type line struct {
	start, end int
	at         int64
	stream     uint8
}

// part is a line that has not ended.
type part struct {
	text    []byte
	at      int64
	begun   bool
	skipped bool // more of it came than is kept
}

// New returns an error that names the bound which is none.
func New(o Options) (*Ring, error) {
	if o.Lines < 1 || o.Line < 1 || o.Bytes < o.Line {
		return nil, fmt.Errorf("last lines of a log: %d lines of %d bytes within %d bytes: each has to be at least 1, and all together as many as one line", o.Lines, o.Line, o.Bytes)
	}
	return &Ring{o: o, lines: make([]line, o.Lines)}, nil
}

// Add takes what a process wrote at a time: whole lines or parts of them. Any
// stream but Err is Out.
func (r *Ring) Add(stream string, chunk []byte, at time.Time) {
	s := uint8(0)
	if stream == Err {
		s = 1
	}
	p := &r.parts[s]
	for len(chunk) > 0 {
		if !p.begun {
			p.begun, p.at = true, at.UnixNano()
		}
		end := bytes.IndexByte(chunk, '\n')
		if end < 0 {
			p.text = r.grow(p, p.text, chunk)
			return
		}
		text := chunk[:end]
		if len(p.text) > 0 || p.skipped {
			p.text = r.grow(p, p.text, text)
			text = p.text
		}
		r.push(s, text, p.at)
		p.text, p.begun, p.skipped = p.text[:0], false, false
		chunk = chunk[end+1:]
	}
}

// End ends the lines that have not: the process is gone.
func (r *Ring) End() {
	for s := range r.parts {
		if p := &r.parts[s]; p.begun {
			r.push(uint8(s), p.text, p.at)
			p.text, p.begun, p.skipped = p.text[:0], false, false
		}
	}
}

// grow appends as much of more as a line may have, and some bytes over, so that
// cut sees whether a character goes on.
func (r *Ring) grow(p *part, text, more []byte) []byte {
	if over := len(text) + len(more) - r.o.Line - utf8.UTFMax; over > 0 {
		p.skipped = true
		more = more[:max(0, len(more)-over)]
	}
	return append(text, more...)
}

func (r *Ring) push(stream uint8, text []byte, at int64) {
	text = cut(bytes.TrimSuffix(text, []byte("\r")), r.o.Line)
	for r.n == r.o.Lines || r.n > 0 && r.kept+len(text) > r.o.Bytes {
		r.drop()
	}
	if len(r.buf)+len(text) > 2*r.o.Bytes {
		r.compact()
	}
	start := len(r.buf)
	r.buf = append(r.buf, text...)
	r.lines[(r.first+r.n)%len(r.lines)] = line{start, len(r.buf), at, stream}
	r.n++
	r.kept += len(text)
}

func (r *Ring) drop() {
	oldest := &r.lines[r.first]
	r.kept -= oldest.end - oldest.start
	r.first = (r.first + 1) % len(r.lines)
	r.n--
}

// compact moves the lines to the beginning of buf. They are at most half of it,
// so that each byte is moved once for each that is written.
func (r *Ring) compact() {
	to := 0
	for i := range r.n {
		l := &r.lines[(r.first+i)%len(r.lines)]
		n := copy(r.buf[to:], r.buf[l.start:l.end])
		l.start, l.end = to, to+n
		to += n
	}
	r.buf = r.buf[:to]
}

// Last returns the last n lines, oldest first, with those at the end that have
// not ended yet. Their texts are fit for a record: valid UTF-8 without NUL.
func (r *Ring) Last(n int) []record.LogLine {
	out := make([]record.LogLine, 0, r.n+2)
	for i := range r.n {
		l := &r.lines[(r.first+i)%len(r.lines)]
		out = append(out, r.logLine(l.stream, r.buf[l.start:l.end], l.at))
	}
	for s := range r.parts {
		if p := &r.parts[s]; len(p.text) > 0 {
			out = append(out, r.logLine(uint8(s), cut(p.text, r.o.Line), p.at))
		}
	}
	return out[max(0, len(out)-max(0, n)):]
}

func (r *Ring) logLine(stream uint8, text []byte, at int64) record.LogLine {
	s := strings.ReplaceAll(strings.ToValidUTF8(string(text), "\uFFFD"), "\x00", "\uFFFD")
	return record.LogLine{At: at, Stream: [...]string{Out, Err}[stream], Text: string(cut([]byte(s), r.o.Line))}
}

// cut shortens text to at most limit bytes, not within a character.
func cut(text []byte, limit int) []byte {
	if len(text) <= limit {
		return text
	}
	end := limit
	for end > 0 && end > limit-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
