package sqlite

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/pm25/pm25/sessionstore"
)

// applicationID marks our files: "PM25" in ASCII, at byte 68.
const applicationID = 0x504d3235

// migrations lead from each version to the next; a file's version is how many
// of them it has. They are never edited: files of each version are out there.
var migrations = []string{schema1}

// schema1: times are nanoseconds since 1970 where a record says them, else
// seconds; 0 for none.
const schema1 = `
CREATE TABLE streams (
  id INTEGER PRIMARY KEY,
  bucket TEXT NOT NULL, host TEXT NOT NULL, daemon TEXT NOT NULL, namespace TEXT NOT NULL,
  app TEXT NOT NULL, kind TEXT NOT NULL, level TEXT NOT NULL,
  UNIQUE (bucket, host, daemon, namespace, app, kind, level)
);
CREATE TABLE records (
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL,          -- 16 bytes
  stream INTEGER NOT NULL,
  at INTEGER NOT NULL,       -- ns
  size INTEGER NOT NULL,     -- bytes of line and metadata
  grp INTEGER,               -- of an exception
  number INTEGER,            -- metadata.go, as the next two
  who INTEGER NOT NULL,
  what INTEGER NOT NULL,
  data BLOB NOT NULL         -- codec.go
);
CREATE UNIQUE INDEX records_id ON records (id);
CREATE INDEX records_stream ON records (stream, at, id, size, number, who, what);
CREATE INDEX records_group ON records (grp, at) WHERE grp IS NOT NULL;
-- Ids of records that left before an agent could no longer send them again.
CREATE TABLE gone (id BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
-- Parts of metadata that records share. Ids are not used again: readers remember them.
CREATE TABLE metadata (id INTEGER PRIMARY KEY AUTOINCREMENT, pairs BLOB NOT NULL UNIQUE, used INTEGER NOT NULL); -- day
-- Hours here are behind their begin, up to and with their end, as windows of LogQL are.
CREATE TABLE stream_hours (
  stream INTEGER NOT NULL, hour INTEGER NOT NULL, entries INTEGER NOT NULL, occurrences INTEGER NOT NULL,
  PRIMARY KEY (stream, hour)
) WITHOUT ROWID;
CREATE TABLE stream_days (
  stream INTEGER NOT NULL, day INTEGER NOT NULL, entries INTEGER NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY (stream, day)
) WITHOUT ROWID;
CREATE TABLE groups (
  id INTEGER PRIMARY KEY,
  gid TEXT NOT NULL UNIQUE,
  bucket TEXT NOT NULL, namespace TEXT NOT NULL, app TEXT NOT NULL, algo INTEGER NOT NULL, fingerprint TEXT NOT NULL,
  coarse TEXT NOT NULL, title TEXT NOT NULL, culprit TEXT NOT NULL, level TEXT NOT NULL, handled INTEGER NOT NULL,
  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, -- ns
  count INTEGER NOT NULL,
  older INTEGER NOT NULL DEFAULT 0,  -- of count, what group_hours no longer has
  first_version TEXT NOT NULL, version TEXT NOT NULL, revision TEXT NOT NULL, version_first INTEGER NOT NULL,
  state TEXT NOT NULL,
  created INTEGER NOT NULL, changed INTEGER NOT NULL, changed_by TEXT NOT NULL, -- ns
  resolved_version TEXT NOT NULL DEFAULT '', resolved_revision TEXT NOT NULL DEFAULT '', resolved_first INTEGER NOT NULL DEFAULT 0,
  resolved_next INTEGER NOT NULL DEFAULT 0, resolved_named INTEGER NOT NULL DEFAULT 0,
  muted_until INTEGER NOT NULL DEFAULT 0, muted_count INTEGER NOT NULL DEFAULT 0,
  owner TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
  UNIQUE (bucket, namespace, app, algo, fingerprint)
);
CREATE INDEX groups_seen ON groups (last_seen, gid);
CREATE TABLE group_hosts (grp INTEGER NOT NULL, host TEXT NOT NULL, PRIMARY KEY (grp, host)) WITHOUT ROWID;
CREATE TABLE group_hours (
  grp INTEGER NOT NULL, hour INTEGER NOT NULL, version TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (grp, hour, version)
) WITHOUT ROWID;
CREATE TABLE releases (
  bucket TEXT NOT NULL, namespace TEXT NOT NULL, app TEXT NOT NULL, version TEXT NOT NULL, revision TEXT NOT NULL,
  first INTEGER NOT NULL,    -- ns
  PRIMARY KEY (bucket, namespace, app, version, revision)
) WITHOUT ROWID;
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  bucket TEXT NOT NULL, host TEXT NOT NULL, daemon TEXT NOT NULL, namespace TEXT NOT NULL, app TEXT NOT NULL,
  pm_id INTEGER NOT NULL, pid INTEGER NOT NULL,
  started INTEGER NOT NULL,  -- ms
  began INTEGER NOT NULL,    -- ms, started or else the first record of it
  ended INTEGER NOT NULL,    -- ns
  seen INTEGER NOT NULL,     -- ns, the last record of it
  version TEXT NOT NULL, revision TEXT NOT NULL,
  reason TEXT NOT NULL, code INTEGER NOT NULL, signal TEXT NOT NULL, peak INTEGER NOT NULL, exceptions INTEGER NOT NULL
);
CREATE INDEX runs_process ON runs (bucket, host, daemon, pm_id, seen);
CREATE INDEX runs_seen ON runs (seen);
CREATE INDEX runs_began ON runs (began);
CREATE TABLE hosts (
  bucket TEXT NOT NULL, name TEXT NOT NULL, agent_version TEXT NOT NULL, advertise TEXT NOT NULL, scheme TEXT NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL, -- ns
  PRIMARY KEY (bucket, name)
) WITHOUT ROWID;
CREATE TABLE buckets (name TEXT PRIMARY KEY, created INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE tokens (
  id TEXT PRIMARY KEY, bucket TEXT NOT NULL, hash BLOB NOT NULL UNIQUE,
  created INTEGER NOT NULL, used INTEGER NOT NULL, expires INTEGER NOT NULL, revoked INTEGER NOT NULL -- seconds
) WITHOUT ROWID;
`

