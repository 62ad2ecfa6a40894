// Package stack reads the stacks that V8 and Python write.
//
// It guarantees bounded work and a bounded answer for any text, valid UTF-8
// without control characters in it, and the innermost call first. It does not
// guarantee that a text which only looks like a stack is told from one.
package stack

import (
	"strings"
	"unicode/utf8"

	"github.com/pm25/pm25/internal/record"
)

// maxText is how much of a text is read: far more than record.MaxFrames calls
// need, after a message as long as a record takes.
const maxText = 4 * record.MaxStack

// Parse returns the calls of the first stack in text, innermost first and at
// most record.MaxFrames of them; nil if there is none. Of Python's chained
// tracebacks it is the last one: what was raised in the end.
//
// root is the app's folder, "" where it is not known. Files below it are
// relative to it; InApp is false for what the app's people did not write.
func Parse(text, root string) []record.Frame {
	text = clip(text, maxText)
	if strings.Contains(text, tracebackHead) {
		if frames := parsePython(text, root); frames != nil {
			return frames
		}
	}
	return parseV8(text, root)
}

// Format writes frames below header as V8 does.
func Format(header string, frames []record.Frame) string {
	var b strings.Builder
	b.WriteString(header)
	for i := range frames {
		f := &frames[i]
		b.WriteString("\n    at ")
		place := placeOf(f)
		if f.Function == "" {
			b.WriteString(place)
			continue
		}
		b.WriteString(f.Function + " (" + place + ")")
	}
	return b.String()
}

// clean makes s fit to be shown and kept: see record.Check.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return clip(s, limit)
}

// clip cuts s to at most limit bytes, not within a character.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// nextLine cuts the first line off text.
func nextLine(text string) (line, rest string) {
	line, rest, _ = strings.Cut(text, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}
