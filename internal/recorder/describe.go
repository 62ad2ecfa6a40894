package recorder

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/record"
)

// Tools are what the recorder does not do itself. They are called by one
// goroutine, off the one that reads PM2's bus. Parse and Fill are required.
type Tools struct {
	// Parse reads the frames of a stack, innermost first; root is the app's
	// folder.
	Parse func(stack, root string) []record.Frame
	// Fill sets what groups an exception.
	Fill func(app string, e *record.ExceptionInfo)
	// Map applies source maps of the app in root, as its user, and adds lines of
	// source.
	Map func(root string, frames []record.Frame) (mapped []record.Frame, ok bool)
	// Format writes mapped frames as a stack.
	Format func(header string, frames []record.Frame) string
	// Scrub takes secrets out.
	Scrub func(r *record.Record)
	// Ring keeps a process's last lines; required where logs are wanted.
	Ring func() Ring
	// Stacks finds errors among the lines of one stream.
	Stacks func(found func(Found)) Stacks
}

// otherKinds stands for the exceptions over the bound of those told apart.
const otherKinds = "(other)"

// describe makes the record of a throw. It counts for as many as the sampler
// says.
func (c *core) describe(h *held) *record.Record {
	t, r := h.thrown, h.head
	h.run.identify(r)
	e := &record.ExceptionInfo{
		Name: t.Name, Code: t.Code, Message: t.Message, Stack: t.Stack, Handled: h.class == handled, Mechanism: h.mech,
		Method: record.CleanName(t.Method), Route: record.CleanName(t.Route), Context: t.Context,
	}
	for _, cause := range t.Causes[:min(len(t.Causes), record.MaxCauses)] {
		e.Causes = append(e.Causes, record.Cause{Name: cause.Name, Message: cause.Message, Stack: cause.Stack})
	}
	root := h.proc.dir
	if c.opts.Tools.Parse != nil && t.Stack != "" {
		e.Frames = c.opts.Tools.Parse(t.Stack, root)
	}
	c.place(e, t, root)
	e.Frames = e.Frames[:min(len(e.Frames), record.MaxFrames)]
	c.opts.Tools.Fill(r.App, e)
	r.Exception, r.Level, r.Truncated = e, record.LevelError, r.Truncated || t.Cut
	if e.Handled {
		r.Level = record.LevelWarn
	}
	switch h.src {
	case byExt:
		r.Source = record.FromExt
		if record.ValidID(t.ID) {
			r.ID = t.ID
		}
	case byLog:
		r.Source = record.FromLog
	}
	if r.Logs = h.lines; !h.ended {
		r.Logs = h.proc.logs.last(c.opts.LogLines, h.linesUntil())
	}
	return r
}

// linesUntil is when its last lines were there. pm25-ext says when it was thrown,
// but lines have the time at which PM2 passed them on: later, on a busy host.
func (h *held) linesUntil() time.Time {
	if at := h.head.Time(); !h.heard.After(at) {
		return at
	}
	return h.heard
}

// lastLines takes the last lines of a life that is over, before those of the
// next one come.
func (c *core) lastLines(p *proc) {
	for _, h := range c.twins.held {
		if h.proc == p && !h.ended {
			h.lines, h.ended = p.logs.last(c.opts.LogLines, h.linesUntil()), true
		}
	}
}

// place adds source to the frames: by source maps, or else what PM2 sent.
func (c *core) place(e *record.ExceptionInfo, t *pm2.Thrown, root string) {
	if c.opts.Tools.Map != nil && len(e.Frames) > 0 {
		frames, mapped := c.opts.Tools.Map(root, e.Frames)
		e.Frames = frames
		if mapped && c.opts.Tools.Format != nil {
			e.Mapped, _ = record.CleanText(c.opts.Tools.Format(header(e), frames), record.MaxStack)
		}
		if mapped {
			return
		}
	}
	if t.Source == "" {
		return
	}
	before, line, after, ok := around(t.Source)
	name, number, _ := cutLast(t.Callsite, ":")
	at, err := strconv.Atoi(number)
	if !ok || err != nil {
		return
	}
	for i := range e.Frames {
		f := &e.Frames[i]
		if f.Line == at && path.Base(f.File) == path.Base(name) && f.Text == "" {
			f.Before, f.Text, f.After = before, line, after
			return
		}
	}
}

// around splits lines of source of which one is marked.
func around(source string) (before []string, line string, after []string, ok bool) {
	lines := strings.Split(strings.TrimRight(source, "\n"), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, ">>") })
	if i < 0 {
		return nil, "", nil, false
	}
	for j := range lines {
		lines[j], _ = record.CleanText(lines[j], record.MaxSource)
	}
	before = lines[max(0, i-record.MaxAround):i]
	after = lines[i+1 : min(len(lines), i+1+record.MaxAround)]
	return before, strings.TrimPrefix(lines[i], ">>"), after, true
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func header(e *record.ExceptionInfo) string {
	if e.Message == "" {
		return e.Name
	}
	return e.Name + ": " + e.Message
}

// overBound makes r stand for kinds that are not told apart any more.
func overBound(r *record.Record) {
	const why = "more kinds of exceptions in a minute than are told apart"
	e := *r.Exception
	r.Exception = &record.ExceptionInfo{Name: otherKinds, Message: why, Handled: e.Handled, Mechanism: record.Unknown}
	r.Logs = nil
}

// emitException makes a record stand for n throws.
func (c *core) emitException(r record.Record, n uint64) bool {
	if r.Exception.Fingerprint == "" { // over the bound
		c.opts.Tools.Fill(r.App, r.Exception)
	}
	r.Occurrences = n
	e := *r.Exception
	r.Exception = &e
	r.Logs = slices.Clone(r.Logs)
	return c.emit(&r)
}

// crashed tells that a process ended of what it threw.
func (c *core) crashed(p *proc) {
	for _, h := range c.twins.held {
		if h.proc != p {
			continue
		}
		if h.src == byLog && h.class == handled {
			c.reclassify(h)
		}
		if h.mech == record.Unknown && h.class == unhandled {
			h.mech = record.Uncaught
		}
	}
}

// reclassify makes what the log told of something that nobody handled.
func (c *core) reclassify(h *held) {
	t := c.twins.tallies[h.key]
	if t == nil || t.held[unhandled] != nil {
		return
	}
	t.held[handled], t.held[unhandled], h.class = nil, h, unhandled
}

// said is the time at which something was thrown.
func said(ev *pm2.Event, now time.Time) time.Time {
	if t := ev.Thrown; !t.At.IsZero() {
		return when(t.At, now)
	}
	return when(ev.At, now)
}
