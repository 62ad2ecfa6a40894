package logql

import (
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
)

// Bounds of what Parse takes.
const (
	MaxQuery = 64 << 10 // bytes of a query
	maxDepth = 100      // parentheses and functions within each other
	maxParts = 1000     // stages, filters and operators of a query
)

// Parse reads a query. Errors of its text are *ParseError.
func Parse(query string) (Expr, error) {
	p, err := newParser(query)
	if err != nil {
		return nil, err
	}
	return parseAll(p, (*parser).query)
}

// ParseSelector reads {a="b"}, of which one matcher has to refuse the empty text
// unless empty allows that none does.
func ParseSelector(query string, empty bool) ([]*labels.Matcher, error) {
	p, err := newParser(query)
	if err != nil {
		return nil, err
	}
	p.emptySelector = empty
	return parseAll(p, (*parser).selector)
}

func newParser(query string) (*parser, error) {
	if len(query) > MaxQuery {
		return nil, fmt.Errorf("the query is %d bytes long, at most %d are read", len(query), MaxQuery)
	}
	tokens, err := lex(query)
	if err != nil {
		return nil, err
	}
	return &parser{text: query, tokens: tokens}, nil
}

func parseAll[T any](p *parser, parse func(*parser) T) (out T, err error) {
	defer func() {
		switch failed := recover().(type) {
		case nil:
		case failure:
			err = failed.err
		default:
			panic(failed)
		}
	}()
	out = parse(p)
	if t := p.peek(); t.kind != tokenEOF {
		p.unexpected("the end of the query")
	}
	return out, nil
}

type parser struct {
	text          string
	tokens        []token
	next          int
	depth, parts  int
	steps         int // of regular expressions
	emptySelector bool
}

// failure carries an error out of the depth of the parser.
type failure struct{ err error }

func (p *parser) peek() token { return p.tokens[p.next] }

func (p *parser) take() token {
	t := p.tokens[p.next]
	if t.kind != tokenEOF {
		p.next++
	}
	return t
}

func (p *parser) fail(at int, format string, args ...any) {
	panic(failure{errorAt(p.text, at, format, args...)})
}

func (p *parser) unexpected(want string) {
	t := p.peek()
	p.fail(t.at, "syntax error: unexpected %s, expecting %s", t, want)
}

// outside refuses what Loki knows and this package does not.
func (p *parser) outside(t token) {
	p.fail(t.at, "%s is outside of the subset of LogQL that is read here (docs/logql.md)", t)
}

func (p *parser) isSign(sign string) bool {
	t := p.peek()
	return t.kind == tokenSign && t.text == sign
}

func (p *parser) isWord(words ...string) bool {
	t := p.peek()
	return t.kind == tokenName && slices.Contains(words, t.text)
}

// accept takes the sign if it is next.
func (p *parser) accept(sign string) bool {
	if p.isSign(sign) {
		p.take()
		return true
	}
	return false
}

func (p *parser) acceptWord(word string) bool {
	if p.isWord(word) {
		p.take()
		return true
	}
	return false
}

func (p *parser) expect(sign string) token {
	if !p.isSign(sign) {
		p.unexpected(fmt.Sprintf("%q", sign))
	}
	return p.take()
}

func (p *parser) str() string {
	if p.peek().kind != tokenString {
		p.unexpected("a string")
	}
	return p.take().text
}

// Words that are no labels.
var reserved = []string{"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"}

func (p *parser) label() string {
	t := p.peek()
	if t.kind != tokenName || slices.Contains(reserved, t.text) {
		p.unexpected("a label")
	}
	return p.take().text
}

// enter and leave count how deep the parser is.
func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.peek().at, "more than %d parentheses and functions within each other", maxDepth)
	}
}

func (p *parser) leave() { p.depth-- }

// part counts the parts of a query.
func (p *parser) part() {
	if p.parts++; p.parts > maxParts {
		p.fail(p.peek().at, "more than %d stages, filters and operators", maxParts)
	}
}

func (p *parser) query() Expr {
	if !p.startsLog() {
		return p.binary(0)
	}
	return p.log(false).log
}

// startsLog is true where a selector follows, in any number of parentheses.
func (p *parser) startsLog() bool {
	at := p.next
	for p.tokens[at].kind == tokenSign && p.tokens[at].text == "(" {
		at++
	}
	return p.tokens[at].kind == tokenSign && p.tokens[at].text == "{"
}

func (p *parser) selector() []*labels.Matcher {
	start := p.expect("{")
	var matchers []*labels.Matcher
	for !p.isSign("}") {
		p.part()
		matchers = append(matchers, p.matcher())
		if !p.accept(",") && !p.isSign("}") {
			p.unexpected(`"," or "}"`)
		}
	}
	p.expect("}")
	if !p.emptySelector && !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches("") }) {
		p.fail(start.at, `queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will`)
	}
	return matchers
}

var matchTypes = map[string]labels.MatchType{
	"=": labels.MatchEqual, "!=": labels.MatchNotEqual, "=~": labels.MatchRegexp, "!~": labels.MatchNotRegexp,
}

// matcher reads label="value".
func (p *parser) matcher() *labels.Matcher {
	name := p.label()
	op := p.peek()
	match, ok := matchTypes[op.text]
	if op.kind != tokenSign || !ok {
		p.unexpected(`"=", "!=", "=~" or "!~"`)
	}
	p.take()
	return p.newMatcher(match, name)
}

func (p *parser) newMatcher(match labels.MatchType, name string) *labels.Matcher {
	at := p.peek().at
	value := p.str()
	if match == labels.MatchRegexp || match == labels.MatchNotRegexp {
		p.checkRegex(at, value)
	}
	m, err := labels.NewMatcher(match, name, value)
	if err != nil {
		p.fail(at, "%s", regexError(err))
	}
	return m
}

func (p *parser) checkRegex(at int, pattern string) {
	steps, err := checkRegex(pattern)
	if err != nil {
		p.fail(at, "%s", err)
	}
	if p.steps += steps; p.steps > maxRegexSteps {
		p.fail(at, "the regular expressions of the query have more than %d steps with their repetitions: repeat less", maxRegexSteps)
	}
}
