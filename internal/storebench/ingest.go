//go:build unix

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
	"github.com/pm25/pm25/sessionstore/sqlite"
)

// ingest pushes all records. Making them costs CPU too: it is measured by itself
// and taken off.
func ingest(ctx context.Context, s *sqlite.Store, w *workload, o options) error {
	making := time.Now()
	var bytes int
	const sample = 5000
	for i := range sample {
		text, err := json.Marshal(w.record(i * w.records / sample))
		if err != nil {
			return err
		}
		bytes += len(text)
	}
	fmt.Printf("records: %d of %d bytes as JSON on average; making and measuring one takes %s\n", w.records, bytes/sample, time.Since(making)/sample)
	var next atomic.Int64
	var made, pushed atomic.Int64 // ns
	var wg sync.WaitGroup
	errs := make([]error, o.callers)
	cpu, began := cpuTime(), time.Now()
	for c := range o.callers {
		wg.Go(func() {
			for errs[c] == nil {
				first := int(next.Add(int64(o.batch))) - o.batch
				if first >= w.records {
					return
				}
				start := time.Now()
				batch := make([]*record.Record, 0, o.batch)
				for i := first; i < min(first+o.batch, w.records); i++ {
					batch = append(batch, w.record(i))
				}
				made.Add(int64(time.Since(start)))
				start = time.Now()
				_, _, errs[c] = s.Push(ctx, "main", record.Agent{Host: fmt.Sprintf("web-%02d", c)}, batch)
				if errors.Is(errs[c], sessionstore.ErrOverloaded) {
					errs[c] = nil
				}
				pushed.Add(int64(time.Since(start)))
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	took := time.Since(began)
	n := float64(w.records)
	fmt.Printf("push: %.0f records/s by %d callers with %d each (the making of records included), %.0f µs CPU a record, a Push %s on average, %.0f bytes a record on disk\n",
		n/took.Seconds(), o.callers, o.batch, float64((cpuTime()-cpu).Microseconds())/n, (time.Duration(pushed.Load()) / time.Duration(w.records/o.batch+1)).Round(time.Millisecond), float64(s.Size())/n)
	return nil
}

// raw inserts the rows of a store into another one, in the same table with the
// same indexes, synced to the disk after as many rows as a commit of Push had
// at most.
func raw(ctx context.Context, from, to string, rows, commit int) error {
	s, err := sqlite.Open(sqlite.Options{Path: to})
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	src, err := sql.Open("sqlite", "file:"+from+"?_query_only=1")
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := sql.Open("sqlite", "file:"+to+"?_journal_mode=WAL&_synchronous=FULL&_pragma=wal_autocheckpoint(8000)&_pragma=cache_size(-65536)")
	if err != nil {
		return err
	}
	defer dst.Close()
	dst.SetMaxOpenConns(1)
	read, err := src.QueryContext(ctx, "SELECT seq, id, stream, at, size, grp, data FROM records ORDER BY seq LIMIT ?", rows)
	if err != nil {
		return err
	}
	defer read.Close()
	cpu, took, n := time.Duration(0), time.Duration(0), 0
	for more := true; more; {
		var page [][]any
		for len(page) < commit {
			if more = read.Next(); !more {
				break
			}
			row := make([]any, 7)
			to := make([]any, 7)
			for i := range row {
				to[i] = &row[i]
			}
			if err := read.Scan(to...); err != nil {
				return err
			}
			page = append(page, row)
		}
		c, start := cpuTime(), time.Now()
		if err := insert(ctx, dst, page); err != nil {
			return err
		}
		cpu, took, n = cpu+cpuTime()-c, took+time.Since(start), n+len(page)
	}
	fmt.Printf("raw inserts: %.0f rows/s in commits of %d, %.0f µs CPU a row\n", float64(n)/took.Seconds(), commit, float64(cpu.Microseconds())/float64(n))
	return errors.Join(read.Err(), read.Close())
}

func insert(ctx context.Context, db *sql.DB, rows [][]any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	stmt, err := tx.PrepareContext(ctx, "INSERT INTO records (seq, id, stream, at, size, grp, data) VALUES (?, ?, ?, ?, ?, ?, ?)")
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

// cpuTime is what this process has used of all CPUs.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
