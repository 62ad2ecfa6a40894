package record

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Pair is a label and its value.
type Pair struct{ Name, Value string }

// StreamLabels are the labels of a record's stream, sorted by name: few, and
// bounded by what runs. bucket is the server's.
func (r *Record) StreamLabels(bucket string) [7]Pair {
	return [7]Pair{
		{"app", r.App},
		{"bucket", bucket},
		{"daemon", r.Daemon},
		{"host", r.Host},
		{"kind", string(r.Kind)},
		{"level", string(r.Level)},
		{"pm2_namespace", r.Namespace},
	}
}

// Metadata is a record's structured metadata, sorted by name; what is empty is
// absent. No value of it is unique to a record, so that counts by it stay few.
func (r *Record) Metadata() []Pair {
	out := make([]Pair, 0, 16)
	add := func(name, value string) {
		if value != "" {
			out = append(out, Pair{name, value})
		}
	}
	var code, event, fingerprint, handled, mechanism, method, occurrences, reason, route, seconds, signal, state string
	switch {
	case r.Exception != nil:
		e := r.Exception
		code, fingerprint, handled, mechanism = e.Code, e.Fingerprint, strconv.FormatBool(e.Handled), string(e.Mechanism)
		method, route, occurrences = e.Method, e.Route, strconv.FormatUint(r.Count(), 10)
	case r.Exit != nil:
		reason, signal = r.Exit.Reason, r.Exit.Signal
		if r.Exit.Code >= 0 {
			code = strconv.Itoa(r.Exit.Code)
		}
	case r.Request != nil:
		q := r.Request
		method, route, seconds = q.Method, q.Route, strconv.FormatFloat(q.Seconds, 'f', 3, 64)
		code = strconv.Itoa(q.Code)
		if q.Aborted {
			code = "aborted"
		}
	case r.Event != nil:
		event = r.Event.Name
	case r.Group != nil:
		fingerprint, state = r.Group.Fingerprint, r.Group.To
	}
	add("code", code)
	add("event", event)
	add("fingerprint", fingerprint)
	add("handled", handled)
	add("mechanism", mechanism)
	add("method", method)
	add("node_version", r.Node)
	add("occurrences", occurrences)
	if r.PMID >= 0 {
		add("pm_id", strconv.Itoa(r.PMID))
	}
	add("reason", reason)
	add("revision", r.Revision)
	add("route", route)
	add("seconds", seconds)
	add("signal", signal)
	add("source", string(r.Source))
	add("state", state)
	add("version", r.Version)
	return out
}

// Line is what a person reads.
func (r *Record) Line() string {
	switch {
	case r.Exception != nil:
		return r.Exception.line()
	case r.Exit != nil:
		return r.Exit.line()
	case r.Deploy != nil:
		return r.deployLine()
	case r.Request != nil:
		return r.Request.line()
	case r.Event != nil:
		if len(r.Event.Data) == 0 {
			return r.Event.Name
		}
		return r.Event.Name + " " + string(r.Event.Data)
	case r.Group != nil:
		return r.Group.line()
	case r.Kind == LogTail:
		texts := make([]string, len(r.Logs))
		for i, l := range r.Logs {
			texts[i] = l.Text
		}
		return strings.Join(texts, "\n")
	case r.Message != "":
		return r.Message
	}
	return string(r.Kind)
}

func (e *ExceptionInfo) line() string {
	var b strings.Builder
	stack := e.Stack
	if e.Mapped != "" {
		stack = e.Mapped
	}
	if !strings.Contains(stack, e.Message) { // not every runtime repeats it
		b.WriteString(e.Title)
		if stack != "" {
			b.WriteByte('\n')
		}
	}
	b.WriteString(stack)
	for _, c := range e.Causes {
		b.WriteString("\nCaused by: ")
		switch {
		case c.Stack != "":
			b.WriteString(c.Stack)
		default:
			b.WriteString(c.Name + ": " + c.Message)
		}
	}
	return b.String()
}

func (e *ExitInfo) line() string {
	var b strings.Builder
	b.WriteString("exited: " + e.Reason)
	switch {
	case e.Signal != "":
		b.WriteString(", " + e.Signal)
	case e.Code >= 0:
		fmt.Fprintf(&b, ", code %d", e.Code)
	}
	if e.Uptime > 0 {
		b.WriteString(", after " + time.Duration(e.Uptime*float64(time.Second)).Round(100*time.Millisecond).String())
	}
	if e.Memory > 0 {
		fmt.Fprintf(&b, ", with up to %d MiB", e.Memory>>20)
	}
	return b.String()
}

func (r *Record) deployLine() string {
	name := func(version, revision string) string {
		revision = revision[:min(len(revision), 10)]
		switch {
		case version == "" && revision == "":
			return "an unknown version"
		case revision == "":
			return version
		case version == "":
			return revision
		}
		return version + " (" + revision + ")"
	}
	return "deployed " + name(r.Version, r.Revision) + ", was " + name(r.Deploy.FromVersion, r.Deploy.FromRevision)
}

func (q *RequestInfo) line() string {
	code := strconv.Itoa(q.Code)
	if q.Aborted {
		code = "aborted"
	}
	what := q.Route
	if q.Target != "" {
		what = q.Target
	}
	return fmt.Sprintf("%s %s %s in %.3f s", q.Method, what, code, q.Seconds)
}

func (g *GroupInfo) line() string {
	text := g.To + ": " + g.Title
	if g.By != "" {
		text += ", by " + g.By
	}
	if g.Note != "" {
		text += ": " + g.Note
	}
	return text
}
