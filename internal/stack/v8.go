package stack

import (
	"strconv"
	"strings"

	"github.com/pm25/pm25/internal/record"
)

// parseV8 reads "    at function (file:line:column)" and its relatives.
func parseV8(text, root string) []record.Frame {
	var frames []record.Frame
	broken := syntaxErrorPlace(text, root)
	for line, rest := "", text; rest != "" && len(frames) < record.MaxFrames; {
		line, rest = nextLine(rest)
		line = strings.TrimLeft(line, " \t")
		if place, ok := strings.CutPrefix(line, "-> "); ok && len(frames) > 0 {
			// Of Node up to 14, with --enable-source-maps: where the call before is really.
			mapped := &frames[len(frames)-1]
			place = strings.TrimSpace(place)
			if file, n, col := cutPosition(place); n > 0 {
				setPlace(mapped, file, root)
				mapped.Line, mapped.Column = n, col
			}
			continue
		}
		call, ok := strings.CutPrefix(line, "at ")
		var f record.Frame
		if ok {
			f, ok = parseCall(call, root)
		}
		if ok {
			frames = append(frames, f)
			continue
		}
		if len(frames) > 0 && !strings.HasPrefix(line, "... ") { // "... 4 lines matching cause stack trace ..."
			break
		}
	}
	if broken != nil {
		frames = append([]record.Frame{*broken}, frames[:min(len(frames), record.MaxFrames-1)]...)
	}
	return frames
}

// syntaxErrorPlace is the place of a syntax error, which no call tells: V8
// writes it before the error's name, with the line and a mark below.
func syntaxErrorPlace(text, root string) *record.Frame {
	first, rest := nextLine(text)
	if !strings.Contains(rest, "\nSyntaxError: ") && !strings.HasPrefix(rest, "SyntaxError: ") {
		return nil
	}
	if !strings.HasPrefix(first, "/") && !strings.HasPrefix(first, "file://") {
		return nil
	}
	file, line, _ := cutPosition(first)
	if line == 0 {
		return nil
	}
	f := &record.Frame{Line: line}
	setPlace(f, file, root)
	return f
}

// parseCall reads what follows "at ".
func parseCall(call, root string) (f record.Frame, ok bool) {
	call = strings.TrimRight(call, " \t{,") // inspected errors go on after their last call
	var place string
	if open := strings.Index(call, " ("); open > 0 && strings.HasSuffix(call, ")") {
		f.Function, place = call[:open], call[open+2:len(call)-1]
	} else {
		place = strings.TrimPrefix(call, "async ")
	}
	f.Function = clean(f.Function, record.MaxName)
	if strings.HasPrefix(place, "eval at ") {
		place = evalOrigin(place)
	}
	if place == "<anonymous>" || place == "native" || strings.HasPrefix(place, "index ") {
		if f.Function == "" {
			return f, false
		}
		f.File = clean(place, record.MaxMessage) // no file: of V8 itself
		return f, true
	}
	file, line, column := cutPosition(place)
	if line == 0 && !strings.HasPrefix(file, "wasm://") {
		return f, false
	}
	setPlace(&f, file, root)
	f.Line, f.Column = line, column
	return f, true
}

// evalOrigin is the file whose code called eval, of
// "eval at a (eval at b (/app/x.js:1:2), <anonymous>:1:1), <anonymous>:3:4".
func evalOrigin(place string) string {
	at := strings.LastIndex(place, "eval at ")
	inner := place[at+len("eval at "):]
	open := strings.Index(inner, " (")
	if open < 0 {
		return place
	}
	inner = inner[open+2:]
	// The place's own end: a parenthesis before a comma, or before more of them.
	for end := 0; end < len(inner); end++ {
		if inner[end] == ')' && (end+1 == len(inner) || inner[end+1] == ',' || inner[end+1] == ')') {
			return inner[:end]
		}
	}
	return inner
}

// cutPosition cuts ":line:column" or ":line" off a place; line is 0 where there
// is none.
func cutPosition(place string) (file string, line, column int) {
	rest, last, ok := cutNumber(place)
	if !ok {
		return place, 0, 0
	}
	if file, n, ok := cutNumber(rest); ok {
		return file, n, last
	}
	return rest, last, 0
}

func cutNumber(s string) (rest string, n int, ok bool) {
	colon := strings.LastIndexByte(s, ':')
	if colon < 1 || len(s)-colon > 10 || colon+1 == len(s) || s[colon+1] == '-' || s[colon+1] == '+' {
		return s, 0, false
	}
	n, err := strconv.Atoi(s[colon+1:])
	return s[:colon], n, err == nil
}

func placeOf(f *record.Frame) string {
	place := f.File
	if f.Line > 0 {
		place += ":" + strconv.Itoa(f.Line)
		if f.Column > 0 {
			place += ":" + strconv.Itoa(f.Column)
		}
	}
	return place
}

// IsCall says whether a line of text is a call, as V8 writes it.
func IsCall(line string) bool {
	call, ok := strings.CutPrefix(strings.TrimLeft(line, " \t"), "at ")
	if ok {
		_, ok = parseCall(strings.TrimRight(call, "\r"), "")
	}
	return ok
}
