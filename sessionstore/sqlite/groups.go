package sqlite

import (
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

type groupKey struct {
	bucket, namespace, app string
	algo                   int
	fingerprint            string
}

// group is a row of groups in the writer's memory.
type group struct {
	row int64
	sessionstore.Group
	status  sessionstore.Status
	newest  sessionstore.Release // that it was seen in
	hosts   map[string]struct{}
	hours   map[hourKey]uint64 // not yet written
	newHost []string           // not yet written
}

type hourKey struct {
	hour    int64
	version string
}

const (
	groupColumns = "id, gid, bucket, namespace, app, algo, fingerprint, coarse, title, culprit, level, handled, first_seen, last_seen, count, " +
		"first_version, version, revision, version_first, state, created, changed, changed_by, resolved_version, resolved_revision, resolved_first, " +
		"resolved_next, resolved_named, muted_until, muted_count, owner, note"
	selectGroup = "SELECT " + groupColumns + " FROM groups WHERE bucket = ? AND namespace = ? AND app = ? AND algo = ? AND fingerprint = ?"
	selectByGID = "SELECT " + groupColumns + " FROM groups WHERE gid = ?"
	insertGroup = "INSERT INTO groups (gid, bucket, namespace, app, algo, fingerprint, coarse, title, culprit, level, handled, first_seen, last_seen, count, " +
		"first_version, version, revision, version_first, state, created, changed, changed_by) " +
		"VALUES (?, ?, ?, ?, ?, ?, ?, '', '', '', 0, ?, 0, 0, '', '', '', 0, ?, ?10, ?10, '')"
	updateGroup = "UPDATE groups SET coarse = ?, title = ?, culprit = ?, level = ?, handled = ?, first_seen = ?, last_seen = ?, count = ?, first_version = ?, version = ?, " +
		"revision = ?, version_first = ?, state = ?, changed = ?, changed_by = ?, resolved_version = ?, resolved_revision = ?, resolved_first = ?, resolved_next = ?, " +
		"resolved_named = ?, muted_until = ?, muted_count = ?, owner = ?, note = ? WHERE id = ?"
	upsertGroupHour   = "INSERT INTO group_hours (grp, hour, version, count) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count"
	insertGroupHost   = "INSERT INTO group_hosts (grp, host) VALUES (?, ?) ON CONFLICT DO NOTHING"
	selectGroupHosts  = "SELECT host FROM group_hosts WHERE grp = ? ORDER BY host"
	selectGIDTaken    = "SELECT EXISTS (SELECT 1 FROM groups WHERE gid = ?)"
	selectLastRowInto = "SELECT last_insert_rowid()"
)

func scanGroup(v []driver.Value) *group {
	g := &group{row: integer(v[0])}
	n := 0
	next := func() driver.Value { n++; return v[n] }
	g.ID, g.Bucket, g.Namespace, g.App = text(next()), text(next()), text(next()), text(next())
	g.Algo, g.Fingerprint, g.Coarse, g.Title, g.Culprit = int(integer(next())), text(next()), text(next()), text(next()), text(next())
	g.Level, g.Handled = text(next()), integer(next()) != 0
	g.FirstSeen, g.LastSeen, g.Count = fromNano(integer(next())), fromNano(integer(next())), uint64(integer(next()))
	g.FirstVersion = text(next())
	g.newest = sessionstore.Release{Version: text(next()), Revision: text(next()), First: fromNano(integer(next()))}
	s := &g.status
	s.State, s.Created, s.Changed, s.ChangedBy = sessionstore.State(text(next())), fromNano(integer(next())), fromNano(integer(next())), text(next())
	s.Resolved = sessionstore.Release{Version: text(next()), Revision: text(next()), First: fromNano(integer(next()))}
	s.Next, s.InVersion = integer(next()) != 0, integer(next()) != 0
	s.MutedUntil, s.MutedCount = fromNano(integer(next())), uint64(integer(next()))
	g.Owner, g.Note = text(next()), text(next())
	g.publish()
	return g
}

// publish brings what others see in line with the status.
func (g *group) publish() {
	s := g.status
	g.State, g.Changed, g.ChangedBy, g.ResolvedNext = s.State, s.Changed, s.ChangedBy, s.Next
	g.ResolvedIn = ""
	if s.InVersion {
		g.ResolvedIn = s.Resolved.Version
	}
	g.MutedUntil, g.MutedCount, g.Version = s.MutedUntil, s.MutedCount, g.newest.Name()
}

func (g *group) key() groupKey {
	return groupKey{g.Bucket, g.Namespace, g.App, g.Algo, g.Fingerprint}
}

// groupOf finds or makes the group of an exception; nil if there is none
// because the record was stored before.
func (t *tx) groupOf(bucket string, r *row) (*group, error) {
	e := r.r.Exception
	k := groupKey{bucket, r.r.Namespace, r.r.App, e.Algo, e.Fingerprint}
	g, err := t.group(selectGroup, k.bucket, k.namespace, k.app, int64(k.algo), k.fingerprint)
	if g != nil || err != nil {
		return g, err
	}
	if known, err := t.c.number(selectKnown, r.id[:]); err != nil || known != 0 {
		return nil, err
	}
	return t.newGroup(k, e.Coarse, r.r)
}

// group reads a group, from memory where it is there.
func (t *tx) group(query string, args ...any) (*group, error) {
	if query == selectGroup {
		k := groupKey{text(args[0]), text(args[1]), text(args[2]), int(integer(args[3])), text(args[4])}
		if g, ok := t.s.state.groups[k]; ok {
			return g, nil
		}
	}
	var g *group
	if ok, err := t.c.one(query, args, func(v []driver.Value) { g = scanGroup(v) }); !ok || err != nil {
		return nil, err
	}
	if known, ok := t.s.state.groups[g.key()]; ok {
		return known, nil
	}
	g.hosts = map[string]struct{}{}
	err := t.c.query(selectGroupHosts, []any{g.row}, func(v []driver.Value) error {
		g.hosts[text(v[0])] = struct{}{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.keep(g)
	return g, nil
}

// keep remembers a group, and makes room first where there are too many.
func (t *tx) keep(g *group) {
	if len(t.s.state.groups) >= maxGroups {
		for k, known := range t.s.state.groups {
			if _, changed := t.groups[known]; !changed {
				delete(t.s.state.groups, k)
			}
		}
	}
	t.s.state.groups[g.key()] = g
}

func (t *tx) newGroup(k groupKey, coarse string, r *record.Record) (*group, error) {
	gid, err := t.newGID(k)
	if err != nil {
		return nil, err
	}
	now := t.now.UnixNano()
	if _, err := t.c.exec(insertGroup, gid, k.bucket, k.namespace, k.app, int64(k.algo), k.fingerprint, coarse, r.At, string(sessionstore.StateNew), now); err != nil {
		return nil, err
	}
	id, err := t.c.number(selectLastRowInto)
	if err != nil {
		return nil, err
	}
	g := &group{row: id, hosts: map[string]struct{}{}}
	g.ID, g.Bucket, g.Namespace, g.App, g.Algo, g.Fingerprint, g.Coarse = gid, k.bucket, k.namespace, k.app, k.algo, k.fingerprint, coarse
	g.FirstSeen = r.Time()
	g.status = sessionstore.Status{State: sessionstore.StateNew, Created: t.now, Changed: t.now}
	t.keep(g)
	return g, nil
}

// newGID makes an id of what identifies the group, so that it is the same in a
// store that is built anew. Should two ever meet, the later one gets another.
func (t *tx) newGID(k groupKey) (string, error) {
	for n := 0; ; n++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %d %q %d", k.bucket, k.namespace, k.app, k.algo, k.fingerprint, n))
		gid := hex.EncodeToString(sum[:8])
		taken, err := t.c.number(selectGIDTaken, gid)
		if err != nil || taken == 0 {
			return gid, err
		}
	}
}

// occurrences bounds what one record counts for: sums have to stay integers.
func occurrences(r *record.Record) uint64 { return min(r.Count(), 1<<40) }

// occurred counts an exception in its group.
func (t *tx) occurred(g *group, r *record.Record, release sessionstore.Release) error {
	first := g.Count == 0
	at, n := r.Time(), occurrences(r)
	g.Count += n
	if at.Before(g.FirstSeen) || first {
		g.FirstSeen = at
		g.FirstVersion = release.Name()
	}
	if !at.Before(g.LastSeen) || first {
		g.LastSeen = at
		e := r.Exception
		g.Coarse, g.Title, g.Culprit, g.Level, g.Handled = e.Coarse, e.Title, e.Culprit, string(r.Level), e.Handled
	}
	if g.newest.IsZero() || release.Newer(g.newest) {
		g.newest = release
	}
	if _, ok := g.hosts[r.Host]; !ok && len(g.hosts) < maxHosts {
		g.hosts[r.Host] = struct{}{}
		g.newHost = append(g.newHost, r.Host)
	}
	if g.hours == nil {
		g.hours = map[hourKey]uint64{}
	}
	g.hours[hourKey{floorDiv(r.At, int64(time.Hour)), counted(release)}] += n
	t.groups[g] = struct{}{}
	g.publish()
	if first {
		return t.stateChanged(g, "", "")
	}
	a, err := t.app(appKey{g.Bucket, g.Namespace, g.App})
	if err != nil {
		return err
	}
	sighting := sessionstore.Sighting{Release: release, Count: n}
	if r.Started > 0 {
		sighting.Started = time.UnixMilli(r.Started)
	}
	status, changed := g.status.Seen(t.now, sighting, a.named(g.status))
	return t.become(g, status, changed, "")
}

// counted is the version that a group is counted by. Those of an app that has too
// many to remember are counted together.
func counted(release sessionstore.Release) string {
	if !release.IsZero() && release.First.IsZero() {
		return other
	}
	return release.Name()
}

// become gives a group another status, and writes a record if its state changed.
func (t *tx) become(g *group, status sessionstore.Status, changed bool, note string) error {
	from := g.status.State
	g.status = status
	t.groups[g] = struct{}{}
	g.publish()
	if !changed {
		return nil
	}
	return t.stateChanged(g, from, note)
}

// stateChanged writes the record of a change.
func (t *tx) stateChanged(g *group, from sessionstore.State, note string) error {
	level := record.LevelInfo
	if g.status.State == sessionstore.StateRegressed {
		level = record.LevelWarn
	}
	r := &record.Record{
		V: record.Version, ID: record.NewID(t.now), At: t.now.UnixNano(), Kind: record.GroupState,
		Host: sessionstore.NoHost, Daemon: sessionstore.NoHost, Namespace: g.Namespace, App: g.App, PMID: -1, Version: g.newest.Version, Revision: g.newest.Revision,
		Level: level, Source: record.FromServer, Occurrences: 1,
		Group: &record.GroupInfo{Fingerprint: g.Fingerprint, Title: g.Title, From: string(from), To: string(g.status.State), By: g.status.ChangedBy, Note: note},
	}
	row, err := t.s.newRow(g.Bucket, r)
	if err != nil {
		return err
	}
	_, err = t.add(g.Bucket, &row)
	return err
}

// saveGroup writes what changed of a group.
func (t *tx) saveGroup(g *group) error {
	s := g.status
	_, err := t.c.exec(updateGroup, g.Coarse, g.Title, g.Culprit, g.Level, flag(g.Handled), toNano(g.FirstSeen), toNano(g.LastSeen), int64(g.Count), g.FirstVersion,
		g.newest.Version, g.newest.Revision, toNano(g.newest.First), string(s.State), toNano(s.Changed), s.ChangedBy, s.Resolved.Version, s.Resolved.Revision, toNano(s.Resolved.First),
		flag(s.Next), flag(s.InVersion), toNano(s.MutedUntil), int64(s.MutedCount), g.Owner, g.Note, g.row)
	if err != nil {
		return err
	}
	for k, n := range g.hours {
		if _, err := t.c.exec(upsertGroupHour, g.row, k.hour, k.version, int64(n)); err != nil {
			return err
		}
	}
	for _, host := range g.newHost {
		if _, err := t.c.exec(insertGroupHost, g.row, host); err != nil {
			return err
		}
	}
	g.hours, g.newHost = nil, nil
	return nil
}
