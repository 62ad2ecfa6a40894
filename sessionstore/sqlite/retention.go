package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// What retention leaves of each group, whatever the age of its records, for as
// long as the group lives.
const (
	keepFirst  = 5
	keepNewest = 20
)

const (
	sweepPage  = 250 // records of one transaction
	sizeRounds = 20  // of one sweep
)

// old is a record that retention may delete.
type old struct {
	seq, at, size, grp, occurrences int64
	id                              []byte
}

const (
	selectOld  = "SELECT seq, at, id, size, grp, number FROM records WHERE stream = ? AND (at, id) > (?, ?) AND at < ? ORDER BY at, id LIMIT ? + 0"
	selectKept = "SELECT seq FROM (SELECT seq FROM records WHERE grp = ?1 ORDER BY at, seq LIMIT ?2 + 0) UNION " +
		"SELECT seq FROM (SELECT seq FROM records WHERE grp = ?1 ORDER BY at DESC, seq DESC LIMIT ?3 + 0)"
	deleteRecord = "DELETE FROM records WHERE seq = ?"
	insertGone   = "INSERT INTO gone (id, until) VALUES (?, ?) ON CONFLICT DO NOTHING"
	subtractDay  = "UPDATE stream_days SET entries = entries - ?, bytes = bytes - ? WHERE stream = ? AND day = ?"
	emptyDays    = "DELETE FROM stream_days WHERE stream = ? AND day <= ? AND entries <= 0"
)

// sweepRecords deletes records before cutoff, all but the samples of groups.
func (s *Store) sweepRecords(ctx context.Context, cutoff int64) error {
	kept := map[int64]map[int64]struct{}{} // by group
	for _, st := range s.streams.snapshot() {
		if st.first >= cutoff {
			continue
		}
		if err := s.sweepStream(ctx, st.Stream, cutoff, kept); err != nil {
			return err
		}
	}
	if err := s.sweepMetadata(ctx, floorDiv(cutoff, day)); err != nil {
		return err
	}
	return s.sweepStreams(ctx)
}

