package rules

import (
	"fmt"
	"maps"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
)

// condition is what labels have to match, all of them.
type condition = map[string]Globs

// cells are parts of all series that have none in common: each is what its
// matchers select.
type cells [][]*labels.Matcher

// maxCells bounds how often one expression may be written.
const maxCells = 64

// split divides them into what a condition matches and the rest. A selector can
// only hold matchers that all have to match, so what does not match several
// labels is as many cells: those where the first does not match, where it does and
// the second does not, and so on.
func (c cells) split(cond condition) (in, rest cells, err error) {
	names := slices.Sorted(maps.Keys(cond))
	for _, cell := range c {
		have := slices.Clip(cell)
		for _, name := range names {
			rest = append(rest, append(slices.Clone(have), cond[name].matcher(name, false)))
			have = append(slices.Clone(have), cond[name].matcher(name, true))
		}
		in = append(in, have)
	}
	if len(in)+len(rest) > maxCells {
		return nil, nil, fmt.Errorf("so many matches of several labels would write its expression more than %d times: match by app alone", maxCells)
	}
	return in, rest, nil
}
