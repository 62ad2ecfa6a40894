package sqlite

import (
	"database/sql/driver"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// other stands for what is beyond the bound of streams.
const other = "(other)"

// stream is a stream with the times of its first and last record: first is
// greater than last where there is none.
type stream struct {
	*sessionstore.Stream
	first, last int64
}

// streamTable knows all streams. Selectors are matched on it, in Go: there are
// few streams, and no regular expression gets into SQL.
type streamTable struct {
	mu    sync.RWMutex
	byKey map[string]*stream
	all   []*stream // in the order of their ids
}

// key is what tells streams apart. No label holds 0xff: it is in no UTF-8.
func streamKey(pairs *[7]record.Pair) string {
	var b strings.Builder
	for _, p := range pairs {
		b.WriteString(p.Value)
		b.WriteByte(0xff)
	}
	return b.String()
}

func newStream(id int64, pairs *[7]record.Pair) *stream {
	b := labels.NewScratchBuilder(len(pairs))
	for _, p := range pairs { // sorted by name
		if p.Value != "" {
			b.Add(p.Name, p.Value)
		}
	}
	return &stream{Stream: &sessionstore.Stream{ID: id, Labels: b.Labels()}, first: math.MaxInt64, last: math.MinInt64}
}

func (t *streamTable) get(key string) (*stream, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	st, ok := t.byKey[key]
	return st, ok
}

func (t *streamTable) count() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.all)
}

func (t *streamTable) replace(byKey map[string]*stream) {
	all := make([]*stream, 0, len(byKey))
	for _, st := range byKey {
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b *stream) int { return int(a.ID - b.ID) })
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byKey, t.all = byKey, all
}

// committed takes in what a transaction added.
func (t *streamTable) committed(added map[string]*stream, spans map[*stream]span) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, st := range added {
		t.byKey[key] = st
		t.all = append(t.all, st)
	}
	for st, sp := range spans {
		st.first, st.last = min(st.first, sp.first), max(st.last, sp.last)
	}
}

// setByID is for after records were deleted.
func (t *streamTable) setByID(id, first, last int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, st := range t.all {
		if st.ID == id {
			st.first, st.last = first, last
		}
	}
}

// remove forgets a stream.
func (t *streamTable) remove(id int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = slices.DeleteFunc(t.all, func(st *stream) bool { return st.ID == id })
	for key, st := range t.byKey {
		if st.ID == id {
			delete(t.byKey, key)
		}
	}
}

// snapshot returns copies of all streams.
func (t *streamTable) snapshot() []stream {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]stream, len(t.all))
	for i, st := range t.all {
		out[i] = *st
	}
	return out
}

// pick returns copies of the streams that match and may have a record from
// start on and before end.
func (t *streamTable) pick(matchers []*labels.Matcher, start, end int64) (out []stream) {
	if start >= end {
		return nil
	}
	for _, st := range t.snapshot() {
		if st.first < end && st.last >= start && st.Matches(matchers) {
			out = append(out, st)
		}
	}
	return out
}

type span struct{ first, last int64 }

const (
	selectStreams = "SELECT id, app, bucket, daemon, host, kind, level, namespace FROM streams"
	selectFirst   = "SELECT at FROM records WHERE stream = ? ORDER BY at LIMIT 1"
	selectLast    = "SELECT at FROM records WHERE stream = ? ORDER BY at DESC LIMIT 1"
)

// readStreams reads all streams; their times come from the index.
func readStreams(c *conn) (map[string]*stream, error) {
	byKey := map[string]*stream{}
	err := c.query(selectStreams, nil, func(v []driver.Value) error {
		pairs := (&record.Record{
			App: text(v[1]), Daemon: text(v[3]), Host: text(v[4]), Kind: record.Kind(text(v[5])), Level: record.Level(text(v[6])), Namespace: text(v[7]),
		}).StreamLabels(text(v[2]))
		st := newStream(integer(v[0]), &pairs)
		byKey[streamKey(&pairs)] = st
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, st := range byKey {
		if st.first, st.last, err = streamSpan(c, st.ID); err != nil {
			return nil, err
		}
	}
	return byKey, nil
}

func streamSpan(c *conn, id int64) (first, last int64, err error) {
	first, last = math.MaxInt64, math.MinInt64
	for query, to := range map[string]*int64{selectFirst: &first, selectLast: &last} {
		err := c.query(query, []any{id}, func(v []driver.Value) error {
			*to = integer(v[0])
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
	}
	return first, last, nil
}
