package logql

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// A step changes a line and says whether to keep it.
type step func(l *line) bool

// A program runs a pipeline. It is for one goroutine.
type program struct {
	steps []step
	line  line
}

func newProgram(stages []Stage) *program {
	p := &program{}
	for _, s := range stages {
		p.steps = append(p.steps, s.compile(p))
	}
	return p
}

// run takes p.line through all steps.
func (p *program) run() bool {
	for _, s := range p.steps {
		if !s(&p.line) {
			return false
		}
	}
	return true
}

func (f *LineFilter) compile(*program) step {
	return func(l *line) bool { return f.match(l.text) }
}

func containsText(text string) func(string) bool {
	return func(s string) bool { return strings.Contains(s, text) }
}

func (s *FilterStage) compile(*program) step { return s.Filter.keep }

func (f *TextFilter) keep(l *line) bool {
	value, _ := l.get(f.Matcher.Name)
	return f.Matcher.Matches(value)
}

func (f *LogicFilter) keep(l *line) bool {
	if f.Or {
		left := f.L.keep(l)
		return f.R.keep(l) || left
	}
	return f.L.keep(l) && f.R.keep(l)
}

// keep lets lines with an error pass, and marks those whose label is there but
// is no number; lines without the label go.
func (f *NumberFilter) keep(l *line) bool {
	text, ok := l.get(f.Name)
	if !ok {
		return false
	}
	if l.failed {
		return true
	}
	value, err := convert(text, f.Unit)
	if err != nil {
		l.fail(errorFilter, err.Error())
		return true
	}
	switch f.Op {
	case "==":
		return value == f.Value
	case "!=":
		return value != f.Value
	case ">":
		return value > f.Value
	case ">=":
		return value >= f.Value
	case "<":
		return value < f.Value
	}
	return value <= f.Value
}

// convert makes a number of a label: of durations their seconds.
func convert(text, unit string) (float64, error) {
	switch unit {
	case "duration", "duration_seconds":
		d, err := time.ParseDuration(text)
		return d.Seconds(), err
	case "bytes":
		n, err := parseBytes(text)
		return float64(n), err
	}
	return strconv.ParseFloat(text, 64)
}

func (s *KeepDrop) compile(*program) step {
	chosen := func(l *lineLabel) bool {
		return slices.ContainsFunc(s.Labels, func(c LabelChoice) bool {
			return c.Name == l.name && (c.Matcher == nil || c.Matcher.Matches(l.value))
		})
	}
	return func(l *line) bool {
		l.labels = slices.DeleteFunc(l.labels, func(x lineLabel) bool {
			special := x.name == labelError || x.name == labelErrorDetails
			gone := chosen(&x) == s.Drop && (s.Drop || !special)
			if gone && x.name == labelError {
				l.failed = false
			}
			return gone
		})
		return true
	}
}

func (s *LabelFormat) compile(*program) step {
	type format struct {
		LabelSet
		template *template
	}
	formats := make([]format, len(s.Formats))
	for i, f := range s.Formats {
		formats[i].LabelSet = f
		if f.Template {
			formats[i].template, _ = parseTemplate(f.Src) // checked by the parser
		}
	}
	return func(l *line) bool {
		var values map[string]string // of before the first template, for all
		for _, f := range formats {
			if f.template == nil {
				if value, ok := l.get(f.Src); ok {
					l.set(f.Dst, value)
					if f.Src != f.Dst {
						l.del(f.Src)
					}
				}
				continue
			}
			if values == nil {
				values = l.values()
			}
			value, err := f.template.execute(l, values)
			if err != nil {
				l.fail(errorTemplate, err.Error())
				continue
			}
			l.set(f.Dst, value)
		}
		return true
	}
}

func (s *LineFormat) compile(*program) step {
	t, _ := parseTemplate(s.Template) // checked by the parser
	return func(l *line) bool {
		text, err := t.execute(l, l.values())
		if err != nil {
			l.fail(errorTemplate, err.Error())
			return true
		}
		l.text = text
		return true
	}
}

// sample takes the value of unwrap out of the line. Lines without the label have
// none.
func (u *Unwrap) sample(l *line) (value float64, ok bool) {
	text, found := l.get(u.Label)
	if !found {
		return 0, false
	}
	value, err := convert(text, u.Convert)
	if err != nil {
		l.fail(errorSample, err.Error())
	}
	l.del(u.Label)
	for _, f := range u.After {
		if !f.Filter.keep(l) {
			return 0, false
		}
	}
	return value, true
}

// absentLabels are those of absent_over_time: of the matchers that name one value.
func absentLabels(matchers []*labels.Matcher) labels.Labels {
	b := labels.NewBuilder(labels.EmptyLabels())
	seen := map[string]bool{}
	for _, m := range matchers {
		if m.Type == labels.MatchEqual && !seen[m.Name] {
			b.Set(m.Name, m.Value)
		} else {
			b.Del(m.Name)
		}
		seen[m.Name] = true
	}
	return b.Labels()
}
