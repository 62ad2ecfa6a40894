package sourcemap

import (
	"slices"
	"strings"
)

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
	column, source, line, toColumn, name int
	mapped, named                        bool
}

// find reads the mappings once, as far as the last place of sorted.
func (p *part) find(sorted []*lookup) {
	rest := p.mappings
	var at segment
	for line, next := 0, 0; next < len(sorted); line++ {
		text, after, more := strings.Cut(rest, ";")
		here := next
		for next < len(sorted) && sorted[next].line-p.line == line {
			next++
		}
		ok := p.findInLine(text, &at, sorted[here:next], p.column*btoi(line == 0))
		if !ok || !more {
			return
		}
		rest = after
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// findInLine reads one line of mappings; wanted are the places in it, sorted by
// column. It is false where the mappings are broken.
func (p *part) findInLine(text string, at *segment, wanted []*lookup, offset int) bool {
	at.column = 0
	last := segment{}
	have := false
	take := func(limit int) { // for places before the column limit
		for len(wanted) > 0 && (limit < 0 || wanted[0].column-offset < limit) {
			if have && last.mapped {
				p.fill(wanted[0], last)
			}
			wanted = wanted[1:]
		}
	}
	for text != "" {
		var one string
		one, text, _ = strings.Cut(text, ",")
		if one == "" {
			continue
		}
		if !at.read(one) {
			return false
		}
		take(at.column)
		last, have = *at, true
	}
	take(-1)
	return true
}

func (p *part) fill(w *lookup, s segment) {
	if s.source >= len(p.sources) || p.sources[s.source] == "" {
		return
	}
	w.found, w.part, w.source, w.toLine, w.toColumn = true, p, s.source, s.line, s.toColumn
	if s.named && s.name < len(p.names) {
		w.name = p.names[s.name]
	}
}

// maxPlace is more than any line, column or index that is one.
const maxPlace = 1 << 30

// read adds the differences of one segment; false if they are none.
func (s *segment) read(text string) bool {
	var d [5]int
	n := 0
	for text != "" {
		if n == len(d) {
			return false
		}
		v, used := vlq(text)
		if used == 0 {
			return false
		}
		d[n] = v
		n++
		text = text[used:]
	}
	if n != 1 && n < 4 {
		return false
	}
	s.column += d[0]
	s.source += d[1]
	s.line += d[2]
	s.toColumn += d[3]
	s.name += d[4]
	s.mapped, s.named = n >= 4, n == 5
	for _, v := range []int{s.column, s.source, s.line, s.toColumn, s.name} {
		if v < 0 || v > maxPlace {
			return false
		}
	}
	return true
}

// vlq reads a number of base64 digits, lowest first, each with 5 bits and one
// that says that more follow; the lowest bit of all is the sign.
func vlq(text string) (value, used int) {
	shift := 0
	for used < len(text) {
		d := digit(text[used])
		used++
		if d < 0 || shift > 30 {
			return 0, 0
		}
		value |= (d & 31) << shift
		if d&32 == 0 {
			if value&1 != 0 {
				return -(value >> 1), used
			}
			return value >> 1, used
		}
		shift += 5
	}
	return 0, 0
}

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
