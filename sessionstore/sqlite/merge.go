package sqlite

import (
	"bytes"
	"container/heap"
	"database/sql/driver"
	"slices"

	"github.com/pm25/pm25/sessionstore"
)

// mark is the place of a record in the order of all.
type mark struct {
	at  int64
	id  []byte
	seq int64
	// Metadata, see metadata.go.
	number, who, what int64
	hasNumber         bool
}

func (m mark) compare(o mark) int {
	switch {
	case m.at < o.at:
		return -1
	case m.at > o.at:
		return 1
	}
	return bytes.Compare(m.id, o.id)
}

// merge walks through the records of several streams in the order of time. It
// reads pages of the index of each stream, and looks at a stream only when the
// walk gets to where that has records: the newest hundred of thousands of
// streams are in few of them.
type merge struct {
	backward   bool
	start, end int64
	withID     bool
	from       mark     // not before it, in the order of the walk
	waiting    []stream // not looked at yet, in the order of the walk
	open       []*pages // a heap
}

// pages is the rest of a stream.
type pages struct {
	*merge
	st    *sessionstore.Stream
	marks []mark  // with ids
	times []int64 // without
	size  int
	last  mark
	same  int64 // of what was read, how many have the time of last
	done  bool
}

const (
	firstPage = 32
	largePage = 1024

	forwardKeys  = "SELECT at, id, seq, number, who, what FROM records WHERE stream = ? AND (at, id) > (?, ?) AND at < ? ORDER BY at, id LIMIT ? + 0"
	backwardKeys = "SELECT at, id, seq, number, who, what FROM records WHERE stream = ? AND (at, id) < (?, ?) AND at >= ? ORDER BY at DESC, id DESC LIMIT ? + 0"
	// Without ids, which cost more than the times: a page begins at the last
	// time of the one before, and leaves out as many as were read of it.
	forwardTimes  = "SELECT at FROM records WHERE stream = ? AND at >= ? AND at < ? ORDER BY at LIMIT ? + 0 OFFSET ? + 0"
	backwardTimes = "SELECT at FROM records WHERE stream = ? AND at <= ? AND at >= ? ORDER BY at DESC LIMIT ? + 0 OFFSET ? + 0"
)

func newMerge(streams []stream, sel sessionstore.Selection, withID bool) (*merge, error) {
	m := &merge{backward: sel.Backward, start: sel.Start, end: sel.End, withID: withID, waiting: streams}
	m.from = mark{at: sel.Start, id: []byte{}}
	if sel.Backward {
		m.from.at = sel.End
	}
	if sel.After != (sessionstore.Cursor{}) {
		id, err := parseID(sel.After.ID)
		if err != nil {
			return nil, err
		}
		after := mark{at: sel.After.At, id: id[:]}
		if m.ahead(m.from, after) {
			m.from = after
		}
	}
	slices.SortFunc(m.waiting, func(a, b stream) int {
		if m.backward {
			return compareInt(b.last, a.last)
		}
		return compareInt(a.first, b.first)
	})
	return m, nil
}

func compareInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// ahead is true if a comes before b in the order of the walk.
func (m *merge) ahead(a, b mark) bool {
	if m.backward {
		return a.compare(b) > 0
	}
	return a.compare(b) < 0
}

// next returns the next record; ok is false at the end.
func (m *merge) next(c *conn) (st *sessionstore.Stream, k mark, ok bool, err error) {
	for len(m.waiting) > 0 && m.due(&m.waiting[0]) {
		p := &pages{merge: m, st: m.waiting[0].Stream, size: firstPage, last: m.from}
		if !m.withID {
			p.size = largePage // who counts reads all
		}
		m.waiting = m.waiting[1:]
		if err := p.fill(c); err != nil {
			return nil, k, false, err
		}
		if !p.empty() {
			heap.Push(m, p)
		}
	}
	if len(m.open) == 0 {
		return nil, k, false, nil
	}
	p := m.open[0]
	k = p.take()
	if p.empty() && !p.done {
		if err := p.fill(c); err != nil {
			return nil, k, false, err
		}
	}
	if p.empty() {
		heap.Pop(m)
	} else {
		heap.Fix(m, 0)
	}
	return p.st, k, true, nil
}

// due is true if the stream may have a record that is next.
func (m *merge) due(st *stream) bool {
	if len(m.open) == 0 {
		return true
	}
	if m.backward {
		return st.last >= m.open[0].at()
	}
	return st.first <= m.open[0].at()
}

func (p *pages) empty() bool { return len(p.marks) == 0 && len(p.times) == 0 }

// at is the time of the next record.
func (p *pages) at() int64 {
	if p.withID {
		return p.marks[0].at
	}
	return p.times[0]
}

func (p *pages) take() (k mark) {
	if p.withID {
		k, p.marks = p.marks[0], p.marks[1:]
		return k
	}
	k.at, p.times = p.times[0], p.times[1:]
	return k
}

func (p *pages) fill(c *conn) error {
	query, edge := forwardKeys, p.end
	args := []any{p.st.ID, p.last.at, p.last.id, edge, int64(p.size)}
	switch {
	case p.withID && p.backward:
		query, args[3] = backwardKeys, p.start
	case p.backward:
		query, args = backwardTimes, []any{p.st.ID, min(p.last.at, p.end-1), p.start, int64(p.size), p.same}
	case !p.withID:
		query, args = forwardTimes, []any{p.st.ID, p.last.at, p.end, int64(p.size), p.same}
	}
	n := 0
	err := c.query(query, args, func(v []driver.Value) error {
		n++
		k := mark{at: integer(v[0])}
		if p.withID {
			k.id, k.seq, k.who, k.what = blob(v[1]), integer(v[2]), integer(v[4]), integer(v[5])
			k.number, k.hasNumber = v[3].(int64)
			p.marks, p.last = append(p.marks, k), k
			return nil
		}
		if k.at != p.last.at {
			p.same = 0
		}
		p.same++
		p.times, p.last = append(p.times, k.at), k
		return nil
	})
	p.done = n < p.size
	p.size = min(p.size*4, largePage)
	return err
}

// merge is a heap of what is open.

func (m *merge) Len() int { return len(m.open) }

func (m *merge) Less(i, j int) bool {
	a, b := m.open[i], m.open[j]
	if m.withID {
		return m.ahead(a.marks[0], b.marks[0])
	}
	if a, b := a.times[0], b.times[0]; a != b {
		return (a < b) != m.backward
	}
	return a.st.ID < b.st.ID
}
func (m *merge) Swap(i, j int) { m.open[i], m.open[j] = m.open[j], m.open[i] }
func (m *merge) Push(x any)    { m.open = append(m.open, x.(*pages)) }
func (m *merge) Pop() any {
	last := m.open[len(m.open)-1]
	m.open = m.open[:len(m.open)-1]
	return last
}
