package logql

import (
	"slices"
	"time"

	"github.com/grafana/regexp"
)

// logRange is a log expression with what belongs to a range aggregation.
type logRange struct {
	log           *LogExpr
	unwrap        *Unwrap
	window        time.Duration
	offset        time.Duration
	windowAt      int
	windowPresent bool
}

// maxReach is the longest range and offset; times and both of them stay within
// the bounds of nanoseconds.
const maxReach = 10 * 365 * 24 * time.Hour

// log reads a selector and its pipeline. In a range aggregation the window may
// stand before or after the pipeline, and unwrap ends it.
func (p *parser) log(ranged bool) *logRange {
	p.enter()
	defer p.leave()
	var r *logRange
	if p.accept("(") {
		r = p.log(ranged)
		p.expect(")")
	} else {
		r = &logRange{log: &LogExpr{Matchers: p.selector()}}
	}
	for {
		switch t := p.peek(); {
		case t.kind != tokenSign:
			return r
		case t.text == "[" && ranged:
			p.window(r)
		case t.text == "|=" || t.text == "!=" || t.text == "|~" || t.text == "!~":
			p.notAfterUnwrap(r)
			r.log.Stages = append(r.log.Stages, p.lineFilter())
		case t.text == "|>" || t.text == "!>":
			p.outside(t)
		case t.text == "|":
			p.stage(r, ranged)
		default:
			return r
		}
	}
}

func (p *parser) notAfterUnwrap(r *logRange) {
	if r.unwrap != nil {
		p.unexpected("a label filter after unwrap")
	}
}

func (p *parser) window(r *logRange) {
	at := p.expect("[").at
	if r.windowPresent {
		p.fail(at, "a second range")
	}
	if p.peek().kind != tokenDuration {
		p.unexpected("a duration")
	}
	r.window, r.windowAt, r.windowPresent = p.take().duration, at, true
	if r.window <= 0 || r.window > maxReach {
		p.fail(at, "the range has to be longer than 0 and at most 10 years")
	}
	p.expect("]")
	if p.acceptWord("offset") {
		negative := p.accept("-")
		if p.peek().kind != tokenDuration {
			p.unexpected("a duration")
		}
		if r.offset = p.take().duration; r.offset > maxReach {
			p.fail(at, "the offset is more than 10 years")
		}
		if negative {
			r.offset = -r.offset
		}
	}
	if p.isSign("@") {
		p.outside(p.peek())
	}
}

func (p *parser) lineFilter() *LineFilter {
	p.part()
	f := &LineFilter{Op: p.take().text}
	for {
		at := p.peek().at
		if p.isWord("ip") {
			p.outside(p.peek())
		}
		text := p.str()
		if f.Op == "|~" || f.Op == "!~" {
			p.checkRegex(at, text)
		}
		f.Texts = append(f.Texts, text)
		if !p.isWord("or") {
			break
		}
		p.part()
		p.take()
	}
	f.match = lineMatch(f)
	return f
}

// Stages that Loki has and this package has not.
var foreignStages = []string{"regexp", "pattern", "unpack", "decolorize", "distinct", "variants"}

func (p *parser) stage(r *logRange, ranged bool) {
	p.part()
	p.expect("|")
	t := p.peek()
	if t.kind == tokenName && slices.Contains(foreignStages, t.text) {
		p.outside(t)
	}
	if p.isWord("unwrap") {
		if !ranged {
			p.fail(t.at, "unwrap belongs into a range aggregation")
		}
		p.notAfterUnwrap(r)
		r.unwrap = p.unwrap()
		return
	}
	if t.kind != tokenName && !p.isSign("(") {
		p.unexpected("a stage or a label filter")
	}
	var s Stage
	switch p.keyword() {
	case "json":
		p.take()
		s = &JSONStage{Fields: p.extractions(true)}
	case "logfmt":
		s = p.logfmt()
	case "line_format":
		p.take()
		s = p.lineFormat()
	case "label_format":
		p.take()
		s = p.labelFormat()
	case "keep", "drop":
		s = p.keepDrop()
	default:
		f := &FilterStage{Filter: p.filter()}
		if r.unwrap != nil {
			r.unwrap.After = append(r.unwrap.After, f)
			return
		}
		s = f
	}
	p.notAfterUnwrap(r)
	r.log.Stages = append(r.log.Stages, s)
}

