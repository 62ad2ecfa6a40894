package sqlite

import (
	"database/sql/driver"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// tx is the writer's transaction. What many records change together, such as
// the count of a group, is gathered and written once, by flush.
type tx struct {
	s   *Store
	c   *conn
	now time.Time
	seq int64

	newStreams map[string]*stream
	spans      map[*stream]span
	days       map[dayKey]*volume
	hours      map[streamHour]*sessionstore.Count
	groups     map[*group]struct{} // changed
	runs       map[runKey]*runChange
	runOrder   []runKey
	added      bool
	after      func() // once it is committed
}

type dayKey struct{ stream, day int64 }

type volume struct{ entries, bytes int64 }

const day = int64(24 * time.Hour)

func (s *Store) newTx() *tx {
	return &tx{
		s: s, c: s.w, now: s.o.Now(), seq: s.state.seq,
		newStreams: map[string]*stream{}, spans: map[*stream]span{}, days: map[dayKey]*volume{}, hours: map[streamHour]*sessionstore.Count{},
		groups: map[*group]struct{}{}, runs: map[runKey]*runChange{},
	}
}

const (
	insertRecord = "INSERT INTO records (seq, id, stream, at, size, grp, number, who, what, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
	insertStream = "INSERT INTO streams (app, bucket, daemon, host, kind, level, namespace) VALUES (?, ?, ?, ?, ?, ?, ?)"
	selectGone   = "SELECT EXISTS (SELECT 1 FROM gone WHERE id = ?)"
	selectKnown  = "SELECT EXISTS (SELECT 1 FROM records WHERE id = ?)"
	upsertDay    = "INSERT INTO stream_days (stream, day, entries, bytes) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET entries = entries + excluded.entries, bytes = bytes + excluded.bytes"
	updateHost   = "UPDATE hosts SET agent_version = ?3, advertise = ?4, scheme = ?5, last = max(last, ?6) WHERE bucket = ?1 AND name = ?2"
	insertHost   = "INSERT INTO hosts (bucket, name, agent_version, advertise, scheme, first, last) VALUES (?, ?, ?, ?, ?, ?6, ?6)"
	countHosts   = "SELECT count(*) FROM hosts WHERE bucket = ?"
)

// add stores a record with all that follows from it; false if it was there.
func (t *tx) add(bucket string, r *row) (bool, error) {
	id := r.id[:]
	if t.s.state.gone {
		if gone, err := t.c.number(selectGone, id); err != nil || gone != 0 {
			return false, err
		}
	}
	var g *group
	if r.r.Exception != nil {
		var err error
		if g, err = t.groupOf(bucket, r); g == nil || err != nil {
			return false, err
		}
	}
	st, err := t.stream(r)
	if err != nil {
		return false, err
	}
	var grp any
	if g != nil {
		grp = g.row
	}
	who, err := t.metadata(r.meta.who, r.r.At)
	if err != nil {
		return false, err
	}
	what, err := t.metadata(r.meta.what, r.r.At)
	if err != nil {
		return false, err
	}
	n, err := t.c.exec(insertRecord, t.seq+1, id, st.ID, r.r.At, int64(r.size), grp, r.meta.number, who, what, r.data)
	if err != nil || n == 0 {
		return false, err
	}
	t.seq++
	t.added = true
	t.stored(st, r)
	if r.r.Kind == record.GroupState {
		return true, nil
	}
	release, err := t.release(bucket, r.r)
	if err != nil {
		return false, err
	}
	t.run(bucket, r.r)
	if g != nil {
		return true, t.occurred(g, r.r, release)
	}
	return true, nil
}

// stored counts what was added to a stream.
func (t *tx) stored(st *stream, r *row) {
	sp, ok := t.spans[st]
	if !ok {
		sp = span{first: r.r.At, last: r.r.At}
	}
	t.spans[st] = span{first: min(sp.first, r.r.At), last: max(sp.last, r.r.At)}
	k := dayKey{st.ID, floorDiv(r.r.At, day)}
	v := t.days[k]
	if v == nil {
		v = &volume{}
		t.days[k] = v
	}
	v.entries++
	v.bytes += int64(r.size)
	t.hour(st.ID, r)
}

// stream finds or makes the stream of a record.
func (t *tx) stream(r *row) (*stream, error) {
	key, pairs := r.key, r.pairs
	st, ok := t.s.streams.get(key)
	if !ok {
		st, ok = t.newStreams[key]
	}
	if !ok && t.s.streams.count()+len(t.newStreams) >= maxStreams && pairs[0].Value != other {
		for i, name := range pairs {
			switch name.Name {
			case "app", "daemon", "host", "pm2_namespace":
				pairs[i].Value = other
			}
		}
		return t.stream(&row{r: r.r, key: streamKey(&pairs), pairs: pairs})
	}
	if ok {
		return st, nil
	}
	_, err := t.c.exec(insertStream, pairs[0].Value, pairs[1].Value, pairs[2].Value, pairs[3].Value, pairs[4].Value, pairs[5].Value, pairs[6].Value)
	if err != nil {
		return nil, err
	}
	id, err := t.c.number("SELECT last_insert_rowid()")
	if err != nil {
		return nil, err
	}
	st = newStream(id, &pairs)
	t.newStreams[key] = st
	return st, nil
}

// host notes that an agent is there. Of one bucket it notes so many and no more:
// a token is no leave to fill memory with names, nor to have a million of them
// scraped.
func (t *tx) host(bucket string, from record.Agent) error {
	if from.Host == "" {
		return nil
	}
	args := []any{bucket, from.Host, from.Version, from.Advertise, from.Scheme, t.now.UnixNano()}
	if n, err := t.c.exec(updateHost, args...); err != nil || n > 0 {
		return err
	}
	if n, err := t.c.number(countHosts, bucket); err != nil || n >= maxAgents {
		return err
	}
	_, err := t.c.exec(insertHost, args...)
	return err
}

// flush writes what was gathered.
func (t *tx) flush() error {
	for g := range t.groups {
		if err := t.saveGroup(g); err != nil {
			return err
		}
	}
	for k, v := range t.days {
		if _, err := t.c.exec(upsertDay, k.stream, k.day, v.entries, v.bytes); err != nil {
			return err
		}
	}
	if err := t.saveHours(); err != nil {
		return err
	}
	for _, k := range t.runOrder {
		if err := t.saveRun(k, t.runs[k]); err != nil {
			return err
		}
	}
	return t.s.tokens.flush(t)
}

// floorDiv rounds down, also for times before 1970.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// one returns the first row of a query; ok is false if there is none.
func (c *conn) one(query string, args []any, scan func(v []driver.Value)) (ok bool, err error) {
	err = c.query(query, args, func(v []driver.Value) error {
		if !ok {
			scan(v)
		}
		ok = true
		return nil
	})
	return ok, err
}