// look refuses what is no store, or that of a newer version, by reading alone.
func look(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	header := make([]byte, 100)
	switch n, err := io.ReadFull(f, header); {
	case n == 0 && errors.Is(err, io.EOF): // made, and not written to
		return nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case n < len(header) || string(header[:16]) != "SQLite format 3\x00":
		return errors.New("it is no SQLite file; choose another path, or move it away")
	}
	version, id := binary.BigEndian.Uint32(header[60:]), binary.BigEndian.Uint32(header[68:])
	if id != applicationID && (id != 0 || version != 0) {
		return errors.New("it is the SQLite file of another program; choose another path, or move it away")
	}
	return checkVersion(int64(version))
}

func checkVersion(version int64) error {
	if version > int64(len(migrations)) {
		return fmt.Errorf("%w: the file has version %d, this program knows up to %d; use the newer program", sessionstore.ErrNewer, version, len(migrations))
	}
	return nil
}

// migrate brings the file to the newest version, in one transaction.
func migrate(c *conn) error {
	version, err := userVersion(c)
	if err != nil || version == int64(len(migrations)) {
		return err
	}
	return c.transaction("BEGIN IMMEDIATE", func() error {
		version, err := userVersion(c) // another process may have been faster
		if err != nil || version == int64(len(migrations)) {
			return err
		}
		if version == 0 {
			if tables, err := c.number("SELECT count(*) FROM sqlite_schema"); err != nil || tables > 0 {
				return errors.Join(err, errors.New("it is the SQLite file of another program; choose another path, or move it away"))
			}
		}
		for i := version; i < int64(len(migrations)); i++ {
			if err := c.script(migrations[i]); err != nil {
				return fmt.Errorf("migrate to version %d: %w", i+1, err)
			}
		}
		return c.script(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(migrations)))
	})
}

func userVersion(c *conn) (version int64, err error) {
	err = c.query("PRAGMA user_version", nil, func(v []driver.Value) error {
		version = integer(v[0])
		return nil
	})
	if err != nil {
		return 0, err
	}
	return version, checkVersion(version)
}
