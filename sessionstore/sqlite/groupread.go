package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// Groups returns groups, the last seen first.
func (s *Store) Groups(ctx context.Context, q sessionstore.GroupQuery) (groups []sessionstore.Group, err error) {
	var w where
	w.equal("bucket", q.Bucket)
	w.equal("namespace", q.Namespace)
	w.equal("app", q.App)
	if len(q.States) > 0 {
		if len(q.States) > len(sessionstore.States()) {
			return nil, fmt.Errorf("%d states, there are %d", len(q.States), len(sessionstore.States()))
		}
		args := make([]any, len(q.States))
		for i, state := range q.States {
			args[i] = string(state)
		}
		w.add("state IN (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
	}
	if q.Text != "" { // not LIKE: what is asked for is no pattern
		w.add("(instr(lower(title), lower(?)) > 0 OR instr(lower(culprit), lower(?)) > 0)", q.Text, q.Text)
	}
	if !q.Since.IsZero() {
		w.add("last_seen >= ?", q.Since.UnixNano())
	}
	if q.Before != nil {
		w.add("(last_seen, gid) < (?, ?)", q.Before.LastSeen.UnixNano(), q.Before.ID)
	}
	query := "SELECT " + groupColumns + " FROM groups" + w.String() + " ORDER BY last_seen DESC, gid DESC LIMIT ? + 0"
	err = s.snapshot(ctx, func(c *conn) error {
		groups, err = readGroups(c, query, append(w.args, int64(limited(q.Limit)))...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read exception groups: %w", err)
	}
	return groups, nil
}

func readGroups(c *conn, query string, args ...any) (groups []sessionstore.Group, err error) {
	var rows []int64
	err = c.query(query, args, func(v []driver.Value) error {
		g := scanGroup(v)
		groups, rows = append(groups, g.Group), append(rows, g.row)
		return nil
	})
	for i := range groups {
		if err != nil {
			return nil, err
		}
		err = c.query(selectGroupHosts, []any{rows[i]}, func(v []driver.Value) error {
			groups[i].Hosts = append(groups[i].Hosts, text(v[0]))
			return nil
		})
	}
	return groups, err
}

// Group returns one group, or ErrNotFound.
func (s *Store) Group(ctx context.Context, id string) (g sessionstore.Group, err error) {
	err = s.snapshot(ctx, func(c *conn) error {
		groups, err := readGroups(c, selectByGID, id)
		if err == nil && len(groups) == 0 {
			err = sessionstore.ErrNotFound
		}
		if err == nil {
			g = groups[0]
		}
		return err
	})
	if err != nil {
		return g, fmt.Errorf("exception group %.40q: %w", id, err)
	}
	return g, nil
}

const (
	selectGroupRow  = "SELECT id FROM groups WHERE gid = ?"
	selectHours     = "SELECT hour, version, count FROM group_hours WHERE grp = ? AND hour >= ? ORDER BY hour, version"
	selectSamples   = "SELECT seq, data FROM records WHERE grp = ? ORDER BY at DESC, seq DESC LIMIT ? + 0"
	selectFirstOne  = "SELECT seq, data FROM records WHERE grp = ? ORDER BY at, seq LIMIT 1"
	selectStates    = "SELECT state, count(*) FROM groups GROUP BY state"
	maxGroupSamples = 1000
)

// ofGroup runs do with the row of a group.
func (s *Store) ofGroup(ctx context.Context, id string, do func(c *conn, row int64) error) error {
	err := s.snapshot(ctx, func(c *conn) error {
		row, err := c.number(selectGroupRow, id)
		if err == nil && row == 0 {
			err = sessionstore.ErrNotFound
		}
		if err != nil {
			return err
		}
		return do(c, row)
	})
	if err != nil {
		return fmt.Errorf("exception group %.40q: %w", id, err)
	}
	return nil
}

// GroupHours returns the counts of a group by hour and version, from the hour
// of since on, in the order of time.
func (s *Store) GroupHours(ctx context.Context, id string, since time.Time) (hours []sessionstore.HourCount, err error) {
	from := int64(-1 << 62)
	if !since.IsZero() {
		from = floorDiv(since.Unix(), 3600)
	}
	err = s.ofGroup(ctx, id, func(c *conn, row int64) error {
		return c.query(selectHours, []any{row, from}, func(v []driver.Value) error {
			hours = append(hours, sessionstore.HourCount{Hour: time.Unix(integer(v[0])*3600, 0).UTC(), Version: text(v[1]), Count: uint64(integer(v[2]))})
			return nil
		})
	})
	return hours, err
}

// GroupSamples returns records of a group, newest first; the first one that is
// kept is always the last of them.
func (s *Store) GroupSamples(ctx context.Context, id string, limit int) (samples []*record.Record, err error) {
	if limit <= 0 || limit > maxGroupSamples {
		limit = maxGroupSamples
	}
	err = s.ofGroup(ctx, id, func(c *conn, row int64) error {
		var last int64
		take := func(v []driver.Value) error {
			if integer(v[0]) == last {
				return nil // the first is among the newest
			}
			last = integer(v[0])
			r, err := s.codec.record(blob(v[1]))
			samples = append(samples, r)
			return err
		}
		if err := c.query(selectSamples, []any{row, int64(limit)}, take); err != nil {
			return err
		}
		if len(samples) == limit && limit > 1 {
			samples = samples[:limit-1]
			last = 0
		}
		if len(samples) < limit-1 {
			return nil // they are all there are
		}
		return c.query(selectFirstOne, []any{row}, take)
	})
	return samples, err
}

// GroupStates returns how many groups there are in each state.
func (s *Store) GroupStates(ctx context.Context) (map[sessionstore.State]int, error) {
	states := map[sessionstore.State]int{}
	for _, state := range sessionstore.States() {
		states[state] = 0
	}
	err := s.read(ctx, func(c *conn) error {
		return c.query(selectStates, nil, func(v []driver.Value) error {
			states[sessionstore.State(text(v[0]))] = int(integer(v[1]))
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("count exception groups: %w", err)
	}
	return states, nil
}

// ChangeGroup does to a group what somebody wants of it, and writes a record of
// it. It returns the group as it is then.
func (s *Store) ChangeGroup(ctx context.Context, id string, c sessionstore.Change) (sessionstore.Group, error) {
	err := s.do(ctx, func(t *tx) error {
		g, err := t.group(selectByGID, id)
		if err == nil && g == nil {
			err = sessionstore.ErrNotFound
		}
		if err != nil {
			return err
		}
		a, err := t.app(appKey{g.Bucket, g.Namespace, g.App})
		if err != nil {
			return err
		}
		newest := g.newest
		if app := sessionstore.Newest(a.releases); newest.IsZero() || app.Newer(newest) {
			newest = app
		}
		status, err := g.status.Asked(t.now, c, newest)
		if err != nil {
			return err
		}
		var note string
		if c.Owner != nil {
			g.Owner = *c.Owner
		}
		if c.Note != nil {
			g.Note, note = *c.Note, *c.Note
		}
		return t.become(g, status, c.To != "" || c.Note != nil || c.Owner != nil, note)
	})
	if err != nil {
		return sessionstore.Group{}, fmt.Errorf("change exception group %.40q: %w", id, err)
	}
	return s.Group(ctx, id)
}
