package logql

import (
	"encoding/json"
	"errors"
	"strings"
)

var errBroken = errors.New("the JSON breaks off, or is none from some place on")

// A scanner goes through the text of a JSON value once, without building any of
// it. What it passes over it checks only as far as it has to, to find the end.
type scanner struct {
	text string
	at   int
}

// next passes spaces and returns what follows, 0 at the end.
func (s *scanner) next() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// take passes c if it is next.
func (s *scanner) take(c byte) bool {
	if s.next() == c {
		s.at++
		return true
	}
	return false
}

// str reads a string; the result is part of the text where nothing is escaped.
func (s *scanner) str() (string, error) {
	if !s.take('"') {
		return "", errBroken
	}
	start, escaped := s.at, false
	for ; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			escaped = true
			s.at++
		case '"':
			raw := s.text[start:s.at]
			s.at++
			if !escaped {
				return strings.ToValidUTF8(raw, "�"), nil
			}
			var text string
			if json.Unmarshal([]byte(s.text[start-1:s.at]), &text) != nil {
				return "", errBroken
			}
			return text, nil
		}
	}
	return "", errBroken
}

// key reads a field's name and the colon behind it.
func (s *scanner) key() (string, error) {
	key, err := s.str()
	if err == nil && !s.take(':') {
		err = errBroken
	}
	return key, err
}

// more is true if another field or element follows, false behind the end.
func (s *scanner) more(first bool, end byte) (bool, error) {
	switch {
	case s.take(end):
		return false, nil
	case first:
		return true, nil
	case s.take(','):
		return true, nil
	}
	return false, errBroken
}

// word reads a number, true, false or null.
func (s *scanner) word() (string, error) {
	s.next()
	start := s.at
	for s.at < len(s.text) && strings.IndexByte(" \t\r\n,]}:\"", s.text[s.at]) < 0 {
		s.at++
	}
	word := s.text[start:s.at]
	if word == "" || word != "true" && word != "false" && word != "null" && !json.Valid([]byte(word)) {
		return "", errBroken
	}
	return word, nil
}

// skip passes a value and returns its text.
func (s *scanner) skip() (string, error) {
	s.next()
	start, depth := s.at, 0
	for {
		switch s.next() {
		case 0:
			return "", errBroken
		case '"':
			if _, err := s.str(); err != nil {
				return "", err
			}
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			depth--
			s.at++
		case ',', ':':
			s.at++
		default:
			if _, err := s.word(); err != nil {
				return "", err
			}
		}
		if depth <= 0 {
			return s.text[start:s.at], nil
		}
	}
}

// scalar returns a string, number or truth as a label's value; of objects and
// lists their text, of null nothing.
func (s *scanner) scalar() (value string, null bool, err error) {
	switch s.next() {
	case '"':
		value, err = s.str()
	case '{', '[':
		value, err = s.skip()
	default:
		value, err = s.word()
		if value == "null" {
			return "", true, err
		}
	}
	return value, false, err
}
