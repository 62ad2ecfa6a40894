package logql

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/pm25/pm25/sessionstore"
)

// labelOccurrences is how many exceptions a record stands for. Sources count it.
const labelOccurrences = "occurrences"

// sumsOccurrences is true for how many exceptions there were, by stream labels.
func (c *collector) sumsOccurrences() bool {
	u := c.e.Unwrap
	return (c.e.Op == opSum || c.e.Op == opRate) && u != nil && u.Label == labelOccurrences && u.Convert == "" && len(u.After) == 0 && c.byStreams()
}

func (c *collector) countsSuffice() bool {
	return c.e.Op != opAbsent && c.timesSuffice() || c.sumsOccurrences()
}

// collectCounts asks the source to count. Cells are as wide as the borders of
// windows allow, so that all entries of a cell are in the same windows.
func (c *collector) collectCounts(source Counter, sel sessionstore.Selection) error {
	if err := c.q.checkRange(sel.Start, sel.End); err != nil {
		return err
	}
	width := int64(c.e.Range)
	if c.q.steps.count > 1 {
		width = gcd(width, c.q.steps.step)
	}
	occurrences := c.sumsOccurrences()
	cells := sessionstore.Cells{Start: sel.Start - 1, Width: time.Duration(width), Count: int((sel.End - sel.Start) / width), Occurrences: occurrences}
	sums := map[*collected]map[int]int64{}
	known := map[*sessionstore.Stream]*collected{}
	var l line
	err := source.Counts(c.q.ctx, sel.Matchers, cells, func(st *sessionstore.Stream, cell int, n sessionstore.Count) bool {
		if !c.q.readMany(n.Entries, 0) {
			return false
		}
		value := n.Entries
		if occurrences {
			value = n.Occurrences
		}
		if value == 0 {
			return true
		}
		s := known[st]
		if s == nil {
			l.reset(0, "", streamLabels(st.Labels), nil)
			s = c.find(&l)
			known[st] = s
			if sums[s] == nil {
				sums[s] = map[int]int64{}
			}
		}
		sums[s][cell] += value
		return true
	})
	if err = errors.Join(c.q.failed, err); err != nil {
		return err
	}
	return c.addCells(cells, sums)
}

// addCells turns cells into runs, each series' in order of time.
func (c *collector) addCells(cells sessionstore.Cells, sums map[*collected]map[int]int64) error {
	for s, byCell := range sums {
		for _, cell := range slices.Sorted(maps.Keys(byCell)) {
			end := cells.Start + int64(cell+1)*int64(cells.Width)
			first, last := c.q.steps.windows(end, c.e.Range, c.e.Offset)
			if first <= last && !c.add(s, first, last, byCell[cell], float64(byCell[cell])) {
				return c.q.failed
			}
		}
	}
	return nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
