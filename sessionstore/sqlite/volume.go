package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/sessionstore"
)

const (
	selectDays  = "SELECT sum(entries), sum(bytes) FROM stream_days WHERE stream = ? AND day >= ? AND day < ?"
	selectRange = "SELECT count(*), sum(size) FROM records WHERE stream = ? AND at >= ? AND at < ?"
)

// Volume returns how much there is from start on and before end: whole days
// from what is kept of them, the rest from the index. Bytes are those of lines
// and metadata.
func (s *Store) Volume(ctx context.Context, matchers []*labels.Matcher, start, end int64) (v sessionstore.Volume, err error) {
	err = s.snapshot(ctx, func(c *conn) error {
		for _, st := range s.streams.pick(matchers, start, end) {
			if err := ctx.Err(); err != nil {
				return err
			}
			from, to := start, end
			if from <= st.first {
				from = floorDiv(st.first, day) * day
			}
			if to > st.last {
				to = (floorDiv(st.last, day) + 1) * day
			}
			n, err := streamVolume(c, st.ID, from, to)
			if err != nil {
				return err
			}
			if n.entries > 0 {
				v.Streams++
				v.Entries += n.entries
				v.Bytes += n.bytes
			}
		}
		return nil
	})
	if err != nil {
		return v, fmt.Errorf("measure: %w", err)
	}
	return v, nil
}

func streamVolume(c *conn, id, start, end int64) (sum volume, err error) {
	add := func(v []driver.Value) error {
		sum.entries += integer(v[0])
		sum.bytes += integer(v[1])
		return nil
	}
	from, to := -floorDiv(-start, day), floorDiv(end, day) // whole days
	if from >= to {
		return sum, c.query(selectRange, []any{id, start, end}, add)
	}
	if start < from*day {
		if err := c.query(selectRange, []any{id, start, from * day}, add); err != nil {
			return sum, err
		}
	}
	if to*day < end {
		if err := c.query(selectRange, []any{id, to * day, end}, add); err != nil {
			return sum, err
		}
	}
	return sum, c.query(selectDays, []any{id, from, to}, add)
}
