package jsonscan

import "bytes"

// Raw takes the next value as the JSON text that it is. It is nil for a value
// of more than limit bytes, or with more than levels objects and lists in each
// other, which is skipped. Its grammar is not checked. The bytes are valid
// until the next call.
func (s *Scanner) Raw(limit, levels int) ([]byte, error) {
	s.wanted = false
	kind, err := s.Kind()
	if err != nil {
		return nil, err
	}
	s.scratch = s.scratch[:0]
	switch kind {
	case String, Object, Array:
		fits, err := s.copyRaw(limit, levels)
		if err != nil || !fits {
			return nil, err
		}
		return s.scratch, nil
	default:
		err := s.literal(&s.scratch)
		return s.scratch, err
	}
}

// copyRaw copies a string, object or list into scratch, as far as it fits.
func (s *Scanner) copyRaw(limit, levels int) (fits bool, err error) {
	fits = true
	keep := func(c byte) {
		if fits = fits && len(s.scratch) < limit; fits {
			s.scratch = append(s.scratch, c)
		}
	}
	for depth, quoted := 0, false; ; {
		c, err := s.take()
		if err != nil {
			return false, err
		}
		keep(c)
		switch {
		case quoted && c == '\\':
			if c, err = s.take(); err != nil {
				return false, err
			}
			keep(c)
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			fits = fits && depth <= levels
		case c == '}' || c == ']':
			depth--
		}
		if depth == 0 && !quoted {
			return fits, nil
		}
	}
}

// Tail takes the next value, if it is a string, by its end: it returns, in the
// room of into, the last bytes of it as they are written, escapes and all, at
// most as many as limit, and how many \n escapes it has. cut says that there
// was more before. A long string costs hardly more than to skip it.
func (s *Scanner) Tail(into []byte, limit int) (raw []byte, cut bool, newlines int, err error) {
	kind, err := s.Kind()
	if err != nil {
		return nil, false, 0, err
	}
	if kind != String {
		return nil, false, 0, s.Skip()
	}
	s.wanted = false
	s.pos++
	raw = into[:0]
	keep := func(part []byte) {
		if over := len(part) - limit; over > 0 {
			part, cut = part[over:], true
		}
		if len(raw)+len(part) > 2*limit {
			raw = append(raw[:0], raw[max(0, len(raw)-limit):]...)
			cut = true
		}
		raw = append(raw, part...)
	}
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
			keep(part[:slash])
			s.pos += slash + 1
			c, err := s.take()
			if err != nil {
				return nil, false, 0, err
			}
			if c == 'n' {
				newlines++
			}
			keep([]byte{'\\', c})
		case quote >= 0:
			keep(part)
			s.pos += quote + 1
			if over := len(raw) - limit; over > 0 {
				raw, cut = raw[over:], true
			}
			return raw, cut, newlines, nil
		default:
			keep(part)
			s.pos = s.end
			if err := s.fill(); err != nil {
				return nil, false, 0, err
			}
		}
	}
}
