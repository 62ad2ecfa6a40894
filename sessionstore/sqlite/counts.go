package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

const hour = int64(time.Hour)

type streamHour struct{ stream, hour int64 }

const (
	upsertHour        = "INSERT INTO stream_hours (stream, hour, entries, occurrences) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET entries = entries + excluded.entries, occurrences = occurrences + excluded.occurrences"
	subtractHour      = "UPDATE stream_hours SET entries = entries - 1, occurrences = occurrences - ? WHERE stream = ? AND hour = ?"
	emptyHours        = "DELETE FROM stream_hours WHERE stream = ? AND hour < ? AND entries <= 0"
	selectStreamHours = "SELECT hour, entries, occurrences FROM stream_hours WHERE stream = ? AND hour >= ? AND hour < ? ORDER BY hour"
	sumHours          = "SELECT sum(entries), sum(occurrences) FROM stream_hours WHERE stream = ? AND hour >= ? AND hour < ?"
	sumRecords        = "SELECT count(*), sum(number) FROM records WHERE stream = ? AND at > ? AND at <= ?"
	selectAts         = "SELECT at FROM records WHERE stream = ? AND at > ? AND at <= ? ORDER BY at"
	selectNumber      = "SELECT at, number FROM records WHERE stream = ? AND at > ? AND at <= ? ORDER BY at"
)

// hourOf is the hour of stream_hours that has a time.
func hourOf(at int64) int64 { return floorDiv(at-1, hour) }

// hour counts a record in its hour.
func (t *tx) hour(stream int64, r *row) {
	k := streamHour{stream, hourOf(r.r.At)}
	c := t.hours[k]
	if c == nil {
		c = &sessionstore.Count{}
		t.hours[k] = c
	}
	c.Entries++
	if r.r.Exception != nil {
		c.Occurrences += integer(r.meta.number)
	}
}

func (t *tx) saveHours() error {
	for k, v := range t.hours {
		if _, err := t.c.exec(upsertHour, k.stream, k.hour, v.Entries, v.Occurrences); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) subtractHour(stream int64, o old) error {
	_, err := t.c.exec(subtractHour, o.occurrences, stream, hourOf(o.at))
	return err
}

// Counts calls yield for each cell of each stream that matches and has records
// there, in the order of time within a stream, until yield returns false. Cells
// of whole hours come from what is kept of hours, others from the index. yield
// must not read from the store.
func (s *Store) Counts(ctx context.Context, matchers []*labels.Matcher, cells sessionstore.Cells, yield func(st *sessionstore.Stream, cell int, c sessionstore.Count) bool) error {
	end := cells.Start + int64(cells.Width)*int64(cells.Count)
	picked := s.streams.pick(matchers, cells.Start+1, end+1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next atomic.Int64
	var mu sync.Mutex
	enough := false
	work := func() error {
		return s.read(ctx, func(c *conn) error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(picked) || ctx.Err() != nil {
					return ctx.Err()
				}
				found, err := countStream(ctx, c, &picked[i], cells)
				if err != nil {
					return err
				}
				mu.Lock()
				for _, f := range found {
					if enough = enough || !yield(picked[i].Stream, f.cell, f.Count); enough {
						cancel()
						break
					}
				}
				mu.Unlock()
			}
		})
	}
	// One connection is left to others.
	errs := make([]error, min(len(picked), runtime.GOMAXPROCS(0), readers-1))
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = work() })
	}
	wg.Wait()
	if enough {
		return nil
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return nil
}

type cellCount struct {
	cell int
	sessionstore.Count
}

// Each cell costs some queries where there are few or long ones, each record a
// step where there are many short ones.
const (
	fewCells = 8
	longCell = 4 * hour
)

// streamCells gathers the cells of one stream.
type streamCells struct {
	ctx   context.Context
	c     *conn
	id    int64
	cells sessionstore.Cells
	found []cellCount
}

func countStream(ctx context.Context, c *conn, st *stream, cells sessionstore.Cells) ([]cellCount, error) {
	s := &streamCells{ctx: ctx, c: c, id: st.ID, cells: cells}
	exceptions := st.Labels.Get("kind") == string(record.Exception)
	s.cells.Occurrences = cells.Occurrences && exceptions
	width := int64(cells.Width)
	var err error
	switch {
	case width%hour == 0 && cells.Start%hour == 0:
		err = s.hours()
	case cells.Count <= fewCells || width >= longCell:
		err = s.sums(max(0, (st.first-cells.Start-1)/width), min(int64(cells.Count), (st.last-cells.Start-1)/width+1))
	default:
		err = s.steps()
	}
	if !exceptions {
		for i := range s.found {
			s.found[i].Occurrences = 0 // numbers of other kinds are none
		}
	}
	return s.found, err
}

func (s *streamCells) add(cell int64, entries, occurrences int64) {
	if entries == 0 {
		return
	}
	if n := len(s.found); n == 0 || s.found[n-1].cell != int(cell) {
		s.found = append(s.found, cellCount{cell: int(cell)})
	}
	last := &s.found[len(s.found)-1]
	last.Entries += entries
	last.Occurrences += occurrences
}

func (s *streamCells) end() int64 { return s.cells.Start + int64(s.cells.Width)*int64(s.cells.Count) }

// hours reads whole hours alone.
func (s *streamCells) hours() error {
	from, each := s.cells.Start/hour, int64(s.cells.Width)/hour
	return s.c.query(selectStreamHours, []any{s.id, from, s.end() / hour}, func(v []driver.Value) error {
		s.add((integer(v[0])-from)/each, integer(v[1]), integer(v[2]))
		return s.ctx.Err()
	})
}

// sums lets SQLite add up the cells: whole hours, and what is left at both ends.
func (s *streamCells) sums(first, end int64) error {
	for cell := first; cell < end; cell++ {
		add := func(v []driver.Value) error {
			s.add(cell, integer(v[0]), integer(v[1]))
			return s.ctx.Err()
		}
		start := s.cells.Start + cell*int64(s.cells.Width)
		stop := start + int64(s.cells.Width)
		from, to := -floorDiv(-start, hour), floorDiv(stop, hour)
		if from >= to {
			if err := s.c.query(sumRecords, []any{s.id, start, stop}, add); err != nil {
				return err
			}
			continue
		}
		err := errors.Join(
			s.c.query(sumRecords, []any{s.id, start, from * hour}, add),
			s.c.query(sumHours, []any{s.id, from, to}, add),
			s.c.query(sumRecords, []any{s.id, to * hour, stop}, add),
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// steps reads each record's place in the index.
func (s *streamCells) steps() error {
	query := selectAts
	if s.cells.Occurrences {
		query = selectNumber
	}
	rows := 0
	return s.c.query(query, []any{s.id, s.cells.Start, s.end()}, func(v []driver.Value) error {
		var number int64
		if len(v) > 1 {
			number = integer(v[1])
		}
		s.add((integer(v[0])-s.cells.Start-1)/int64(s.cells.Width), 1, number)
		if rows++; rows%1024 == 0 {
			return s.ctx.Err()
		}
		return nil
	})
}
