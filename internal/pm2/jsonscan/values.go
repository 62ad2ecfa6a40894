package jsonscan

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Text takes the next value as text of at most limit bytes, cut at a rune's
// boundary: strings as they are, numbers and booleans in their own spelling,
// null, objects and arrays as "". The bytes are valid until the next call.
func (s *Scanner) Text(limit int) ([]byte, error) {
	s.wanted = false
	kind, err := s.Kind()
	if err != nil {
		return nil, err
	}
	s.scratch = s.scratch[:0]
	switch kind {
	case Object, Array:
		return nil, s.Skip()
	case String:
		s.pos++
		return s.readString(limit)
	case Null:
		return nil, s.literal(nil)
	default:
		err := s.literal(&s.scratch)
		return s.scratch, err
	}
}

// Float takes the next value as a finite number: a number, or a string that
// spells one, as PM2 mixes them. ok is false for anything else.
func (s *Scanner) Float() (value float64, ok bool, err error) {
	text, err := s.Text(64)
	if err != nil || len(text) == 0 {
		return 0, false, err
	}
	value, perr := strconv.ParseFloat(string(text), 64)
	if perr != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, false, nil
	}
	return value, true, nil
}

// Bool takes the next value as a truth value: true, or the string "true".
func (s *Scanner) Bool() (bool, error) {
	text, err := s.Text(8)
	return string(text) == "true", err
}

// literal takes a number or a bare word; into, when given, gets its first 64
// bytes.
func (s *Scanner) literal(into *[]byte) error {
	s.wanted = false
	for n := 0; ; n++ {
		if s.pos == s.end {
			if err := s.fill(); err != nil {
				if n > 0 && errors.Is(err, io.ErrUnexpectedEOF) {
					return nil // a bare number at the very end
				}
				return err
			}
		}
		c := s.buf[s.pos]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c == '-', c == '+', c == '.', c == 'E':
			s.pos++
			if into != nil && n < 64 {
				*into = append(*into, c)
			}
		case n == 0:
			return fmt.Errorf("%w: unexpected byte 0x%02x", ErrSyntax, c)
		default:
			return nil
		}
	}
}

// readKey takes an object's key into the scanner's own small buffer.
func (s *Scanner) readKey() ([]byte, error) {
	if err := s.expect('"'); err != nil {
		return nil, err
	}
	s.scratch = s.scratch[:0]
	text, err := s.readString(maxKey + 1)
	if err != nil || len(text) > maxKey {
		return nil, err
	}
	return s.key[:copy(s.key[:], text)], nil
}

// readString decodes a string whose opening quote was taken into scratch,
// keeps at most limit bytes and passes over the rest.
func (s *Scanner) readString(limit int) ([]byte, error) {
	full := false
	for {
		c, err := s.take()
		if err != nil {
			return nil, err
		}
		if c == '"' {
			return cutRune(s.scratch, limit), nil
		}
		if full {
			if c == '\\' {
				if _, err := s.take(); err != nil {
					return nil, err
				}
			}
			continue
		}
		if c == '\\' {
			if err := s.escape(); err != nil {
				return nil, err
			}
		} else {
			s.scratch = append(s.scratch, c)
		}
		full = len(s.scratch) > limit
	}
}

func (s *Scanner) escape() error {
	c, err := s.take()
	if err != nil {
		return err
	}
	switch c {
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r, err := s.hex4()
		if err != nil {
			return err
		}
		return s.appendRune(r)
	}
	s.scratch = append(s.scratch, c)
	return nil
}

// appendRune joins surrogate pairs; half of a pair becomes U+FFFD.
func (s *Scanner) appendRune(r rune) error {
	for utf16.IsSurrogate(r) {
		c, err := s.take()
		if err != nil {
			return err
		}
		if c != '\\' {
			s.pos-- // take() always leaves at least one byte to go back to
			r = utf8.RuneError
			break
		}
		if c, err = s.take(); err != nil {
			return err
		}
		if c != 'u' {
			s.scratch = utf8.AppendRune(s.scratch, utf8.RuneError)
			s.pos--
			return s.escape()
		}
		low, err := s.hex4()
		if err != nil {
			return err
		}
		if joined := utf16.DecodeRune(r, low); joined != utf8.RuneError {
			r = joined
			break
		}
		s.scratch = utf8.AppendRune(s.scratch, utf8.RuneError)
		r = low
	}
	s.scratch = utf8.AppendRune(s.scratch, r)
	return nil
}

func (s *Scanner) hex4() (rune, error) {
	var r rune
	for range 4 {
		c, err := s.take()
		if err != nil {
			return 0, err
		}
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, fmt.Errorf("%w: bad \\u escape", ErrSyntax)
		}
		r = r<<4 | rune(c)
	}
	return r, nil
}

// cutRune shortens text to limit bytes without splitting a rune.
func cutRune(text []byte, limit int) []byte {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
