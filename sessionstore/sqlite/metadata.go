package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// Metadata of a record is kept as a number, for those values that are different
// in almost every record, and two rows of the table metadata: who, which all
// records of a process share, and what, which all records of one bug or route
// share. All three are in the index over streams, so that counts by metadata
// read nothing else. Where a row is gone, metadata comes from the record itself.

// meta is a record's metadata in parts; who and what are pairs in one text.
type meta struct {
	number    any // int64 or nil
	who, what string
}

// pairEnd is behind each name and value. It is in no UTF-8.
const pairEnd = "\xff"

func split(pairs []record.Pair) (m meta) {
	var who, what strings.Builder
	for _, p := range pairs {
		to := &what
		switch p.Name {
		case "node_version", "pm_id", "revision", "source", "version":
			to = &who
		case nameOccurrences, nameSeconds:
			if n, ok := parseNumber(p); ok {
				m.number = n
				continue
			}
		}
		to.WriteString(p.Name)
		to.WriteString(pairEnd)
		to.WriteString(p.Value)
		to.WriteString(pairEnd)
	}
	m.who, m.what = who.String(), what.String()
	return m
}

// A record has one of these, as its kind is.
const (
	nameOccurrences = "occurrences"
	nameSeconds     = "seconds"
)

// parseNumber returns the value as a whole number, of thousandths where it is
// seconds; ok is false if the text would not be the same again.
func parseNumber(p record.Pair) (n int64, ok bool) {
	n, err := strconv.ParseInt(strings.Replace(p.Value, ".", "", 1), 10, 64)
	return n, err == nil && n >= 0 && formatNumber(p.Name, n) == p.Value
}

func formatNumber(name string, n int64) string {
	if name == nameOccurrences {
		return strconv.FormatInt(n, 10)
	}
	var b [24]byte
	out := strconv.AppendInt(b[:0], n/1000, 10)
	n %= 1000
	return string(append(out, '.', byte('0'+n/100), byte('0'+n/10%10), byte('0'+n%10)))
}

// numberName is what a record's number is called.
func numberName(kind string) string {
	if kind == string(record.Exception) {
		return nameOccurrences
	}
	return nameSeconds
}

// known is a row of metadata in the writer's memory.
type known struct{ id, used int64 }

const (
	selectMetadata = "SELECT id, used FROM metadata WHERE pairs = ?"
	insertMetadata = "INSERT INTO metadata (pairs, used) VALUES (?, ?)"
	useMetadata    = "UPDATE metadata SET used = ? WHERE id = ?"
	deleteMetadata = "DELETE FROM metadata WHERE id IN (SELECT id FROM metadata WHERE used < ? LIMIT 500)"
	selectPairs    = "SELECT pairs FROM metadata WHERE id = ?"
)

// metadata finds or makes the row of pairs, and notes the day of its last use.
func (t *tx) metadata(pairs string, at int64) (id int64, err error) {
	today := max(floorDiv(at, day), floorDiv(t.now.UnixNano(), day))
	k, ok := t.s.state.metadata[pairs]
	if ok && k.used >= today {
		return k.id, nil
	}
	if !ok {
		ok, err = t.c.one(selectMetadata, []any{[]byte(pairs)}, func(v []driver.Value) { k = known{integer(v[0]), integer(v[1])} })
		if err != nil {
			return 0, err
		}
	}
	switch {
	case !ok:
		if _, err = t.c.exec(insertMetadata, []byte(pairs), today); err == nil {
			k.id, err = t.c.number(selectLastRowInto)
		}
	case k.used < today:
		_, err = t.c.exec(useMetadata, today, k.id)
	}
	if err != nil {
		return 0, err
	}
	k.used = max(k.used, today)
	if len(t.s.state.metadata) >= maxMetadata {
		clear(t.s.state.metadata)
	}
	t.s.state.metadata[pairs] = k
	return k.id, nil
}

// sweepMetadata deletes rows that no record of a day or a later one has used.
// Samples of groups that are older take theirs from the record.
func (s *Store) sweepMetadata(ctx context.Context, before int64) error {
	for n := int64(1); n > 0; {
		err := s.do(ctx, func(t *tx) (err error) {
			if n, err = t.c.exec(deleteMetadata, before); n > 0 {
				clear(t.s.state.metadata)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pairTable remembers rows of metadata for readers.
type pairTable struct {
	mu   sync.RWMutex
	byID map[int64][]record.Pair
}

// get returns the pairs of a row; ok is false if it is gone.
func (t *pairTable) get(c *conn, id int64) (pairs []record.Pair, ok bool, err error) {
	t.mu.RLock()
	pairs, ok = t.byID[id]
	t.mu.RUnlock()
	if ok {
		return pairs, true, nil
	}
	ok, err = c.one(selectPairs, []any{id}, func(v []driver.Value) { pairs = parsePairs(string(blob(v[0]))) })
	if !ok || err != nil {
		return nil, false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil || len(t.byID) >= maxMetadata {
		t.byID = map[int64][]record.Pair{}
	}
	t.byID[id] = pairs
	return pairs, true, nil
}

func parsePairs(all string) (pairs []record.Pair) {
	for all != "" {
		var p record.Pair
		p.Name, all, _ = strings.Cut(all, pairEnd)
		p.Value, all, _ = strings.Cut(all, pairEnd)
		pairs = append(pairs, p)
	}
	return pairs
}

// joiner puts the metadata of entries together again. It is for one reader.
type joiner struct {
	table *pairTable
	joins map[joinKey]join
}

type joinKey struct {
	stream    int64
	who, what int64
	number    bool
}

// join is all pairs but for the number, which has its place and no value.
type join struct {
	pairs []record.Pair
	place int // -1: there is no number
}

const maxJoins = 10_000

// metadata returns the pairs of k, sorted by name; ok is false if they have to
// be taken from the record.
func (j *joiner) metadata(c *conn, k *mark, st *sessionstore.Stream) (pairs []record.Pair, ok bool, err error) {
	key := joinKey{st.ID, k.who, k.what, k.hasNumber}
	known, ok := j.joins[key]
	if !ok {
		who, ok, err := j.table.get(c, k.who)
		if !ok || err != nil {
			return nil, false, err
		}
		what, ok, err := j.table.get(c, k.what)
		if !ok || err != nil {
			return nil, false, err
		}
		known = newJoin(who, what, k.hasNumber, st.Labels.Get("kind"))
		if j.joins == nil || len(j.joins) >= maxJoins {
			j.joins = map[joinKey]join{}
		}
		j.joins[key] = known
	}
	if known.place < 0 {
		return known.pairs, true, nil
	}
	pairs = slices.Clone(known.pairs)
	pairs[known.place].Value = formatNumber(pairs[known.place].Name, k.number)
	return pairs, true, nil
}

func newJoin(who, what []record.Pair, number bool, kind string) join {
	n := join{pairs: slices.Concat(who, what), place: -1}
	var name string
	if number {
		name = numberName(kind)
		n.pairs = append(n.pairs, record.Pair{Name: name})
	}
	slices.SortFunc(n.pairs, func(a, b record.Pair) int { return strings.Compare(a.Name, b.Name) })
	if number {
		n.place = slices.IndexFunc(n.pairs, func(p record.Pair) bool { return p.Name == name })
	}
	return n
}
