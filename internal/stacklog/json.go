package stacklog

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/stack"
)

// json handles a line of a logger, or one that ends with JSON; false if it has
// no error in it.
func (r *Recogniser) json(text []byte, at time.Time) bool {
	if len(text) > maxJSON || !bytes.Contains(text, []byte(`\n`)) || !bytes.HasSuffix(bytes.TrimSpace(text), []byte("}")) {
		return false
	}
	begin := bytes.IndexByte(text, '{')
	level := ""
	if begin > 0 { // winston's simple form: "error: message {…}"
		level, _, _ = strings.Cut(string(text[:min(begin, 64)]), ":")
	}
	var o map[string]json.RawMessage
	if json.Unmarshal(text[begin:], &o) != nil {
		return false
	}
	if begin > 0 {
		if o["level"] == nil {
			o["level"], _ = json.Marshal(level) // a string always can be
		}
	}
	if !severe(o) {
		return false
	}
	f, ok := fromObject(o)
	if !ok {
		return false
	}
	f.At, f.Logger = at, loggerOf(o)
	f.Uncaught = isTrue(o["exception"]) || isTrue(o["rejection"])
	r.o.Emit(f.fit())
	return true
}

// severe is true from the level of errors on.
func severe(o map[string]json.RawMessage) bool {
	for _, key := range []string{"level", "severity", "levelname", "log.level", "@l"} {
		raw := o[key]
		if raw == nil {
			continue
		}
		var n float64
		if json.Unmarshal(raw, &n) == nil {
			return n >= 50 // of pino and bunyan
		}
		switch strings.ToLower(str(raw)) {
		case "error", "err", "fatal", "critical", "crit", "alert", "emerg", "emergency", "panic", "severe":
			return true
		}
		return false
	}
	return false
}

// fromObject finds the error of a line: below the name that loggers give it, or
// the line's own stack.
func fromObject(o map[string]json.RawMessage) (Found, bool) {
	for _, key := range []string{"err", "error", "exception"} {
		var e map[string]json.RawMessage
		if raw := o[key]; raw != nil && json.Unmarshal(raw, &e) == nil && e != nil {
			if f, ok := fromError(e); ok {
				return f, true
			}
		}
		if s := str(o[key]); strings.Contains(s, "\n") {
			if f, ok := fromStack(s); ok {
				return f, true
			}
		}
	}
	f, ok := fromError(o)
	if !codeForm.MatchString(f.Code) {
		f.Code = "" // a status, or the app's own
	}
	return f, ok
}

var codeForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]{2,}$`)

func fromError(e map[string]json.RawMessage) (Found, bool) {
	for _, key := range []string{"stack", "stack_trace", "stacktrace", "exc_info"} {
		f, ok := fromStack(str(e[key]))
		if !ok {
			continue
		}
		if f.Code == "" {
			if f.Code = str(e["code"]); f.Code == "" && e["code"] != nil {
				f.Code = strings.Trim(string(e["code"]), `"{}[]`)
			}
		}
		if len(f.Causes) == 0 {
			f.Causes = causesOf(e)
		}
		return f, true
	}
	return Found{}, false
}

// causesOf are the errors below "cause" and "aggregateErrors".
func causesOf(e map[string]json.RawMessage) []record.Cause {
	var out []record.Cause
	add := func(e map[string]json.RawMessage) {
		if f, ok := fromStack(str(e["stack"])); ok && len(out) < record.MaxCauses {
			out = append(out, record.Cause{Name: f.Name, Message: f.Message, Stack: f.Stack})
		}
	}
	var many []map[string]json.RawMessage
	for _, key := range []string{"aggregateErrors", "errors"} {
		if json.Unmarshal(e[key], &many) == nil {
			for _, one := range many {
				add(one)
			}
		}
	}
	for range record.MaxCauses {
		var next map[string]json.RawMessage
		if e["cause"] == nil || json.Unmarshal(e["cause"], &next) != nil || next == nil {
			break
		}
		add(next)
		e = next
	}
	return out
}

// fromStack reads an error's stack, which pino has its causes appended to.
func fromStack(s string) (Found, bool) {
	if at := strings.LastIndex(s, tracebackHead); at >= 0 {
		return fromTraceback(s)
	}
	parts := strings.Split(s, "\ncaused by: ")
	var out Found
	for i, part := range parts[:min(len(parts), 1+record.MaxCauses)] {
		lines := strings.Split(part, "\n")
		first := 0
		for first < len(lines) && first < maxRecent && !stack.IsCall(lines[first]) {
			first++
		}
		if first == len(lines) || first == maxRecent {
			break
		}
		h, ok := headIn(lines[:first])
		if !ok {
			break
		}
		if i == 0 {
			out = Found{Name: h.name, Code: h.code, Message: h.message, Stack: part}
			continue
		}
		out.Causes = append(out.Causes, record.Cause{Name: h.name, Message: h.message, Stack: part})
	}
	return out, out.Name != ""
}

func fromTraceback(s string) (Found, bool) {
	var t *traceback
	for line := range strings.SplitSeq(s, "\n") {
		switch {
		case t == nil && strings.HasSuffix(line, tracebackHead):
			t = newTraceback(line, time.Time{})
		case t != nil && !t.line(line):
			return t.found()
		}
	}
	if t == nil {
		return Found{}, false
	}
	return t.found()
}

// loggerOf tells who wrote a line by what is in it.
func loggerOf(o map[string]json.RawMessage) string {
	var n float64
	numeric := json.Unmarshal(o["level"], &n) == nil
	switch {
	case numeric && o["v"] != nil && o["name"] != nil:
		return "bunyan"
	case numeric && o["time"] != nil:
		return "pino"
	case !numeric && o["level"] != nil && (o["message"] != nil || len(o) == 2):
		return "winston"
	}
	return "json"
}

func str(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s) // else it is none
	return s
}

func isTrue(raw json.RawMessage) bool { return string(raw) == "true" }
