package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

const (
	selectData = "SELECT data FROM records WHERE seq = ?"
	selectOne  = "SELECT r.data, s.bucket FROM records r JOIN streams s ON s.id = r.stream WHERE r.id = ?"
	selectAny  = "SELECT EXISTS (SELECT 1 FROM records WHERE stream = ? AND at >= ? AND at < ?)"

	firstChunk = 64 // entries that are read at once
	largeChunk = 512
)

// Entries calls yield for each record that sel chooses, in the order of time,
// and of ids among equal times, until yield returns false. No connection is
// held while yield runs; what is stored or deleted meanwhile may be among them
// or not.
func (s *Store) Entries(ctx context.Context, sel sessionstore.Selection, yield func(*sessionstore.Entry) bool) error {
	m, err := newMerge(s.streams.pick(sel.Matchers, sel.Start, sel.End), sel, true)
	if err != nil {
		return fmt.Errorf("read entries after a cursor: %w", err)
	}
	j := &joiner{table: &s.pairs}
	for size := firstChunk; ; size = min(2*size, largeChunk) {
		chunk := make([]*sessionstore.Entry, 0, size)
		more := true
		err := s.read(ctx, func(c *conn) error {
			chunk, more, err = s.chunk(ctx, c, m, j, sel.NoLines, chunk)
			return err
		})
		if err != nil {
			return fmt.Errorf("read entries: %w", err)
		}
		for _, e := range chunk {
			if !yield(e) {
				return nil
			}
		}
		if !more {
			return ctx.Err()
		}
	}
}

// chunk fills chunk; more is false at the end.
func (s *Store) chunk(ctx context.Context, c *conn, m *merge, j *joiner, noLines bool, chunk []*sessionstore.Entry) (_ []*sessionstore.Entry, more bool, err error) {
	for len(chunk) < cap(chunk) {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		st, k, ok, err := m.next(c)
		if err != nil || !ok {
			return chunk, false, err
		}
		e := &sessionstore.Entry{Cursor: sessionstore.Cursor{At: k.at, ID: formatID(k.id)}, Stream: st}
		found, err := s.fill(c, e, &k, j, noLines)
		if err != nil {
			return nil, false, fmt.Errorf("record %s: %w", e.ID, err)
		}
		if found { // else retention was faster
			chunk = append(chunk, e)
		}
	}
	return chunk, true, nil
}

// fill gives an entry its line and metadata; found is false if the record was
// deleted meanwhile.
func (s *Store) fill(c *conn, e *sessionstore.Entry, k *mark, j *joiner, noLines bool) (found bool, err error) {
	metadata, known, err := j.metadata(c, k, e.Stream)
	if err != nil {
		return false, err
	}
	e.Metadata = metadata
	if known && noLines {
		return true, nil
	}
	var decodeErr error
	err = c.query(selectData, []any{k.seq}, func(v []driver.Value) error {
		found = true
		if e.Line, decodeErr = s.codec.line(blob(v[0])); decodeErr != nil || known {
			return nil
		}
		var r *record.Record
		if r, decodeErr = s.codec.record(blob(v[0])); decodeErr == nil {
			e.Metadata = r.Metadata()
		}
		return nil
	})
	return found, errors.Join(err, decodeErr)
}

// Times is Entries for those who need no lines: it reads the index alone. The
// order of equal times is not that of Entries. yield must not read from the
// store.
func (s *Store) Times(ctx context.Context, sel sessionstore.Selection, yield func(st *sessionstore.Stream, at int64) bool) error {
	m, err := newMerge(s.streams.pick(sel.Matchers, sel.Start, sel.End), sel, sel.After != sessionstore.Cursor{})
	if err != nil {
		return fmt.Errorf("read times after a cursor: %w", err)
	}
	err = s.snapshot(ctx, func(c *conn) error {
		for n := 0; ; n++ {
			if n%1024 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			st, k, ok, err := m.next(c)
			if err != nil || !ok || !yield(st, k.at) {
				return err
			}
		}
	})
	if err != nil {
		return fmt.Errorf("read times: %w", err)
	}
	return nil
}

// Streams returns the streams that match and have a record from start on and
// before end, in the order of their ids.
func (s *Store) Streams(ctx context.Context, matchers []*labels.Matcher, start, end int64) (streams []*sessionstore.Stream, err error) {
	picked := s.streams.pick(matchers, start, end)
	err = s.snapshot(ctx, func(c *conn) error {
		for i := range picked {
			st := &picked[i]
			if st.first < start && st.last >= end { // it may have none between
				if has, err := c.number(selectAny, st.ID, start, end); err != nil {
					return err
				} else if has == 0 {
					continue
				}
			}
			streams = append(streams, st.Stream)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read streams: %w", err)
	}
	return streams, nil
}

// Record returns one record with its bucket, or ErrNotFound.
func (s *Store) Record(ctx context.Context, id string) (r *record.Record, bucket string, err error) {
	b, err := parseID(id)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", sessionstore.ErrNotFound, err)
	}
	var data []byte
	err = s.read(ctx, func(c *conn) error {
		ok, err := c.one(selectOne, []any{b[:]}, func(v []driver.Value) { data, bucket = blob(v[0]), text(v[1]) })
		if err == nil && !ok {
			err = sessionstore.ErrNotFound
		}
		return err
	})
	if err == nil {
		r, err = s.codec.record(data)
	}
	if err != nil {
		return nil, "", fmt.Errorf("record %s: %w", id, err)
	}
	return r, bucket, nil
}
