package record

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Check returns why r can not be kept, nil if it can. now is the server's.
func (r *Record) Check(now time.Time) *Refusal {
	c := checker{}
	c.head(r, now)
	c.parts(r)
	if c.refusal != nil {
		c.refusal.ID = printableID(r.ID)
	}
	return c.refusal
}

type checker struct{ refusal *Refusal }

func (c *checker) refuse(reason Reason, format string, args ...any) {
	if c.refusal == nil {
		c.refusal = &Refusal{Reason: reason, Error: fmt.Sprintf(format, args...)}
	}
}

func (c *checker) head(r *Record, now time.Time) {
	switch {
	case r.V < 1 || r.V > Version:
		c.refuse(Invalid, "v is %d, this server knows up to %d: update the server", r.V, Version)
	case !ValidID(r.ID):
		c.refuse(Invalid, "id is no UUIDv7 in lower case")
	case !slices.Contains(Kinds(), r.Kind) || r.Kind == GroupState && r.Source != FromServer:
		c.refuse(Invalid, "kind %q is none", clip(string(r.Kind), 32))
	case r.Level != LevelError && r.Level != LevelWarn && r.Level != LevelInfo:
		c.refuse(Invalid, "level %q is none: error, warn or info", clip(string(r.Level), 32))
	case r.Source != FromPM2 && r.Source != FromExt && r.Source != FromLog && r.Source != FromServer:
		c.refuse(Invalid, "source %q is none", clip(string(r.Source), 32))
	case r.At < now.Add(-MaxAge).UnixNano():
		c.refuse(TooOld, "at is more than %s ago", MaxAge)
	case r.At > now.Add(MaxAhead).UnixNano():
		c.refuse(TooNew, "at is more than %s ahead of this server's clock", MaxAhead)
	case r.PMID < -1 || r.PID < 0 || r.Started < 0:
		c.refuse(Invalid, "pm_id, pid or started is negative")
	case r.Occurrences > 1<<53:
		c.refuse(Invalid, "occurrences is more than 2^53")
	}
	c.name("host", r.Host, true)
	c.name("daemon", r.Daemon, true)
	c.name("pm2_namespace", r.Namespace, true)
	c.name("app", r.App, r.Kind != GroupState)
	c.name("version", r.Version, false)
	c.name("revision", r.Revision, false)
	c.name("node_version", r.Node, false)
	c.name("exec_mode", r.Mode, false)
	c.text("message", r.Message, MaxMessage)
}

func (c *checker) parts(r *Record) {
	for part, given := range map[Kind]bool{
		Exception: r.Exception != nil, Exit: r.Exit != nil, Deploy: r.Deploy != nil, SlowRequest: r.Request != nil, Event: r.Event != nil, GroupState: r.Group != nil,
	} {
		if given != (part == r.Kind) {
			c.refuse(Invalid, "a record of kind %q has to have its own part and no other", r.Kind)
			return
		}
	}
	c.exception(r.Exception)
	if e := r.Exit; e != nil {
		c.name("exit.reason", e.Reason, true)
		c.name("exit.signal", e.Signal, false)
		if e.Code < -1 || e.Uptime < 0 {
			c.refuse(Invalid, "exit.code or exit.uptime_seconds is negative")
		}
	}
	if d := r.Deploy; d != nil {
		c.name("deploy.from_version", d.FromVersion, false)
		c.name("deploy.from_revision", d.FromRevision, false)
	}
	if q := r.Request; q != nil {
		c.name("request.method", q.Method, true)
		c.name("request.route", q.Route, true)
		c.text("request.target", q.Target, MaxMessage)
		if q.Code < 0 || q.Code > 999 || q.Seconds < 0 {
			c.refuse(Invalid, "request.code or request.seconds is out of range")
		}
	}
	if e := r.Event; e != nil {
		c.name("event.name", e.Name, true)
		c.object("event.data", e.Data)
	}
	if len(r.Logs) > MaxLogs {
		c.refuse(TooBig, "logs are %d lines, at most %d are kept", len(r.Logs), MaxLogs)
	}
	for _, l := range r.Logs {
		c.text("logs.text", l.Text, MaxLogLine)
		if l.Stream != "out" && l.Stream != "err" {
			c.refuse(Invalid, "logs.stream %q is none: out or err", clip(l.Stream, 32))
		}
	}
}

