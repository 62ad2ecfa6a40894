package scrub

import (
	"strings"
	"unicode/utf8"

	"github.com/pm25/pm25/internal/record"
)

// Record takes the secrets out of all of r that an app wrote, in place. Marks
// may be longer than what they stand for: what would be over record's limits is
// cut, and r says so. Names, files and functions stay.
func (s *Scrubber) Record(r *record.Record) {
	t := task{s: s}
	t.text(&r.Message, record.MaxMessage)
	if e := r.Exception; e != nil {
		t.exception(e)
	}
	if r.Request != nil {
		t.text(&r.Request.Target, record.MaxMessage)
	}
	if e := r.Event; e != nil {
		e.Data = t.json(e.Data)
	}
	t.logs(r.Logs)
	r.Truncated = r.Truncated || t.cut
}

type task struct {
	s   *Scrubber
	cut bool
}

func (t *task) exception(e *record.ExceptionInfo) {
	t.text(&e.Title, record.MaxMessage)
	t.text(&e.Message, record.MaxMessage)
	t.text(&e.Stack, record.MaxStack)
	t.text(&e.Mapped, record.MaxStack)
	for i := range e.Causes {
		t.text(&e.Causes[i].Message, record.MaxMessage)
		t.text(&e.Causes[i].Stack, record.MaxStack)
	}
	for i := range e.Frames {
		f := &e.Frames[i]
		t.text(&f.Text, record.MaxSource)
		for j := range f.Before {
			t.text(&f.Before[j], record.MaxSource)
		}
		for j := range f.After {
			t.text(&f.After[j], record.MaxSource)
		}
	}
	e.Context = t.json(e.Context)
}

// logs are lines: a private key goes over many of them.
func (t *task) logs(lines []record.LogLine) {
	within := map[string]bool{} // a key, by stream
	for i := range lines {
		l := &lines[i]
		ends := strings.Contains(l.Text, "-----END ")
		if within[l.Stream] && !ends && t.s.on[PrivateKey] {
			l.Text = markOf(PrivateKey)
			continue
		}
		begins := strings.Contains(l.Text, "-----BEGIN ") && strings.Contains(l.Text, "PRIVATE KEY-----")
		within[l.Stream] = (begins || within[l.Stream]) && !ends
		t.text(&l.Text, record.MaxLogLine)
	}
}

func (t *task) text(s *string, limit int) {
	is := t.s.Text(*s)
	if len(is) > limit && len(is) > len(*s) {
		is, t.cut = clip(is, limit), true
	}
	*s = is
}

func (t *task) json(raw []byte) []byte {
	is := t.s.JSON(raw)
	if len(is) > record.MaxJSON && len(is) > len(raw) {
		t.cut = true
		return nil // half of an object is none
	}
	return is
}

func clip(s string, limit int) string {
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
