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
	"github.com/pm25/pm25/sessionstore/sqlite"
)

// sample measures what records are like: bytes as JSON, and the CPU that making
// one takes, which is not the store's.
func sample(w *workload) (bytes int, making time.Duration, err error) {
	const n = 5000
	records := make([]*record.Record, n)
	start := cpuTime()
	for i := range records {
		records[i] = w.record(i * w.records / n)
	}
	making = (cpuTime() - start) / n
	for _, r := range records {
		text, err := json.Marshal(r)
		if err != nil {
			return 0, 0, err
		}
		bytes += len(text)
	}
	return bytes / n, making, nil
}

// ingest pushes all records.
func ingest(ctx context.Context, s *sqlite.Store, w *workload, o options) error {
	bytes, making, err := sample(w)
	if err != nil {
		return err
	}
	fmt.Printf("records: %d of %d bytes as JSON on average\n", w.records, bytes)
	cpu, began := cpuTime(), time.Now()
	waited, err := pushAll(ctx, s, w, o)
	if err != nil {
		return err
	}
	took, n := time.Since(began), float64(w.records)
	fmt.Printf("push: %.0f records/s by %d callers with %d each, making them included; %.0f µs CPU a record, and %.0f for making it; a Push takes %s on average; %.0f bytes a record on disk\n",
		n/took.Seconds(), o.callers, o.batch, float64((cpuTime()-cpu).Microseconds())/n-float64(making.Microseconds()), float64(making.Microseconds()),
		(waited / time.Duration(w.records/o.batch+1)).Round(time.Millisecond), float64(s.Size())/n)
	return nil
}

// pushAll pushes all records and returns how long callers waited in all.
func pushAll(ctx context.Context, s *sqlite.Store, w *workload, o options) (time.Duration, error) {
	var next, waited atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, o.callers)
	for c := range o.callers {
		wg.Go(func() {
			from := record.Agent{Host: fmt.Sprintf("web-%02d", c)}
			for errs[c] == nil {
				first := int(next.Add(int64(o.batch))) - o.batch
				if first >= w.records {
					return
				}
				batch := make([]*record.Record, 0, o.batch)
				for i := first; i < min(first+o.batch, w.records); i++ {
					batch = append(batch, w.record(i))
				}
				start := time.Now()
				_, _, errs[c] = s.Push(ctx, "main", from, batch)
				waited.Add(int64(time.Since(start)))
			}
		})
	}
	wg.Wait()
	return time.Duration(waited.Load()), errors.Join(errs...)
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
