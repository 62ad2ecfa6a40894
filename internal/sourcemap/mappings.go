package sourcemap

import "slices"

// lookup is a place in a script, from 0 on, and what is found of it.
type lookup struct {
	line, column int

	found            bool
	part             *part
	source           int // of part
	toLine, toColumn int
	name             string
}

// find fills in what it finds: for each place the last mapping at or before it
// in its line.
func (s *sourceMap) find(wanted []*lookup) {
	byPart := map[*part][]*lookup{}
	for _, w := range wanted {
		for i := len(s.parts) - 1; i >= 0; i-- {
			if p := &s.parts[i]; !before(w.line, w.column, p) {
				byPart[p] = append(byPart[p], w)
				break
			}
		}
	}
	for p, ws := range byPart {
		slices.SortFunc(ws, func(a, b *lookup) int {
			if a.line != b.line {
				return a.line - b.line
			}
			return a.column - b.column
		})
		p.find(ws)
	}
}

// segment is one mapping. Columns begin anew in each line; all else goes on from
// the segment before.
type segment struct {
	place  [5]int // column, source, line and column there, name
	fields int    // that it has: 1 for what comes from nowhere, 4, or 5 with a name
}

// find reads the mappings once, as far as the last place of sorted.
func (p *part) find(sorted []*lookup) {
	var at, last segment // last is the one before, in this line
	line, offset := p.line, p.column
	for i := 0; i < len(p.mappings) && len(sorted) > 0; {
		switch p.mappings[i] {
		case ';':
			sorted = p.take(sorted, last, line, maxPlace)
			line++
			at.place[0], last, offset = 0, segment{}, 0
			i++
			continue
		case ',':
			i++
			continue
		}
		n := at.read(p.mappings[i:])
		if n == 0 {
			return // broken
		}
		i += n
		if sorted[0].line == line {
			sorted = p.take(sorted, last, line, at.place[0]+offset)
		}
		last = at
	}
	p.take(sorted, last, line, maxPlace)
}

// take fills in the first places of sorted: those in a line, before a column. s
// is the mapping before that. It returns the others.
func (p *part) take(sorted []*lookup, s segment, line, column int) []*lookup {
	for len(sorted) > 0 && sorted[0].line == line && sorted[0].column < column {
		p.fill(sorted[0], s)
		sorted = sorted[1:]
	}
	return sorted
}

func (p *part) fill(w *lookup, s segment) {
	source := s.place[1]
	if s.fields < 4 || source >= len(p.sources) || p.sources[source] == "" {
		return
	}
	w.found, w.part, w.source, w.toLine, w.toColumn = true, p, source, s.place[2], s.place[3]
	if name := s.place[4]; s.fields == 5 && name < len(p.names) {
		w.name = p.names[name]
	}
}

// maxPlace is more than any line, column or index that is one.
const maxPlace = 1 << 30

// read adds the differences that text begins with, and returns the length of
// them; 0 if they are none. Each is of base64 digits, lowest first, with 5 bits
// and one that says that more follow; the lowest bit of all is the sign.
func (s *segment) read(text string) (length int) {
	value, shift, fields := 0, 0, 0
	for length < len(text) {
		c := text[length]
		if c == ',' || c == ';' {
			break
		}
		d := digit(c)
		if d < 0 || shift > 30 || fields == len(s.place) {
			return 0
		}
		length++
		value |= (d & 31) << shift
		if d&32 != 0 {
			shift += 5
			continue
		}
		if value&1 != 0 {
			value = -value
		}
		s.place[fields] += value / 2
		if s.place[fields] < 0 || s.place[fields] > maxPlace {
			return 0
		}
		fields++
		value, shift = 0, 0
	}
	s.fields = fields
	if shift != 0 || fields != 1 && fields != 4 && fields != 5 {
		return 0
	}
	return length
}

// digit is the value of a digit of base64; -1 if c is none.
func digit(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}
