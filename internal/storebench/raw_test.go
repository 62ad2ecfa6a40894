//go:build storebench

package storebench

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/pm25/pm25/sessionstore/sqlite"
)

const columns = "seq, id, stream, at, size, grp, number, who, what, data"

// readRows returns the rows that a store has of its records.
func readRows(t *testing.T, path string) (rows [][]any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_query_only=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	read, err := db.QueryContext(t.Context(), "SELECT "+columns+" FROM records ORDER BY seq")
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	for read.Next() {
		row, to := make([]any, 10), make([]any, 10)
		for i := range row {
			to[i] = &row[i]
		}
		if err := read.Scan(to...); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if err := read.Err(); err != nil {
		t.Fatal(err)
	}
	return rows[:perRound] // without what the server adds of groups
}

// raw inserts rows into the same table with the same indexes, synced to the disk
// after as many rows as a commit of the store has at most.
func raw(t *testing.T, path string, rows [][]any, commit int) turn {
	t.Helper()
	removeStore(path)
	defer removeStore(path)
	s, err := sqlite.Open(sqlite.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_pragma=wal_autocheckpoint(8000)&_pragma=cache_size(-32768)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	cpu, began := cpuTime(), time.Now()
	for from := 0; from < len(rows); from += commit {
		if err := insert(t.Context(), db, rows[from:min(from+commit, len(rows))]); err != nil {
			t.Fatal(err)
		}
	}
	return turn{took: time.Since(began), cpu: cpuTime() - cpu, load: load()}
}

func insert(ctx context.Context, db *sql.DB, rows [][]any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	stmt, err := tx.PrepareContext(ctx, "INSERT INTO records ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, row := range rows {
		if _, err := stmt.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	return tx.Commit()
}
