package stack

import (
	"strconv"
	"strings"

	"github.com/pm25/pm25/internal/record"
)

const tracebackHead = "Traceback (most recent call last):"

// parsePython reads the last traceback, whose calls stand outermost first.
func parsePython(text, root string) []record.Frame {
	text = lastTraceback(text)
	var frames []record.Frame
	for line, rest := "", text; rest != ""; {
		line, rest = nextLine(rest)
		line = strings.TrimLeft(line, " \t|") // groups of exceptions draw a line at their left
		if strings.HasPrefix(line, "+-") {
			break // the first exception of a group
		}
		call, ok := strings.CutPrefix(line, `File "`)
		if !ok {
			continue
		}
		if f, ok := pythonCall(call, root); ok {
			frames = append(frames, f)
		}
	}
	// The innermost are the last ones.
	frames = frames[max(0, len(frames)-record.MaxFrames):]
	for i, j := 0, len(frames)-1; i < j; i, j = i+1, j-1 {
		frames[i], frames[j] = frames[j], frames[i]
	}
	return frames
}

// lastTraceback is what follows the head of the last traceback that is not one
// of the exceptions in a group: those are indented.
func lastTraceback(text string) string {
	last := strings.LastIndex(text, tracebackHead)
	for end := len(text); ; {
		at := strings.LastIndex(text[:end], tracebackHead)
		if at < 0 {
			return text[last+len(tracebackHead):]
		}
		before := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
		if before == "" || before == "  + Exception Group " {
			return text[at+len(tracebackHead):]
		}
		end = at
	}
}

// pythonCall reads what follows `File "` of `File "/app/x.py", line 3, in f`.
func pythonCall(call, root string) (f record.Frame, ok bool) {
	file, rest, ok := strings.Cut(call, `", line `)
	if !ok {
		return f, false
	}
	digits, function, _ := strings.Cut(rest, ", in ")
	line, err := strconv.Atoi(strings.TrimSpace(digits))
	if err != nil || line < 0 || len(digits) > 9 {
		return f, false
	}
	setPlace(&f, file, root)
	f.Line = line
	f.Function = clean(function, record.MaxName)
	return f, true
}
