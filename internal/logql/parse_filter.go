package logql

import (
	"slices"

	"github.com/prometheus/prometheus/model/labels"
)

// filter reads a condition on labels: "or" binds less than "and", "," and
// nothing at all, which all mean "and".
func (p *parser) filter() LabelFilter {
	p.enter()
	defer p.leave()
	left := p.andFilter()
	for p.isWord("or") {
		p.part()
		p.take()
		left = &LogicFilter{Or: true, L: left, R: p.andFilter()}
	}
	return left
}

func (p *parser) andFilter() LabelFilter {
	left := p.oneFilter()
	for {
		t := p.peek()
		switch {
		case p.acceptWord("and") || p.accept(","):
		case t.kind == tokenName && !slices.Contains(reserved, t.text), p.isSign("("):
		default:
			return left
		}
		p.part()
		left = &LogicFilter{L: left, R: p.oneFilter()}
	}
}

func (p *parser) oneFilter() LabelFilter {
	if p.accept("(") {
		f := p.filter()
		p.expect(")")
		return f
	}
	name := p.label()
	op := p.peek()
	if op.kind != tokenSign || !slices.Contains([]string{"=", "==", "!=", "=~", "!~", ">", ">=", "<", "<="}, op.text) {
		p.unexpected("a comparison")
	}
	p.take()
	if p.isWord("ip") {
		p.outside(p.peek())
	}
	match, textual := matchTypes[op.text]
	if op.text == "==" {
		match, textual = labels.MatchEqual, true
	}
	if p.peek().kind == tokenString && textual {
		return &TextFilter{Matcher: p.newMatcher(match, name)}
	}
	return p.numberFilter(name, op)
}

func (p *parser) numberFilter(name string, op token) LabelFilter {
	if op.text == "=~" || op.text == "!~" {
		p.unexpected("a string")
	}
	f := &NumberFilter{Name: name, Op: op.text}
	if f.Op == "=" {
		f.Op = "=="
	}
	sign, text := 1.0, ""
	if p.accept("-") {
		sign, text = -1, "-"
	}
	switch t := p.peek(); t.kind {
	case tokenNumber:
		f.Value = t.number
	case tokenDuration:
		f.Value, f.Unit = t.duration.Seconds(), "duration"
	case tokenBytes:
		f.Value, f.Unit = t.number, "bytes"
	default:
		p.unexpected("a number, a duration or a size")
	}
	f.Value *= sign
	f.Text = text + p.take().text
	return f
}
