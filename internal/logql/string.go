package logql

import (
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

func (e *LogExpr) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range e.Matchers {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(matcherString(m))
	}
	b.WriteByte('}')
	for _, s := range e.Stages {
		b.WriteByte(' ')
		b.WriteString(s.String())
	}
	return b.String()
}

func matcherString(m *labels.Matcher) string {
	return m.Name + m.Type.String() + strconv.Quote(m.Value)
}

func (e *RangeAggregation) String() string {
	var b strings.Builder
	b.WriteString(e.Op + "(")
	if e.Op == opQuantile {
		b.WriteString(number(e.Param) + ", ")
	}
	b.WriteString(e.Log.String())
	if e.Unwrap != nil {
		b.WriteString(" " + e.Unwrap.String())
	}
	if len(e.Log.Stages) > 0 || e.Unwrap != nil {
		b.WriteByte(' ')
	}
	b.WriteString("[" + formatDuration(e.Range) + "]")
	if e.Offset != 0 {
		b.WriteString(" offset ")
		if e.Offset < 0 {
			b.WriteByte('-')
		}
		b.WriteString(formatDuration(max(e.Offset, -e.Offset)))
	}
	b.WriteByte(')')
	if e.Grouping != nil {
		b.WriteString(" " + e.Grouping.String())
	}
	return b.String()
}

func (u *Unwrap) String() string {
	s := "| unwrap " + u.Label
	if u.Convert != "" {
		s = "| unwrap " + u.Convert + "(" + u.Label + ")"
	}
	for _, f := range u.After {
		s += " " + f.String()
	}
	return s
}

func (g *Grouping) String() string {
	word := "by"
	if g.Without {
		word = "without"
	}
	return word + " (" + strings.Join(g.Labels, ", ") + ")"
}

func (e *VectorAggregation) String() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Grouping != nil {
		b.WriteString(" " + e.Grouping.String() + " ")
	}
	b.WriteByte('(')
	if e.Op == opTopK || e.Op == opBottomK {
		b.WriteString(strconv.Itoa(e.Param) + ", ")
	}
	b.WriteString(e.Expr.String() + ")")
	return b.String()
}

func (e *BinaryExpr) String() string {
	op := e.Op
	if e.Bool {
		op += " bool"
	}
	if m := e.Matching; m != nil {
		word := " ignoring"
		if m.On {
			word = " on"
		}
		op += word + " (" + strings.Join(m.Labels, ", ") + ")"
		if m.Group != "" {
			op += " " + m.Group + " (" + strings.Join(m.Include, ", ") + ")"
		}
	}
	return "(" + e.LHS.String() + " " + op + " " + e.RHS.String() + ")"
}

func (e *Literal) String() string { return number(e.Value) }

func (e *VectorExpr) String() string { return "vector(" + number(e.Value) + ")" }

func (e *LabelReplace) String() string {
	s := "label_replace(" + e.Expr.String()
	for _, arg := range []string{e.Dst, e.Replacement, e.Src, e.Pattern} {
		s += ", " + strconv.Quote(arg)
	}
	return s + ")"
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func (f *LineFilter) String() string {
	quoted := make([]string, len(f.Texts))
	for i, text := range f.Texts {
		quoted[i] = strconv.Quote(text)
	}
	return f.Op + " " + strings.Join(quoted, " or ")
}

func (s *JSONStage) String() string { return "| json" + extractions(s.Fields) }

func (s *LogfmtStage) String() string {
	out := "| logfmt"
	if s.Strict {
		out += " --strict"
	}
	if s.KeepEmpty {
		out += " --keep-empty"
	}
	return out + extractions(s.Fields)
}

func extractions(fields []Extraction) string {
	var b strings.Builder
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(" " + f.Label + "=" + strconv.Quote(f.Path))
	}
	return b.String()
}

func (s *FilterStage) String() string { return "| " + s.Filter.String() }

func (s *LineFormat) String() string { return "| line_format " + strconv.Quote(s.Template) }

func (s *LabelFormat) String() string {
	parts := make([]string, len(s.Formats))
	for i, f := range s.Formats {
		parts[i] = f.Dst + "=" + f.Src
		if f.Template {
			parts[i] = f.Dst + "=" + strconv.Quote(f.Src)
		}
	}
	return "| label_format " + strings.Join(parts, ", ")
}

func (s *KeepDrop) String() string {
	word := "| keep "
	if s.Drop {
		word = "| drop "
	}
	parts := make([]string, len(s.Labels))
	for i, l := range s.Labels {
		parts[i] = l.Name
		if l.Matcher != nil {
			parts[i] = matcherString(l.Matcher)
		}
	}
	return word + strings.Join(parts, ", ")
}

func (f *TextFilter) String() string { return matcherString(f.Matcher) }

func (f *NumberFilter) String() string { return f.Name + " " + f.Op + " " + f.Text }

func (f *LogicFilter) String() string {
	word := " and "
	if f.Or {
		word = " or "
	}
	return "(" + f.L.String() + word + f.R.String() + ")"
}
