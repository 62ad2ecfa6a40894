package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
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
	keepGroups = 90 * 24 * time.Hour  // after a group was last seen; at least as long as records
	keepHours  = 400 * 24 * time.Hour // counts of groups by hour

	sweepPage  = 250  // records of one transaction
	vacuumStep = 2000 // pages of one transaction
	sizeRounds = 20   // of one sweep
)

// Sweep does what time asks for: states that pass, retention by age and size,
// and what is remembered too long. It writes in small transactions, so that
// nobody waits for it long. To be called every minute or so.
func (s *Store) Sweep(ctx context.Context) error {
	now := s.o.Now()
	steps := []func() error{
		func() error { return s.sweepStates(ctx, now) },
		func() error { return s.sweepRecords(ctx, now.Add(-s.o.Retention).UnixNano()) },
		func() error { return s.sweepSize(ctx) },
		func() error { return s.sweepRest(ctx, now) },
		func() error { return s.vacuum(ctx) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return nil
}

const selectPassing = "SELECT gid FROM groups WHERE state = ? AND created <= ? OR state = ? AND muted_until > 0 AND muted_until <= ? LIMIT 500"

// sweepStates lets states pass whose time is over.
func (s *Store) sweepStates(ctx context.Context, now time.Time) error {
	for more := true; more; {
		var gids []string
		err := s.read(ctx, func(c *conn) error {
			return c.query(selectPassing, []any{string(sessionstore.StateNew), now.Add(-sessionstore.NewFor).UnixNano(), string(sessionstore.StateMuted), now.UnixNano()},
				func(v []driver.Value) error {
					gids = append(gids, text(v[0]))
					return nil
				})
		})
		if err != nil || len(gids) == 0 {
			return err
		}
		more = false
		err = s.do(ctx, func(t *tx) error {
			for _, gid := range gids {
				g, err := t.group(selectByGID, gid)
				if err != nil {
					return err
				}
				if g == nil {
					continue
				}
				status, changed := g.status.Passed(t.now)
				if !changed {
					continue
				}
				more = true
				if err := t.become(g, status, true, ""); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// old is a record that retention may delete.
type old struct {
	seq, at, size, grp int64
	id                 []byte
}

const (
	selectOld  = "SELECT seq, at, id, size, grp FROM records WHERE stream = ? AND (at, id) > (?, ?) AND at < ? ORDER BY at, id LIMIT ?"
	selectKept = "SELECT seq FROM (SELECT seq FROM records WHERE grp = ?1 ORDER BY at, seq LIMIT ?2) UNION " +
		"SELECT seq FROM (SELECT seq FROM records WHERE grp = ?1 ORDER BY at DESC, seq DESC LIMIT ?3)"
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
		if err := s.sweepStream(ctx, st.ID, cutoff, kept); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) sweepStream(ctx context.Context, stream, cutoff int64, kept map[int64]map[int64]struct{}) error {
	from := old{at: -1 << 63, id: []byte{}}
	for {
		var page, deletes []old
		err := s.read(ctx, func(c *conn) error {
			err := c.query(selectOld, []any{stream, from.at, from.id, cutoff, int64(sweepPage)}, func(v []driver.Value) error {
				page = append(page, old{seq: integer(v[0]), at: integer(v[1]), id: blob(v[2]), size: integer(v[3]), grp: integer(v[4])})
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
		if err := s.do(ctx, func(t *tx) error { return t.remove(stream, deletes) }); err != nil {
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
	first, end, err := streamSpan(t.c, stream)
	t.after = func() {
		t.s.streams.setByID(stream, first, end)
		t.s.dropped.Add(uint64(len(records)))
	}
	return err
}

const selectDaySizes = "SELECT day, sum(entries) FROM stream_days GROUP BY day ORDER BY day"

// sweepSize deletes the oldest records until the file is within its bound.
func (s *Store) sweepSize(ctx context.Context) error {
	if s.o.MaxBytes == 0 {
		return nil
	}
	var before int64
	for range sizeRounds {
		var used, entries int64
		type daySize struct{ day, entries int64 }
		var days []daySize
		err := s.snapshot(ctx, func(c *conn) (err error) {
			if used, err = usedBytes(c); err != nil {
				return err
			}
			return c.query(selectDaySizes, nil, func(v []driver.Value) error {
				days = append(days, daySize{integer(v[0]), integer(v[1])})
				entries += integer(v[1])
				return nil
			})
		})
		if err != nil || used <= s.o.MaxBytes || entries == 0 || entries == before {
			return err
		}
		before = entries
		// A little more than what is over, so that not every sweep has to.
		need := int64(float64(entries)*float64(used-s.o.MaxBytes)/float64(used)) + entries/100 + 1
		cutoff := int64(0)
		for _, d := range days {
			if need <= 0 {
				break
			}
			cutoff = (d.day + 1) * day
			if need < d.entries { // as if the day's were spread evenly
				cutoff = d.day*day + int64(float64(day)*float64(need)/float64(d.entries))
			}
			need -= d.entries
		}
		if err := s.sweepRecords(ctx, cutoff); err != nil {
			return err
		}
	}
	return nil
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

// rest are statements that each delete a bounded number of rows.
var rest = []struct {
	query string
	arg   func(now time.Time, retention time.Duration) int64
}{
	{"DELETE FROM gone WHERE id IN (SELECT id FROM gone WHERE until < ? LIMIT 1000)", func(now time.Time, _ time.Duration) int64 { return now.Unix() }},
	{"DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE seen < ? LIMIT 500)", func(now time.Time, r time.Duration) int64 { return now.Add(-r).UnixNano() }},
	{"DELETE FROM hosts WHERE last < ?", func(now time.Time, r time.Duration) int64 { return now.Add(-r).UnixNano() }},
}

// sweepRest deletes what is older than it is of use.
func (s *Store) sweepRest(ctx context.Context, now time.Time) error {
	for _, r := range rest {
		for n := int64(1); n > 0; {
			err := s.do(ctx, func(t *tx) (err error) {
				n, err = t.c.exec(r.query, r.arg(now, s.o.Retention))
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	if err := s.sweepGroups(ctx, now); err != nil {
		return err
	}
	return s.do(ctx, func(t *tx) error {
		gone, err := t.c.number("SELECT EXISTS (SELECT 1 FROM gone)")
		t.s.state.gone = gone != 0
		clear(t.s.state.runs) // some were deleted
		return err
	})
}

const (
	selectOldHours  = "SELECT grp, sum(count) FROM group_hours WHERE grp IN (SELECT DISTINCT grp FROM group_hours WHERE hour < ?1 LIMIT 100) AND hour < ?1 GROUP BY grp"
	deleteOldHours  = "DELETE FROM group_hours WHERE grp = ? AND hour < ?"
	addOlder        = "UPDATE groups SET older = older + ? WHERE id = ?"
	selectOldGroups = "SELECT id FROM groups WHERE last_seen < ? AND created < ?1 ORDER BY last_seen LIMIT 50"
)

// sweepGroups ends groups that nobody has seen for long, and counts by hour
// that are older still.
func (s *Store) sweepGroups(ctx context.Context, now time.Time) error {
	hour := floorDiv(now.Add(-keepHours).Unix(), 3600)
	last := now.Add(-max(keepGroups, s.o.Retention)).UnixNano()
	for more := true; more; {
		err := s.do(ctx, func(t *tx) error {
			more = false
			sums := map[int64]int64{}
			err := t.c.query(selectOldHours, []any{hour}, func(v []driver.Value) error {
				sums[integer(v[0])] = integer(v[1])
				return nil
			})
			for grp, n := range sums {
				more = true
				if _, e := t.c.exec(deleteOldHours, grp, hour); e != nil {
					return e
				}
				if _, e := t.c.exec(addOlder, n, grp); e != nil {
					return e
				}
			}
			if err != nil {
				return err
			}
			groups, err := t.ids(selectOldGroups, last)
			if err != nil || len(groups) == 0 {
				return err
			}
			more = true
			return t.endGroups(groups)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) ids(query string, args ...any) (ids []int64, err error) {
	err = t.c.query(query, args, func(v []driver.Value) error {
		ids = append(ids, integer(v[0]))
		return nil
	})
	return ids, err
}

// endGroups deletes groups; the samples that they kept are records like others
// from then on.
func (t *tx) endGroups(groups []int64) error {
	for _, grp := range groups {
		for _, query := range []string{
			"UPDATE records SET grp = NULL WHERE grp = ?", "DELETE FROM group_hours WHERE grp = ?", "DELETE FROM group_hosts WHERE grp = ?", "DELETE FROM groups WHERE id = ?",
		} {
			if _, err := t.c.exec(query, grp); err != nil {
				return err
			}
		}
	}
	t.s.forget()
	return nil
}

// vacuum gives free pages back to the file system where there are many.
func (s *Store) vacuum(ctx context.Context) error {
	for {
		var pages, free int64
		err := s.read(ctx, func(c *conn) (err error) {
			if pages, err = c.number("PRAGMA page_count"); err == nil {
				free, err = c.number("PRAGMA freelist_count")
			}
			return err
		})
		if err != nil || free <= vacuumStep || free < pages/8 {
			return err
		}
		err = s.do(ctx, func(t *tx) error {
			_, err := t.c.exec(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", vacuumStep))
			return err
		})
		if err != nil {
			return err
		}
	}
}

// Dropped is how many records retention has deleted since the store was opened.
func (s *Store) Dropped() uint64 { return s.dropped.Load() }
