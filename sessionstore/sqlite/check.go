package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/pm25/pm25/sessionstore"
)

// invariant is something that holds in every store.
type invariant struct {
	what   string
	count  string   // how many rows break it
	repair []string // what makes it hold
}

const countedDays = "SELECT stream, CASE WHEN at >= 0 THEN at / 86400000000000 ELSE -((86399999999999 - at) / 86400000000000) END AS day, count(*) AS entries, sum(size) AS bytes FROM records GROUP BY 1, 2"

const countedHours = "SELECT stream, CASE WHEN at >= 1 THEN (at - 1) / 3600000000000 ELSE -((3600000000000 - at) / 3600000000000) END AS hour, count(*) AS entries, " +
	"ifnull(sum(number) FILTER (WHERE stream IN (SELECT id FROM streams WHERE kind = 'exception')), 0) AS occurrences FROM records GROUP BY 1, 2"

var invariants = []invariant{
	{
		what:  "records of no stream",
		count: "SELECT count(*) FROM records WHERE stream NOT IN (SELECT id FROM streams)",
		// Their bucket is not known: it is in the stream alone.
		repair: []string{"DELETE FROM records WHERE stream NOT IN (SELECT id FROM streams)"},
	},
	{
		what:   "records of an exception group that there is not",
		count:  "SELECT count(*) FROM records WHERE grp IS NOT NULL AND grp NOT IN (SELECT id FROM groups)",
		repair: []string{"UPDATE records SET grp = NULL WHERE grp IS NOT NULL AND grp NOT IN (SELECT id FROM groups)"},
	},
	{
		what:   "hours of an exception group that there is not",
		count:  "SELECT count(*) FROM group_hours WHERE grp NOT IN (SELECT id FROM groups)",
		repair: []string{"DELETE FROM group_hours WHERE grp NOT IN (SELECT id FROM groups)"},
	},
	{
		what:   "hosts of an exception group that there is not",
		count:  "SELECT count(*) FROM group_hosts WHERE grp NOT IN (SELECT id FROM groups)",
		repair: []string{"DELETE FROM group_hosts WHERE grp NOT IN (SELECT id FROM groups)"},
	},
	{
		what:   "exception groups whose count is not that of their hours",
		count:  "SELECT count(*) FROM groups WHERE count <> older + (SELECT ifnull(sum(count), 0) FROM group_hours WHERE grp = groups.id)",
		repair: []string{"UPDATE groups SET count = older + (SELECT ifnull(sum(count), 0) FROM group_hours WHERE grp = groups.id)"},
	},
	{
		what: "days of a stream whose counts are not those of its records",
		count: "SELECT count(*) FROM (SELECT stream, day, entries, bytes FROM stream_days EXCEPT " + countedDays + ") AS a " +
			"UNION ALL SELECT count(*) FROM (" + countedDays + " EXCEPT SELECT stream, day, entries, bytes FROM stream_days) AS b",
		repair: []string{"DELETE FROM stream_days", "INSERT INTO stream_days (stream, day, entries, bytes) " + countedDays},
	},
	{
		what: "hours of a stream whose counts are not those of its records",
		count: "SELECT count(*) FROM (SELECT stream, hour, entries, occurrences FROM stream_hours EXCEPT " + countedHours + ") AS a " +
			"UNION ALL SELECT count(*) FROM (" + countedHours + " EXCEPT SELECT stream, hour, entries, occurrences FROM stream_hours) AS b",
		repair: []string{"DELETE FROM stream_hours", "INSERT INTO stream_hours (stream, hour, entries, occurrences) " + countedHours},
	},
	{
		what:   "tokens of no bucket",
		count:  "SELECT count(*) FROM tokens WHERE bucket NOT IN (SELECT name FROM buckets)",
		repair: []string{"DELETE FROM tokens WHERE bucket NOT IN (SELECT name FROM buckets)"},
	},
}

// Check reads the whole file and says what is not as it should be; with repair
// it puts right what can be computed from the rest, and rebuilds indexes. That
// takes its time, and writers wait while something is repaired.
func (s *Store) Check(ctx context.Context, repair bool) (r sessionstore.Report, err error) {
	err = s.snapshot(ctx, func(c *conn) error { return check(ctx, c, &r) })
	if err != nil {
		return r, fmt.Errorf("check: %w", err)
	}
	if !repair || r.Sound() {
		return r, nil
	}
	err = s.do(ctx, func(t *tx) error {
		if _, err := t.c.exec("REINDEX"); err != nil {
			return err
		}
		for _, i := range invariants {
			for _, query := range i.repair {
				if _, err := t.c.exec(query); err != nil {
					return err
				}
			}
		}
		t.after = func() {
			if err := t.s.reload(); err != nil {
				t.s.log.Warn("Could not read the store anew after it was repaired", "err", err)
			}
		}
		return nil
	})
	if err != nil {
		return r, fmt.Errorf("repair: %w", err)
	}
	var left sessionstore.Report
	if err := s.snapshot(ctx, func(c *conn) error { return check(ctx, c, &left) }); err != nil {
		return r, fmt.Errorf("check what was repaired: %w", err)
	}
	still := map[string]bool{}
	for _, p := range left.Problems {
		still[p.What] = true
	}
	for i := range r.Problems {
		r.Problems[i].Repaired = !still[r.Problems[i].What]
	}
	r.Records, r.Streams, r.Groups = left.Records, left.Streams, left.Groups
	return r, nil
}

const maxProblems = 50

func check(ctx context.Context, c *conn, r *sessionstore.Report) error {
	err := c.query("PRAGMA integrity_check(50)", nil, func(v []driver.Value) error {
		if what := text(v[0]); what != "ok" && len(r.Problems) < maxProblems {
			r.Problems = append(r.Problems, sessionstore.Problem{What: what, Count: 1})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for table, to := range map[string]*int64{"records": &r.Records, "streams": &r.Streams, "groups": &r.Groups} {
		if *to, err = c.number("SELECT count(*) FROM " + table); err != nil {
			return err
		}
	}
	for _, i := range invariants {
		if err := ctx.Err(); err != nil {
			return err
		}
		var n int64
		err := c.query(i.count, nil, func(v []driver.Value) error { n += integer(v[0]); return nil })
		if err != nil {
			return fmt.Errorf("count %s: %w", i.what, err)
		}
		if n > 0 {
			r.Problems = append(r.Problems, sessionstore.Problem{What: i.what, Count: n})
		}
	}
	return nil
}