func (c *checker) exception(e *ExceptionInfo) {
	if e == nil {
		return
	}
	if !ValidFingerprint(e.Fingerprint) || e.Algo < 1 {
		c.refuse(Invalid, "exception.fingerprint is not 64 hexadecimal digits, or has no algo")
	}
	if e.Coarse != "" && !ValidFingerprint(e.Coarse) {
		c.refuse(Invalid, "exception.coarse is not 64 hexadecimal digits")
	}
	c.name("exception.mechanism", string(e.Mechanism), true)
	c.name("exception.name", e.Name, true)
	c.name("exception.code", e.Code, false)
	c.name("exception.method", e.Method, false)
	c.name("exception.route", e.Route, false)
	c.text("exception.title", e.Title, MaxMessage)
	c.text("exception.culprit", e.Culprit, MaxMessage)
	c.text("exception.message", e.Message, MaxMessage)
	c.text("exception.stack", e.Stack, MaxStack)
	c.text("exception.mapped_stack", e.Mapped, MaxStack)
	c.object("exception.context", e.Context)
	if len(e.Causes) > MaxCauses || len(e.Frames) > MaxFrames {
		c.refuse(TooBig, "exception has %d causes and %d frames, at most %d and %d are kept", len(e.Causes), len(e.Frames), MaxCauses, MaxFrames)
	}
	for _, cause := range e.Causes {
		c.name("exception.causes.name", cause.Name, false)
		c.text("exception.causes.message", cause.Message, MaxMessage)
		c.text("exception.causes.stack", cause.Stack, MaxStack)
	}
	for _, f := range e.Frames {
		c.text("exception.frames.function", f.Function, MaxName)
		c.text("exception.frames.file", f.File, MaxMessage)
		c.text("exception.frames.text", f.Text, MaxSource)
		if len(f.Before) > MaxAround || len(f.After) > MaxAround || f.Line < 0 || f.Column < 0 {
			c.refuse(Invalid, "exception.frames has more than %d lines around one, or a negative place", MaxAround)
		}
		for _, line := range slices.Concat(f.Before, f.After) {
			c.text("exception.frames.before", line, MaxSource)
		}
	}
}

// name checks a text that becomes a label value: one line without control
// characters.
func (c *checker) name(field, s string, required bool) {
	switch {
	case s == "" && required:
		c.refuse(Invalid, "%s is missing", field)
	case len(s) > MaxName:
		c.refuse(TooBig, "%s is %d bytes, at most %d are kept", field, len(s), MaxName)
	case !utf8.ValidString(s):
		c.refuse(Invalid, "%s is not UTF-8", field)
	case strings.ContainsFunc(s, isControl):
		c.refuse(Invalid, "%s has control characters in it", field)
	}
}

// text checks what people read: lines are fine, NUL is not.
func (c *checker) text(field, s string, limit int) {
	switch {
	case len(s) > limit:
		c.refuse(TooBig, "%s is %d bytes, at most %d are kept", field, len(s), limit)
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		c.refuse(Invalid, "%s is not UTF-8, or has NUL in it", field)
	}
}

func (c *checker) object(field string, raw json.RawMessage) {
	switch {
	case len(raw) == 0:
	case len(raw) > MaxJSON:
		c.refuse(TooBig, "%s is %d bytes, at most %d are kept", field, len(raw), MaxJSON)
	case !utf8.Valid(raw) || !json.Valid(raw):
		c.refuse(Invalid, "%s is no JSON", field)
	case Deeper(raw, MaxDepth):
		c.refuse(TooBig, "%s is more than %d objects deep", field, MaxDepth)
	}
}

// Deeper tells whether valid JSON has more than limit objects and lists in each
// other.
func Deeper(raw []byte, limit int) bool {
	depth, inText, escaped := 0, false, false
	for _, c := range raw {
		switch {
		case escaped:
			escaped = false
		case inText:
			escaped, inText = c == '\\', c != '"'
		case c == '"':
			inText = true
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 }

// ValidFingerprint is true for 64 hexadecimal digits in lower case.
func ValidFingerprint(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

func printableID(id string) string {
	if ValidID(id) {
		return id
	}
	return ""
}

func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(n, len(s))], "") }
