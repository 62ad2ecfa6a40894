package sqlite

import (
	"context"
	"database/sql/driver"
	"io"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// runKey is what a record says of the process it is about.
type runKey struct {
	bucket, host, daemon string
	pmID, pid            int
	started              int64 // ms
}

// runChange is what the records of a transaction say of one run.
type runChange struct {
	namespace, app, version, revision string
	seen                              int64 // ns
	ended                             int64 // ns; 0: no exit among them
	exit                              record.ExitInfo
	exceptions                        uint64
}

const (
	selectRun = "SELECT id, pid, started, ended FROM runs WHERE bucket = ? AND host = ? AND daemon = ? AND pm_id = ? ORDER BY seen DESC LIMIT 20"
	insertRun = "INSERT INTO runs (bucket, host, daemon, namespace, app, pm_id, pid, started, began, ended, seen, version, revision, reason, code, signal, peak, exceptions) " +
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	updateRun = "UPDATE runs SET pid = iif(pid = 0, ?1, pid), started = iif(started = 0, ?2, started), began = iif(started = 0 AND ?2 > 0, ?2, began), seen = max(seen, ?3), " +
		"version = iif(version = '', ?4, version), revision = iif(revision = '', ?5, revision), exceptions = exceptions + iif(ended = 0 OR exceptions = 0, ?6, 0) WHERE id = ?7"
	// The end tells exactly what records of exceptions, which stand for those of
	// several lives, do not.
	endRun = "UPDATE runs SET ended = ?1, reason = ?2, code = ?3, signal = ?4, peak = max(peak, ?5), exceptions = iif(?6 > 0, ?6, exceptions) WHERE id = ?7"
)

// run gathers what a record says of the life of its process.
func (t *tx) run(bucket string, r *record.Record) {
	switch {
	case r.PMID < 0 || r.PID == 0 && r.Started == 0:
		return
	case r.Kind != record.Start && r.Kind != record.Restart && r.Kind != record.Exit && r.Kind != record.Exception:
		return
	}
	k := runKey{bucket, r.Host, r.Daemon, r.PMID, r.PID, r.Started}
	if r.Exit != nil && r.Started == 0 && r.Exit.Uptime > 0 && r.Exit.Uptime < maxUptime {
		k.started = (r.At - int64(r.Exit.Uptime*float64(time.Second))) / int64(time.Millisecond)
	}
	c := t.runs[k]
	if c == nil {
		c = &runChange{}
		t.runs[k] = c
		t.runOrder = append(t.runOrder, k)
	}
	c.namespace, c.app, c.seen = r.Namespace, r.App, max(c.seen, r.At)
	if r.Version != "" || r.Revision != "" {
		c.version, c.revision = r.Version, r.Revision
	}
	if r.Exception != nil {
		c.exceptions += occurrences(r)
	}
	if r.Exit != nil {
		c.ended, c.exit = r.At, *r.Exit
	}
}

const maxUptime = 1e9 // seconds; more is nonsense

// started that agents tell of the same process may differ by what clocks and
// rounding do to them.
const sameStart = 2000 // ms

// saveRun writes a change to the run that it is of, or to a new one.
func (t *tx) saveRun(k runKey, c *runChange) error {
	id, err := t.runRow(k)
	if err != nil {
		return err
	}
	if id == 0 {
		began := k.started
		if began == 0 {
			began = c.seen / int64(time.Millisecond)
		}
		_, err := t.c.exec(insertRun, k.bucket, k.host, k.daemon, c.namespace, c.app, int64(k.pmID), int64(k.pid), k.started, began, c.ended, c.seen, c.version, c.revision,
			c.exit.Reason, c.code(), c.exit.Signal, int64(c.exit.Memory), c.thrown())
		return err
	}
	if _, err := t.c.exec(updateRun, int64(k.pid), k.started, c.seen, c.version, c.revision, int64(c.exceptions), id); err != nil || c.ended == 0 {
		return err
	}
	_, err = t.c.exec(endRun, c.ended, c.exit.Reason, c.code(), c.exit.Signal, int64(c.exit.Memory), int64(min(c.exit.Exceptions, maxThrown)), id)
	return err
}

// runRow finds the row of a run, 0 if there is none.
func (t *tx) runRow(k runKey) (id int64, err error) {
	if id := t.s.state.runs[k]; id != 0 {
		return id, nil
	}
	err = t.c.query(selectRun, []any{k.bucket, k.host, k.daemon, int64(k.pmID)}, func(v []driver.Value) error {
		if !k.is(int(integer(v[1])), integer(v[2])) {
			return nil
		}
		id = integer(v[0])
		return io.EOF
	})
	if err != nil || id == 0 {
		return 0, err
	}
	if len(t.s.state.runs) >= maxRuns {
		clear(t.s.state.runs)
	}
	t.s.state.runs[k] = id
	return id, nil
}

// thrown is how many exceptions there were, as far as is known.
func (c *runChange) thrown() int64 {
	if c.ended != 0 && c.exit.Exceptions > 0 {
		return int64(min(c.exit.Exceptions, maxThrown))
	}
	return int64(c.exceptions)
}

const maxThrown = 1 << 40 // more is nonsense

func (c *runChange) code() int64 {
	if c.ended == 0 {
		return -1
	}
	return int64(c.exit.Code)
}

// is tells whether a run with pid and started is the one that k means.
func (k runKey) is(pid int, started int64) bool {
	if k.pid != 0 && pid != 0 && k.pid != pid {
		return false
	}
	if k.started != 0 && started != 0 {
		return max(k.started-started, started-k.started) <= sameStart
	}
	return k.pid != 0 && k.pid == pid
}

// Runs returns runs, the last started first.
func (s *Store) Runs(ctx context.Context, q sessionstore.RunQuery) (runs []sessionstore.Run, err error) {
	query := "SELECT bucket, host, daemon, namespace, app, pm_id, pid, started, ended, version, revision, reason, code, signal, peak, exceptions FROM runs"
	var w where
	w.equal("bucket", q.Bucket)
	w.equal("host", q.Host)
	w.equal("daemon", q.Daemon)
	w.equal("namespace", q.Namespace)
	w.equal("app", q.App)
	if q.PMID >= 0 {
		w.add("pm_id = ?", int64(q.PMID))
	}
	if !q.Since.IsZero() {
		w.add("seen >= ?", q.Since.UnixNano())
	}
	query += w.String() + " ORDER BY began DESC, id DESC LIMIT ? + 0"
	err = s.read(ctx, func(c *conn) error {
		return c.query(query, append(w.args, int64(limited(q.Limit))), func(v []driver.Value) error {
			runs = append(runs, scanRun(v))
			return nil
		})
	})
	return runs, err
}

func scanRun(v []driver.Value) sessionstore.Run {
	r := sessionstore.Run{
		Bucket: text(v[0]), Host: text(v[1]), Daemon: text(v[2]), Namespace: text(v[3]), App: text(v[4]), PMID: int(integer(v[5])), PID: int(integer(v[6])),
		Ended: fromNano(integer(v[8])), Version: text(v[9]), Revision: text(v[10]), Reason: text(v[11]), Code: int(integer(v[12])), Signal: text(v[13]),
		PeakMemory: uint64(integer(v[14])), Exceptions: uint64(integer(v[15])),
	}
	if ms := integer(v[7]); ms > 0 {
		r.Started = time.UnixMilli(ms).UTC()
	}
	return r
}

// where gathers conditions. Only constants get into the text.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

func (w *where) equal(column, value string) {
	if value != "" {
		w.add(column+" = ?", value)
	}
}

func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// limited bounds what one call returns.
func limited(limit int) int {
	const most = 10_000
	if limit <= 0 || limit > most {
		return most
	}
	return limit
}
