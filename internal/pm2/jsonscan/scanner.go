// Package jsonscan picks allowed fields out of a JSON stream and forgets the
// rest.
//
// PM2's answers carry the whole environment of every app, secrets included.
// Scanner therefore never builds a document: the caller names the fields it
// takes, every other value passes through one fixed buffer and is gone. It
// guarantees constant memory whatever the input, termination on any input,
// and that a value the caller did not ask for is never returned. It is
// lenient in what does not matter to that (it does not check the grammar of
// values it skips), and strict where it would lose its place.
package jsonscan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Kind is the type of a JSON value, told by its first byte.
type Kind byte

// The kinds of JSON values.
const (
	Object Kind = '{'
	Array  Kind = '['
	String Kind = '"'
	Number Kind = '0'
	True   Kind = 't'
	False  Kind = 'f'
	Null   Kind = 'n'
)

const (
	bufferSize = 16 << 10
	// maxKey is the longest key that is told apart; longer ones are skipped.
	maxKey = 256
	// maxDepth bounds the recursion of nested callbacks; skipping does not
	// recurse and knows no bound.
	maxDepth = 32
)

// ErrSyntax means that the input is not JSON where it matters to us.
var ErrSyntax = errors.New("not valid JSON")

// Scanner reads one JSON value from a stream. It is reused through Reset and
// not safe for concurrent use.
type Scanner struct {
	r        io.Reader
	buf      []byte
	pos, end int
	depth    int
	// wanted is true between the announcement of a value to a callback and
	// the call that takes it; a value nobody takes is skipped.
	wanted  bool
	key     [maxKey]byte
	scratch []byte
}

// New returns a Scanner; Reset gives it something to read.
func New() *Scanner {
	return &Scanner{buf: make([]byte, bufferSize)}
}

// Reset makes the scanner read from r.
func (s *Scanner) Reset(r io.Reader) {
	s.r, s.pos, s.end, s.depth, s.wanted = r, 0, 0, 0, true
}

// Wipe overwrites what the buffers still hold of earlier input.
func (s *Scanner) Wipe() {
	clear(s.buf)
	clear(s.scratch[:cap(s.scratch)])
	clear(s.key[:])
	s.pos, s.end = 0, 0
}

// Kind tells the type of the next value without taking it.
func (s *Scanner) Kind() (Kind, error) {
	c, err := s.peek()
	if err != nil {
		return 0, err
	}
	switch {
	case c == '{', c == '[', c == '"', c == 't', c == 'f', c == 'n':
		return Kind(c), nil
	case c == '-', c >= '0' && c <= '9':
		return Number, nil
	}
	return 0, fmt.Errorf("%w: unexpected byte 0x%02x", ErrSyntax, c)
}

// Object calls field for each key of the next value if it is an object, and
// skips it otherwise. field takes the value with one call of the scanner's
// methods, or leaves it. The key is valid until that call. Keys longer than
// 256 bytes come as empty.
func (s *Scanner) Object(field func(key []byte) error) error {
	kind, err := s.Kind()
	if err != nil {
		return err
	}
	if kind != Object {
		return s.Skip()
	}
	return s.nested('}', func() error {
		key, err := s.readKey()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		s.wanted = true
		return field(key)
	})
}

// Array calls element for each element of the next value if it is an array,
// and skips it otherwise.
func (s *Scanner) Array(element func() error) error {
	kind, err := s.Kind()
	if err != nil {
		return err
	}
	if kind != Array {
		return s.Skip()
	}
	return s.nested(']', func() error {
		s.wanted = true
		return element()
	})
}

// nested runs the shared loop of objects and arrays: member, comma, member,
// closing byte.
func (s *Scanner) nested(closing byte, member func() error) error {
	s.wanted = false
	s.pos++ // the opening byte, seen by Kind
	if s.depth++; s.depth > maxDepth {
		return fmt.Errorf("%w: nested deeper than %d", ErrSyntax, maxDepth)
	}
	defer func() { s.depth-- }()
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c == closing {
		s.pos++
		return nil
	}
	for {
		if err := member(); err != nil {
			return err
		}
		if s.wanted {
			if err := s.Skip(); err != nil {
				return err
			}
		}
		c, err := s.peek()
		if err != nil {
			return err
		}
		s.pos++
		switch c {
		case ',':
		case closing:
			return nil
		default:
			return fmt.Errorf("%w: byte 0x%02x after a value", ErrSyntax, c)
		}
	}
}

// Skip passes over the next value, whatever it is, without looking inside.
func (s *Scanner) Skip() error {
	s.wanted = false
	kind, err := s.Kind()
	if err != nil {
		return err
	}
	switch kind {
	case String:
		s.pos++
		_, err := s.skipString()
		return err
	case Object, Array:
		return s.skipNested()
	default:
		return s.literal(nil)
	}
}

// skipNested counts brackets outside strings.
func (s *Scanner) skipNested() error {
	for depth := 0; ; {
		if s.pos == s.end {
			if err := s.fill(); err != nil {
				return err
			}
		}
		c := s.buf[s.pos]
		s.pos++
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return nil
			}
		case '"':
			if _, err := s.skipString(); err != nil {
				return err
			}
		}
	}
}

// skipString passes over a string whose opening quote was taken. It returns
// the number of \n escapes in it.
func (s *Scanner) skipString() (newlines int, err error) {
	for {
		chunk := s.buf[s.pos:s.end]
		quote := bytes.IndexByte(chunk, '"')
		part := chunk
		if quote >= 0 {
			part = chunk[:quote]
		}
		slash := bytes.IndexByte(part, '\\')
		switch {
		case slash >= 0:
			s.pos += slash + 1
			c, err := s.take()
			if err != nil {
				return 0, err
			}
			if c == 'n' {
				newlines++
			}
		case quote >= 0:
			s.pos += quote + 1
			return newlines, nil
		default:
			s.pos = s.end
			if err := s.fill(); err != nil {
				return 0, err
			}
		}
	}
}

// Lines counts the newlines in the next value if it is a string, and skips it
// otherwise.
func (s *Scanner) Lines() (int, error) {
	kind, err := s.Kind()
	if err != nil {
		return 0, err
	}
	if kind != String {
		return 0, s.Skip()
	}
	s.wanted = false
	s.pos++
	return s.skipString()
}

// peek returns the next byte that is not white space, without taking it.
func (s *Scanner) peek() (byte, error) {
	for {
		for s.pos < s.end {
			switch c := s.buf[s.pos]; c {
			case ' ', '\n', '\t', '\r':
				s.pos++
			default:
				return c, nil
			}
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

func (s *Scanner) take() (byte, error) {
	if s.pos == s.end {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	c := s.buf[s.pos]
	s.pos++
	return c, nil
}

func (s *Scanner) expect(want byte) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != want {
		return fmt.Errorf("%w: byte 0x%02x, expected %q", ErrSyntax, c, want)
	}
	s.pos++
	return nil
}

// fill replaces the buffer's content. An end of input inside a value is an
// error of its own.
func (s *Scanner) fill() error {
	for range 100 {
		n, err := s.r.Read(s.buf)
		if n > 0 {
			s.pos, s.end = 0, n
			return nil
		}
		if errors.Is(err, io.EOF) {
			s.pos, s.end = 0, 0
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}