// sweepStreams deletes streams without records: hosts come and go.
func (s *Store) sweepStreams(ctx context.Context) error {
	for _, st := range s.streams.snapshot() {
		if st.first <= st.last {
			continue
		}
		err := s.do(ctx, func(t *tx) error {
			n, err := t.c.exec("DELETE FROM streams WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM records WHERE stream = ?1)", st.ID)
			if n > 0 {
				t.after = func() { t.s.streams.remove(st.ID) }
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) sweepStream(ctx context.Context, st *sessionstore.Stream, cutoff int64, kept map[int64]map[int64]struct{}) error {
	exceptions := st.Labels.Get("kind") == string(record.Exception)
	from := old{at: -1 << 63, id: []byte{}}
	for {
		var page, deletes []old
		err := s.read(ctx, func(c *conn) error {
			err := c.query(selectOld, []any{st.ID, from.at, from.id, cutoff, int64(sweepPage)}, func(v []driver.Value) error {
				o := old{seq: integer(v[0]), at: integer(v[1]), id: blob(v[2]), size: integer(v[3]), grp: integer(v[4])}
				if exceptions {
					o.occurrences = integer(v[5])
				}
				page = append(page, o)
				return nil
			})
			for _, o := range page {
				keep := false
				if err == nil && o.grp != 0 {
					keep, err = isKept(c, o, kept)
				}
				if !keep {
					deletes = append(deletes, o)
				}
			}
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		from = page[len(page)-1]
		if len(deletes) == 0 {
			continue
		}
		if err := s.do(ctx, func(t *tx) error { return t.remove(st.ID, deletes) }); err != nil {
			return err
		}
	}
}

// isKept is true for a sample that stays. Newer ones that come meanwhile only
// make it keep too much, until the next sweep.
func isKept(c *conn, o old, kept map[int64]map[int64]struct{}) (bool, error) {
	of, ok := kept[o.grp]
	if !ok {
		of = map[int64]struct{}{}
		err := c.query(selectKept, []any{o.grp, int64(keepFirst), int64(keepNewest)}, func(v []driver.Value) error {
			of[integer(v[0])] = struct{}{}
			return nil
		})
		if err != nil {
			return false, err
		}
		kept[o.grp] = of
	}
	_, keep := of[o.seq]
	return keep, nil
}

// remove deletes records of one stream.
func (t *tx) remove(stream int64, records []old) error {
	days := map[int64]*volume{}
	var last int64
	for _, o := range records {
		n, err := t.c.exec(deleteRecord, o.seq)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		last = max(last, floorDiv(o.at, day))
		if days[floorDiv(o.at, day)] == nil {
			days[floorDiv(o.at, day)] = &volume{}
		}
		days[floorDiv(o.at, day)].entries++
		days[floorDiv(o.at, day)].bytes += o.size
		if err := t.subtractHour(stream, o); err != nil {
			return err
		}
		// An agent may send it again for as long as its time is accepted.
		if until := time.Unix(0, o.at).Add(record.KeepIDs); t.now.Before(until) {
			if _, err := t.c.exec(insertGone, o.id, until.Unix()); err != nil {
				return err
			}
			t.s.state.gone = true
		}
	}
	for d, v := range days {
		if _, err := t.c.exec(subtractDay, v.entries, v.bytes, stream, d); err != nil {
			return err
		}
	}
	if _, err := t.c.exec(emptyDays, stream, last); err != nil {
		return err
	}
	if _, err := t.c.exec(emptyHours, stream, (last+1)*24); err != nil {
		return err
	}
	first, end, err := streamSpan(t.c, stream)
	t.after = func() {
		t.s.streams.setByID(stream, first, end)
		t.s.dropped.Add(uint64(len(records)))
	}
	return err
}

const selectDaySizes = "SELECT day, sum(entries) FROM stream_days GROUP BY day ORDER BY day"

type daySize struct{ day, entries int64 }

// sweepSize deletes the oldest records until the file is within its bound. What
// it can not delete, because it is a sample, makes it try with more. Where that
// would be half of all, there are too many samples: the groups that were not seen
// for longest end, so that theirs are records like others.
func (s *Store) sweepSize(ctx context.Context) error {
	if s.o.MaxBytes == 0 {
		return nil
	}
	var before int64
	more := int64(1)
	for range sizeRounds {
		used, entries, days, err := s.measure(ctx)
		if err != nil || used <= s.o.MaxBytes || entries == 0 {
			return err
		}
		if entries == before {
			more *= 2
		} else {
			more = 1
		}
		before = entries
		// A little more than what is over, so that not every sweep has to.
		need := more * (int64(float64(entries)*float64(used-s.o.MaxBytes)/float64(used)) + entries/100 + 1)
		if err := s.sweepRecords(ctx, cutoffOf(days, need)); err != nil {
			return err
		}
		if need < entries/2 {
			continue
		}
		if ended, err := s.endOldest(ctx, float64(used-s.o.MaxBytes)/float64(used)); err != nil || !ended && need >= entries {
			return err
		}
		before = 0 // there is more to delete now
	}
	return nil
}

const (
	selectOldest = "SELECT id FROM groups ORDER BY last_seen LIMIT ? + 0"
	endAtOnce    = 200 // groups of one transaction
)

// endOldest ends a share of the groups and a little more; false if there are none.
func (s *Store) endOldest(ctx context.Context, share float64) (ended bool, err error) {
	var all int64
	err = s.read(ctx, func(c *conn) (err error) {
		all, err = c.number("SELECT count(*) FROM groups")
		return err
	})
	some := min(all, int64(float64(all)*(share+.02))+1)
	for left := some; err == nil && left > 0; left -= endAtOnce {
		err = s.do(ctx, func(t *tx) error {
			groups, err := t.ids(selectOldest, min(left, endAtOnce))
			if err != nil {
				return err
			}
			return t.endGroups(groups)
		})
	}
	if err == nil && all > 0 {
		s.log.Warn("The samples of exception groups take most of what the store may: the groups that were not seen for longest have ended", "groups", some)
	}
	return all > 0, err
}

// measure returns the bytes in use, and what there is on each day.
func (s *Store) measure(ctx context.Context) (used, entries int64, days []daySize, err error) {
	err = s.snapshot(ctx, func(c *conn) (err error) {
		if used, err = usedBytes(c); err != nil {
			return err
		}
		return c.query(selectDaySizes, nil, func(v []driver.Value) error {
			days = append(days, daySize{integer(v[0]), integer(v[1])})
			entries += integer(v[1])
			return nil
		})
	})
	return used, entries, days, err
}

// cutoffOf returns the time before which about so many records are, as if those
// of a day were spread evenly.
func cutoffOf(days []daySize, need int64) (cutoff int64) {
	for _, d := range days {
		if need <= 0 {
			break
		}
		cutoff = (d.day + 1) * day
		if need < d.entries {
			cutoff = d.day*day + int64(float64(day)*float64(need)/float64(d.entries))
		}
		need -= d.entries
	}
	return cutoff
}

// usedBytes is the size of the file without its free pages.
func usedBytes(c *conn) (int64, error) {
	var n [3]int64
	var errs error
	for i, pragma := range []string{"PRAGMA page_count", "PRAGMA freelist_count", "PRAGMA page_size"} {
		var err error
		n[i], err = c.number(pragma)
		errs = errors.Join(errs, err)
	}
	return (n[0] - n[1]) * n[2], errs
}
