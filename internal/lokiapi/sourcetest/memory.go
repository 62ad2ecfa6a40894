// Package sourcetest has a source of entries in memory, for tests of what reads
// entries. It keeps all, answers in order, and is not fast.
package sourcetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// Memory is a source. It is safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	streams map[string]*sessionstore.Stream
	entries []*sessionstore.Entry // by time and id
	told    map[chan struct{}]bool
}

// New returns an empty source.
func New() *Memory {
	return &Memory{streams: map[string]*sessionstore.Stream{}, told: map[chan struct{}]bool{}}
}

// Add keeps a line; its id is the number of lines so far.
func (m *Memory) Add(stream labels.Labels, at int64, line string, metadata ...record.Pair) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := stream.String()
	s := m.streams[key]
	if s == nil {
		s = &sessionstore.Stream{ID: int64(len(m.streams)) + 1, Labels: stream}
		m.streams[key] = s
	}
	e := &sessionstore.Entry{Cursor: sessionstore.Cursor{At: at, ID: fmt.Sprintf("%08d", len(m.entries))}, Stream: s, Line: line, Metadata: metadata}
	place, _ := slices.BinarySearchFunc(m.entries, e, compare)
	m.entries = slices.Insert(m.entries, place, e)
	for c := range m.told {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func compare(a, b *sessionstore.Entry) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
}

func matches(matchers []*labels.Matcher, ls labels.Labels) bool {
	return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(ls.Get(m.Name)) })
}

func (m *Memory) selected(sel sessionstore.Selection) []*sessionstore.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*sessionstore.Entry
	after := &sessionstore.Entry{Cursor: sel.After}
	for _, e := range m.entries {
		passed := sel.After == sessionstore.Cursor{} || !sel.Backward && compare(e, after) > 0 || sel.Backward && compare(e, after) < 0
		if e.At >= sel.Start && e.At < sel.End && passed && matches(sel.Matchers, e.Stream.Labels) {
			out = append(out, e)
		}
	}
	if sel.Backward {
		slices.Reverse(out)
	}
	return out
}

// Entries yields what is selected, in its order.
func (m *Memory) Entries(ctx context.Context, sel sessionstore.Selection, yield func(*sessionstore.Entry) bool) error {
	for _, e := range m.selected(sel) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if sel.NoLines {
			bare := *e
			bare.Line = ""
			e = &bare
		}
		if !yield(e) {
			break
		}
	}
	return nil
}

// Times yields the same as Entries, without lines.
func (m *Memory) Times(ctx context.Context, sel sessionstore.Selection, yield func(st *sessionstore.Stream, at int64) bool) error {
	return m.Entries(ctx, sel, func(e *sessionstore.Entry) bool { return yield(e.Stream, e.At) })
}

// Streams returns those that have entries from start on and before end.
func (m *Memory) Streams(ctx context.Context, matchers []*labels.Matcher, start, end int64) ([]*sessionstore.Stream, error) {
	seen := map[*sessionstore.Stream]bool{}
	var out []*sessionstore.Stream
	err := m.Entries(ctx, sessionstore.Selection{Matchers: matchers, Start: start, End: end}, func(e *sessionstore.Entry) bool {
		if !seen[e.Stream] {
			seen[e.Stream] = true
			out = append(out, e.Stream)
		}
		return true
	})
	return out, err
}

// Volume counts entries and the bytes of their lines and metadata.
func (m *Memory) Volume(ctx context.Context, matchers []*labels.Matcher, start, end int64) (sessionstore.Volume, error) {
	streams, err := m.Streams(ctx, matchers, start, end)
	v := sessionstore.Volume{Streams: int64(len(streams))}
	for _, e := range m.selected(sessionstore.Selection{Matchers: matchers, Start: start, End: end}) {
		v.Entries++
		v.Bytes += int64(len(e.Line))
		for _, p := range e.Metadata {
			v.Bytes += int64(len(p.Name) + len(p.Value))
		}
	}
	return v, err
}

// Subscribe tells of entries that were added.
func (m *Memory) Subscribe() (committed <-chan struct{}, cancel func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := make(chan struct{}, 1)
	m.told[c] = true
	return c, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.told, c)
	}
}

// Flood adds n lines, a microsecond apart, and tells of them once.
func (m *Memory) Flood(stream labels.Labels, at int64, n int) {
	other := New()
	for i := range n {
		other.Add(stream, at+int64(i)*1000, fmt.Sprint("line ", i))
	}
	m.mu.Lock()
	for _, e := range other.entries {
		e.ID = fmt.Sprintf("%08d", len(m.entries))
		m.entries = append(m.entries, e)
	}
	slices.SortFunc(m.entries, compare)
	m.mu.Unlock()
	m.Add(stream, at+int64(n)*1000, "the last line")
}
