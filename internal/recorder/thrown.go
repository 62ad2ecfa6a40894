package recorder

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/record"
)

// signature is what each source says alike of an error: its message without
// numbers, and its innermost frame.
type signature struct{ message, frame string }

const maxSignature = 200

// sign returns the signature. What is no Error has no frames, and each source
// writes it in its own way: it is known by that alone.
func sign(t *pm2.Thrown) signature {
	if t.NonError {
		return signature{message: "no error"}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(t.Message), "\n")
	return signature{withoutNumbers(line), placeOf(topFrame(t.Stack))}
}

// topFrame is the first frame of a stack as it is written, "" without one.
func topFrame(stack string) string {
	for line := range strings.Lines(stack) {
		if frame, ok := strings.CutPrefix(strings.TrimSpace(line), "at "); ok {
			return frame
		}
	}
	return ""
}

// withoutNumbers makes messages alike that differ in a number.
func withoutNumbers(s string) string {
	var b strings.Builder
	digits := false
	for _, r := range s {
		if digit := r >= '0' && r <= '9'; !digit || !digits {
			if digit {
				r = '0'
			}
			b.WriteRune(r)
			digits = digit
		}
		if b.Len() >= maxSignature {
			break
		}
	}
	return strings.TrimSpace(b.String())
}

func placeOf(frame string) string {
	if len(frame) > maxSignature {
		frame = frame[len(frame)-maxSignature:] // the place is at its end
	}
	return frame
}

// thrown takes an error that PM2 or pm25-ext told of.
func (c *core) thrown(ev *pm2.Event, src source, now time.Time) {
	t := ev.Thrown
	p := c.procOf(ev)
	s := sighting{src: src, proc: p, run: p.at(ev.Retired), thrown: t, heard: when(ev.At, now)}
	if t.ByApp {
		s.class = handled
	}
	s.mech = mechanism(t)
	if src == byPM2 {
		complete(t)
	}
	if t.Name == "" {
		t.Name = "Error"
	}
	s.head = c.head(record.Exception, p, s.run, said(ev, now))
	if s.head.Started == 0 {
		s.head.PID, s.head.Started = t.PID, t.Start
	}
	past := uint64(0)
	if src == byExt {
		c.told(&s, now)
		past = t.Occurrences - 1
	}
	c.see(s, past, now)
}

func mechanism(t *pm2.Thrown) record.Mechanism {
	switch {
	case t.Kind == "uncaught":
		return record.Uncaught
	case t.Kind == "rejection":
		return record.Rejection
	case t.Kind == "handled":
		return record.Handled
	case t.Kind == "notified" || t.ByApp:
		return record.Notified
	}
	return record.Unknown
}

// What PM2 in fork mode makes of a value that is no Error.
var nonErrors = []string{"Non-error value: ", "Unserializable non-error value"}

// complete finds what PM2 does not say: in cluster mode the name, and of what
// was thrown that is no Error what it was.
func complete(t *pm2.Thrown) {
	for _, prefix := range nonErrors {
		if rest, ok := strings.CutPrefix(t.Message, prefix); ok {
			t.NonError = true
			if rest != "" {
				t.Message = rest
			}
			if n := len(t.Message); n > 1 && t.Message[0] == '"' && t.Message[n-1] == '"' {
				t.Message = t.Message[1 : n-1]
			}
		}
	}
	if t.Kind == "" && strings.HasPrefix(t.Message, "No error but ") {
		t.NonError = true
	}
	if t.NonError {
		t.Name, t.Stack, t.Source = "NonError", "", ""
		return
	}
	if t.Name == "" {
		t.Name = nameIn(t.Stack, t.Message)
	}
}

// nameIn finds the name of an error in its stack: what stands before its
// message.
func nameIn(stack, message string) string {
	first, _, _ := strings.Cut(message, "\n")
	n := 0
	for line := range strings.Lines(stack) {
		line = strings.TrimSpace(line)
		if n++; n > 10 || strings.HasPrefix(line, "at ") {
			break
		}
		name := line
		if first != "" {
			before, ok := strings.CutSuffix(line, ": "+first)
			if !ok {
				continue
			}
			name = before
		}
		name, _, _ = strings.Cut(name, " [") // TypeError [ERR_INVALID_ARG_TYPE]
		if isWord(name) {
			return record.CleanName(name)
		}
	}
	return ""
}

func isWord(s string) bool {
	for _, r := range s {
		if r != '_' && r != '$' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r < utf8.RuneSelf {
			return false
		}
	}
	return s != ""
}
