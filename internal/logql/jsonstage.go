package logql

import (
	"encoding/json"
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
	d := json.NewDecoder(strings.NewReader(text))
	for _, s := range steps {
		found, err := enter(d, s)
		if err != nil || !found {
			return "", err
		}
	}
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return "", err
	}
	switch {
	case string(raw) == "null":
		return "", nil
	case raw[0] == '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	}
	return string(raw), nil
}

// enter goes to the value of a field or an element; the first one counts.
func enter(d *json.Decoder, s pathStep) (bool, error) {
	t, err := d.Token()
	if err != nil {
		return false, err
	}
	if s.index >= 0 && t != json.Delim('[') || s.index < 0 && t != json.Delim('{') {
		return false, nil
	}
	for i := 0; d.More(); i++ {
		if s.index < 0 {
			if t, err = d.Token(); err != nil || t == s.field {
				return err == nil, err
			}
		} else if s.index == i {
			return true, nil
		}
		var passed json.RawMessage
		if err := d.Decode(&passed); err != nil {
			return false, err
		}
	}
	return false, nil
}

// flatten makes labels of all fields of the line's object; those of objects in
// it are joined by underscores, lists and null are left out.
func flatten(l *line) error {
	d := json.NewDecoder(strings.NewReader(l.text))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errNotJSON
	}
	return flattenObject(d, l, "", 1)
}

func flattenObject(d *json.Decoder, l *line, prefix string, depth int) error {
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		name := prefix + sanitize(key, prefix == "")
		if t, err = d.Token(); err != nil {
			return err
		}
		switch v := t.(type) {
		case json.Delim:
			if v == '[' || depth >= maxJSONDepth {
				err = skipJSON(d)
			} else {
				err = flattenObject(d, l, name+"_", depth+1)
			}
			if err != nil {
				return err
			}
		case string:
			l.extract(name, v)
		case json.Number:
			l.extract(name, v.String())
		case bool:
			l.extract(name, strconv.FormatBool(v))
		}
	}
	_, err := d.Token() // the end
	return err
}

// skipJSON passes the rest of a list or object that has begun.
func skipJSON(d *json.Decoder) error {
	for depth := 1; depth > 0; {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return nil
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
