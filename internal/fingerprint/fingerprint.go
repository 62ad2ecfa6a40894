// Package fingerprint says which exceptions are the same bug.
//
// It guarantees the same answer for the same input in every build of one Algo,
// across hosts, deploys that move lines, and folders whose names are versions.
// It does not guarantee to tell any two bugs apart: where a stack says nothing,
// the message has to, without what changes in it from one time to the next.
package fingerprint

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/stack"
)

// Algo is the version of what is below. Whatever changes a fingerprint of any
// exception has to raise it: groups are kept by it.
const Algo = 1

const (
	maxFrames      = 8 // the app's own that count
	maxRawFrames   = 3 // where none is the app's own
	maxCauseFrames = 3
	maxTitle       = 512 // bytes
)

// Fill sets Fingerprint, Coarse, Algo, Title and Culprit of e, from its Name,
// Code, Message, Frames and Causes; where it has no Frames, from its Stack.
func Fill(app string, e *record.ExceptionInfo) {
	name := cmp.Or(strings.TrimSpace(e.Name), "Error")
	frames := e.Frames
	if len(frames) == 0 {
		frames = stack.Parse(e.Stack, "")
	}
	told := tell(name, e.Message, frames, maxFrames)

	full := newHasher("fingerprint", app, name, e.Code)
	full.add(told.lines...)
	for _, cause := range causes(e) {
		full.add(cause...)
	}
	coarse := newHasher("coarse", app, name)
	if len(told.lines) > 0 {
		coarse.add(told.lines[0])
	}
	e.Algo, e.Fingerprint, e.Coarse = Algo, full.sum(), coarse.sum()
	e.Title, e.Culprit = title(name, e.Message), culprit(frames)
}

// telling is what an error is known by.
type telling struct {
	lines []string // frames, then the message where they are not enough
}

func tell(name, message string, frames []record.Frame, limit int) telling {
	var t telling
	lines, kind := callLines(frames, limit)
	if overflowed(name, message) {
		slices.Sort(lines) // it ends anywhere within the cycle
	}
	t.lines = lines
	switch {
	case len(lines) == 0:
		t.lines = append(t.lines, "message "+parameterise(firstLine(message)))
	case kind == onlyRuntime, kind == nameless && engineError(name):
		// No call of it tells where: a connection refused is known by its message.
		t.lines = append(t.lines, "message "+parameterise(firstLine(message)))
	}
	return t
}

// engineError is true for errors whose messages the engine writes: few, and
// without the app's data in them.
func engineError(name string) bool {
	return name == "TypeError" || name == "ReferenceError" || name == "RangeError"
}

// causes are the lines of those errors that led to e, each once.
func causes(e *record.ExceptionInfo) [][]string {
	var out [][]string
	root := rootOf(e)
	for i := range e.Causes[:min(len(e.Causes), record.MaxCauses)] {
		c := &e.Causes[i]
		name := cmp.Or(strings.TrimSpace(c.Name), "Error")
		lines := append([]string{"cause " + name}, tell(name, c.Message, stack.Parse(c.Stack, root), maxCauseFrames).lines...)
		// Of many that failed alike, how many does not matter.
		if !slices.ContainsFunc(out, func(other []string) bool { return slices.Equal(other, lines) }) {
			out = append(out, lines)
		}
	}
	return out
}

// rootOf is the app's folder, as the stack has it before the files of the
// frames; "" where it can not be told. The stacks of causes are below it too.
func rootOf(e *record.ExceptionInfo) string {
	if len(e.Causes) == 0 {
		return ""
	}
	raw := stack.Parse(e.Stack, "")
	for i := range e.Frames {
		if f := &e.Frames[i]; f.InApp && f.File != "" && f.File[0] != '/' {
			for j := range raw {
				if root, ok := strings.CutSuffix(raw[j].File, "/"+f.File); ok && raw[j].InApp {
					return root
				}
			}
		}
	}
	return ""
}

type hasher struct{ h hash.Hash }

func newHasher(parts ...string) hasher {
	h := hasher{sha256.New()}
	h.add("pm25", strconv.Itoa(Algo))
	h.add(parts...)
	return h
}

func (h hasher) add(parts ...string) {
	for _, p := range parts {
		_, _ = io.WriteString(h.h, strings.ToValidUTF8(p, "\uFFFD"))
		_, _ = h.h.Write([]byte{0})
	}
}

func (h hasher) sum() string { return hex.EncodeToString(h.h.Sum(nil)) }

// title is one line to know the error by.
func title(name, message string) string {
	line := firstLine(message)
	switch {
	case line == "":
		line = name
	case !strings.HasPrefix(line, name+": "):
		line = name + ": " + line
	}
	return clip(oneLine(line), maxTitle)
}

// culprit is the call to look at first.
func culprit(frames []record.Frame) string {
	if len(frames) == 0 {
		return ""
	}
	f := &frames[max(0, slices.IndexFunc(frames, func(f record.Frame) bool { return f.InApp && f.File != "" }))]
	file, function := normalFile(f.File), display(f.Function)
	if function == "" {
		return clip(oneLine(file), maxTitle)
	}
	return clip(oneLine(function+" ("+file+")"), maxTitle)
}

// firstLine is the first line of s that has anything on it.
func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	limit -= len("…")
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}