// keyword is the next word, if there is one.
func (p *parser) keyword() string {
	if t := p.peek(); t.kind == tokenName {
		return t.text
	}
	return ""
}

func (p *parser) logfmt() *LogfmtStage {
	p.take()
	s := &LogfmtStage{}
	for p.peek().kind == tokenFlag {
		switch t := p.take(); t.text {
		case "--strict":
			s.Strict = true
		case "--keep-empty":
			s.KeepEmpty = true
		default:
			p.fail(t.at, "logfmt has no flag %s: --strict or --keep-empty", t)
		}
	}
	s.Fields = p.extractions(false)
	return s
}

// extractions reads a, b="path", which may be absent.
func (p *parser) extractions(json bool) []Extraction {
	var out []Extraction
	for p.peek().kind == tokenName {
		p.part()
		e := Extraction{Label: p.label()}
		e.Path = e.Label
		at := p.peek().at
		if p.accept("=") {
			at = p.peek().at
			e.Path = p.str()
		}
		if json {
			var err error
			if e.steps, err = parsePath(e.Path); err != nil {
				p.fail(at, "%s", err)
			}
		} else if e.Path == "" {
			p.fail(at, "an empty key")
		}
		out = append(out, e)
		if !p.accept(",") {
			break
		}
		if p.peek().kind != tokenName {
			p.unexpected("a label")
		}
	}
	return out
}

func (p *parser) lineFormat() *LineFormat {
	at := p.peek().at
	s := &LineFormat{Template: p.str()}
	if _, err := parseTemplate(s.Template); err != nil {
		p.fail(at, "invalid line template: %s", err)
	}
	return s
}

func (p *parser) labelFormat() *LabelFormat {
	s := &LabelFormat{}
	for {
		p.part()
		at := p.peek().at
		f := LabelSet{Dst: p.label()}
		if f.Dst == labelError || f.Dst == labelErrorDetails {
			p.fail(at, "%s cannot be formatted", f.Dst)
		}
		if slices.ContainsFunc(s.Formats, func(other LabelSet) bool { return other.Dst == f.Dst }) {
			p.fail(at, "multiple label name '%s' not allowed in a single format operation", f.Dst)
		}
		p.expect("=")
		if t := p.peek(); t.kind == tokenString {
			f.Src, f.Template = p.str(), true
			if _, err := parseTemplate(f.Src); err != nil {
				p.fail(t.at, "invalid template for label '%s': %s", f.Dst, err)
			}
		} else {
			f.Src = p.label()
		}
		s.Formats = append(s.Formats, f)
		if !p.accept(",") {
			return s
		}
	}
}

func (p *parser) keepDrop() *KeepDrop {
	s := &KeepDrop{Drop: p.take().text == "drop"}
	for {
		p.part()
		l := LabelChoice{Name: p.label()}
		if t := p.peek(); t.kind == tokenSign {
			if match, ok := matchTypes[t.text]; ok && p.tokens[p.next+1].kind == tokenString {
				p.take()
				l.Matcher = p.newMatcher(match, l.Name)
			}
		}
		s.Labels = append(s.Labels, l)
		if !p.accept(",") {
			return s
		}
	}
}

func (p *parser) unwrap() *Unwrap {
	p.take()
	t := p.peek()
	u := &Unwrap{Label: p.label()}
	if p.accept("(") {
		if u.Label != "duration" && u.Label != "duration_seconds" && u.Label != "bytes" {
			p.fail(t.at, "%s is no conversion of unwrap: duration, duration_seconds or bytes", t)
		}
		u.Convert = u.Label
		u.Label = p.label()
		p.expect(")")
	}
	return u
}

// lineMatch makes the function of a filter.
func lineMatch(f *LineFilter) func(string) bool {
	matches := make([]func(string) bool, len(f.Texts))
	for i, text := range f.Texts {
		matches[i] = containsText(text)
		if f.Op == "|~" || f.Op == "!~" {
			// Checked before; as in Loki it may match anywhere.
			matches[i] = regexp.MustCompile(text).MatchString
		}
	}
	not := f.Op == "!=" || f.Op == "!~"
	return func(s string) bool {
		return slices.ContainsFunc(matches, func(match func(string) bool) bool { return match(s) }) != not
	}
}
