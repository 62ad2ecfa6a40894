package logql

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxJSONDepth is how deep objects are looked into.
const maxJSONDepth = 64

var errNotJSON = errors.New("the line is no JSON object")

// A pathStep is a field of an object or an element of a list.
type pathStep struct {
	field string
	index int // of a list; -1: it is a field
}

// parsePath reads a.b[0]["c d"].
func parsePath(path string) ([]pathStep, error) {
	var steps []pathStep
	for rest := path; rest != ""; {
		switch rest[0] {
		case '[':
			end, step, err := bracket(rest)
			if err != nil {
				return nil, fmt.Errorf("the path %q: %w", clip(path, 60), err)
			}
			steps, rest = append(steps, step), rest[end:]
		default:
			if rest[0] == '.' && len(steps) > 0 {
				rest = rest[1:]
			}
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, fmt.Errorf("the path %q has an empty field", clip(path, 60))
			}
			steps, rest = append(steps, pathStep{rest[:end], -1}), rest[end:]
		}
	}
	if len(steps) == 0 {
		return nil, errors.New("an empty path")
	}
	return steps, nil
}

// bracket reads [0] or ["field"] and says how long it is.
func bracket(s string) (int, pathStep, error) {
	if strings.HasPrefix(s, `["`) {
		prefix, err := strconv.QuotedPrefix(s[1:])
		if err != nil || !strings.HasPrefix(s[1+len(prefix):], "]") {
			return 0, pathStep{}, errors.New("a quoted field without its end")
		}
		field, err := strconv.Unquote(prefix)
		return len(prefix) + 2, pathStep{field, -1}, err
	}
	end := strings.IndexByte(s, ']')
	if end < 0 {
		return 0, pathStep{}, errors.New(`"[" without "]"`)
	}
	n, err := strconv.Atoi(s[1:end])
	if err != nil || n < 0 {
		return 0, pathStep{}, errors.New("what stands in brackets is neither a number from 0 on nor a quoted field")
	}
	return end + 1, pathStep{"", n}, nil
}

func (s *JSONStage) compile(*program) step {
	if len(s.Fields) == 0 {
		return func(l *line) bool {
			if err := flatten(l); err != nil {
				l.fail(errorJSON, err.Error())
			}
			return true
		}
	}
	return func(l *line) bool {
		if l.text == "" || !strings.ContainsRune("{[\"", rune(l.text[0])) {
			l.fail(errorJSON, errNotJSON.Error())
			return true
		}
		for _, f := range s.Fields {
			value, err := lookup(l.text, f.steps)
			if err != nil {
				l.fail(errorJSON, err.Error())
				break
			}
			l.extract(f.Label, value)
		}
		return true
	}
}

// lookup returns what stands at a path; empty if nothing does. Behind it, it does
// not look.
func lookup(text string, steps []pathStep) (string, error) {
	in := scanner{text: text}
	for _, step := range steps {
		found, err := step.enter(&in)
		if err != nil || !found {
			return "", err
		}
	}
	value, _, err := in.scalar()
	return value, err
}

// enter goes to the value of a field or an element; the first one counts.
func (p pathStep) enter(in *scanner) (bool, error) {
	open, end := byte('{'), byte('}')
	if p.index >= 0 {
		open, end = '[', ']'
	}
	if !in.take(open) {
		return false, nil
	}
	for i := 0; ; i++ {
		more, err := in.more(i == 0, end)
		if err != nil || !more {
			return false, err
		}
		here := i == p.index
		if p.index < 0 {
			key, err := in.key()
			if err != nil {
				return false, err
			}
			here = key == p.field
		}
		if here {
			return true, nil
		}
		if _, err := in.skip(); err != nil {
			return false, err
		}
	}
}

// flatten makes labels of all fields of the line's object; those of objects in
// it are joined by underscores, lists and null are left out.
func flatten(l *line) error {
	in := scanner{text: l.text}
	if in.next() != '{' {
		return errNotJSON
	}
	return flattenObject(&in, l, "", 1)
}

func flattenObject(in *scanner, l *line, prefix string, depth int) error {
	in.take('{')
	for first := true; ; first = false {
		more, err := in.more(first, '}')
		if err != nil || !more {
			return err
		}
		key, err := in.key()
		if err != nil {
			return err
		}
		name := prefix + sanitize(key, prefix == "")
		switch c := in.next(); {
		case c == '{' && depth < maxJSONDepth:
			err = flattenObject(in, l, name+"_", depth+1)
		case c == '{' || c == '[':
			_, err = in.skip()
		default:
			var value string
			var null bool
			if value, null, err = in.scalar(); err == nil && !null {
				l.extract(name, value)
			}
		}
		if err != nil {
			return err
		}
	}
}

// sanitize makes a label name of a key: what is no letter, digit or underscore
// becomes an underscore.
func sanitize(key string, first bool) string {
	key = strings.TrimSpace(key)
	clean := true
	for i := range len(key) {
		clean = clean && (isLetter(key[i]) || isDigit(key[i]))
	}
	if !clean {
		key = strings.Map(func(r rune) rune {
			if r < 0x80 && (isLetter(byte(r)) || isDigit(byte(r))) {
				return r
			}
			return '_'
		}, key)
	}
	if first && key != "" && isDigit(key[0]) {
		key = "_" + key
	}
	return key
}
