package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync"
	"time"

	"github.com/pm25/pm25/sessionstore"
)

const (
	keepGroups = 90 * 24 * time.Hour  // after a group was last seen; at least as long as records
	keepHours  = 400 * 24 * time.Hour // counts of groups by hour

	vacuumStep = 2000 // pages of one transaction
)

// sweeps lets one Sweep run at a time.
type sweeps struct {
	sync.Mutex
	records time.Time // when it last looked for old records
}

// recordsEach is how often records are looked at for their age.
const recordsEach = 10 * time.Minute

// Sweep does what time asks for: states that pass, retention by age (every ten
// minutes) and size, and what is remembered too long. It writes in small
// transactions, so that nobody waits for it long. To be called every minute or
// so.
func (s *Store) Sweep(ctx context.Context) error {
	s.sweeps.Lock()
	defer s.sweeps.Unlock()
	now := s.o.Now()
	steps := []func() error{
		func() error { return s.sweepStates(ctx, now) },
		func() error { return s.sweepRest(ctx, now) },
		func() error { return s.sweepOld(ctx, now) },
		func() error { return s.sweepSize(ctx) },
		func() error { return s.vacuum(ctx) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	s.keepRoom()
	return nil
}

func (s *Store) sweepOld(ctx context.Context, now time.Time) error {
	if since := now.Sub(s.sweeps.records); since >= 0 && since < recordsEach {
		return nil
	}
	if err := s.sweepRecords(ctx, now.Add(-s.o.Retention).UnixNano()); err != nil {
		return err
	}
	s.sweeps.records = now
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
