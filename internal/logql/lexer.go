package logql

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ParseError says where a query is wrong, and how. Line and Column count from 1.
type ParseError struct {
	Line, Column int
	Message      string
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("parse error at line %d, col %d: %s", e.Line, e.Column, e.Message)
}

type tokenKind int

const (
	tokenEOF tokenKind = iota
	tokenName
	tokenString
	tokenNumber
	tokenDuration
	tokenBytes
	tokenFlag // --strict
	tokenSign // everything else, by its text
)

// A token is a word of a query. at is its offset in bytes.
type token struct {
	kind     tokenKind
	text     string // as written; of a string what it stands for
	number   float64
	duration time.Duration
	at       int
}

func (t token) String() string {
	switch t.kind {
	case tokenEOF:
		return "the end of the query"
	case tokenString:
		return "the string " + strconv.Quote(clip(t.text, 40))
	}
	return strconv.Quote(clip(t.text, 40))
}

// clip shortens s for an error.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// Longer signs first.
var signs = []string{
	"|=", "|~", "|>", "!=", "!~", "!>", "=~", "==", ">=", "<=",
	"{", "}", "(", ")", "[", "]", ",", "|", "=", ">", "<", "+", "-", "*", "/", "%", "^", "@",
}

// lex cuts a query into tokens; the last one is tokenEOF.
func lex(query string) ([]token, error) {
	var tokens []token
	for at := 0; ; {
		at = skipSpace(query, at)
		if at == len(query) {
			return append(tokens, token{kind: tokenEOF, at: at}), nil
		}
		t, next, err := lexOne(query, at)
		if err != nil {
			return nil, errorAt(query, at, "%s", err)
		}
		tokens = append(tokens, t)
		at = next
	}
}

// skipSpace passes spaces and comments, which run from # to the end of a line.
func skipSpace(query string, at int) int {
	for at < len(query) {
		switch query[at] {
		case ' ', '\t', '\n', '\r':
			at++
		case '#':
			end := strings.IndexByte(query[at:], '\n')
			if end < 0 {
				return len(query)
			}
			at += end
		default:
			return at
		}
	}
	return at
}

func lexOne(query string, at int) (token, int, error) {
	rest := query[at:]
	switch c := rest[0]; {
	case isLetter(c):
		end := at + 1
		for end < len(query) && (isLetter(query[end]) || isDigit(query[end])) {
			end++
		}
		return token{kind: tokenName, text: query[at:end], at: at}, end, nil
	case c == '"' || c == '`':
		return lexString(query, at)
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return lexNumber(query, at)
	case strings.HasPrefix(rest, "--") && len(rest) > 2 && isLetter(rest[2]):
		end := at + 3
		for end < len(query) && (isLetter(query[end]) || query[end] == '-') {
			end++
		}
		return token{kind: tokenFlag, text: query[at:end], at: at}, end, nil
	}
	for _, sign := range signs {
		if strings.HasPrefix(rest, sign) {
			return token{kind: tokenSign, text: sign, at: at}, at + len(sign), nil
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return token{}, 0, fmt.Errorf("unexpected character %q", r)
}

func lexString(query string, at int) (token, int, error) {
	end := at + 1
	for ; end < len(query) && query[end] != query[at]; end++ {
		if query[at] == '"' && query[end] == '\\' {
			end++
		}
		if query[at] == '"' && end < len(query) && query[end] == '\n' {
			break
		}
	}
	if end >= len(query) || query[end] != query[at] {
		return token{}, 0, fmt.Errorf("a string without its end")
	}
	raw := query[at : end+1]
	if raw[0] == '`' {
		// Not strconv.Unquote, which takes carriage returns out.
		return token{kind: tokenString, text: raw[1 : len(raw)-1], at: at}, end + 1, nil
	}
	text, err := strconv.Unquote(raw)
	if err != nil {
		return token{}, 0, fmt.Errorf("a string with an unknown escape: %s", clip(raw, 60))
	}
	return token{kind: tokenString, text: text, at: at}, end + 1, nil
}

// lexNumber reads what begins with a digit: a number, a duration or a size.
func lexNumber(query string, at int) (token, int, error) {
	end := at
	for end < len(query) {
		c := query[end]
		exponent := (c == '+' || c == '-') && (query[end-1] == 'e' || query[end-1] == 'E') &&
			end+1 < len(query) && isDigit(query[end+1]) && isPlain(query[at:end-1])
		if !isDigit(c) && !isLetter(c) && c != '.' && c < utf8.RuneSelf && !exponent {
			break
		}
		end++
	}
	t := token{text: query[at:end], at: at}
	if n, err := strconv.ParseFloat(t.text, 64); err == nil && isNumeral(t.text) {
		t.kind, t.number = tokenNumber, n
		return t, end, nil
	}
	if d, err := parseDuration(t.text); err == nil {
		t.kind, t.duration = tokenDuration, d
		return t, end, nil
	}
	if n, err := parseBytes(t.text); err == nil && isSize(t.text) {
		t.kind, t.number = tokenBytes, float64(n)
		return t, end, nil
	}
	return token{}, 0, fmt.Errorf("%q is no number, duration or size", clip(t.text, 40))
}

// isPlain is true for digits with dots.
func isPlain(s string) bool { return strings.Trim(s, "0123456789.") == "" }

// isSize is true for sizes as LogQL writes them: 5KB, 5kB or 5KiB, not 5kb.
func isSize(s string) bool {
	return strings.HasSuffix(s, "B") && strings.Trim(strings.TrimLeft(s, "0123456789."), "kKMGTPEiB") == ""
}

// isNumeral leaves out the underscores and hexadecimal digits of Go.
func isNumeral(s string) bool { return strings.Trim(s, "0123456789.eE+-") == "" }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// errorAt makes a ParseError of the place at that many bytes.
func errorAt(query string, at int, format string, args ...any) error {
	before := query[:min(at, len(query))]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return &ParseError{Line: line, Column: column, Message: fmt.Sprintf(format, args...)}
}
