//go:build storebench

package storebench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore/sqlite"
)

var doc = doctable.Doc{Path: "../../docs/store.md", Env: "PM25_STOREBENCH_WRITE"}

const (
	million = 1_000_000
	times   = 10 // as many records has the larger store
)

// end of the records of both stores. It is always the same, so that stores that
// are kept can be asked again.
var end = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// folder is where the stores are.
func folder(t *testing.T) string {
	if dir := os.Getenv("PM25_STOREBENCH_DIR"); dir != "" {
		return dir
	}
	return t.TempDir()
}

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(sqlite.Options{Path: path, Retention: 10 * 365 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// loaded returns the path of the store of a million records; they are pushed if
// it is not there.
func loaded(t *testing.T, dir string) string {
	path := filepath.Join(dir, "store-1m.db")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	building := path + ".building"
	t.Run("load", func(t *testing.T) {
		s := open(t, building)
		began, cpu := time.Now(), cpuTime()
		if err := pushAll(t.Context(), s, &workload{records: million, end: end, span: month}); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d records pushed in %s, with %s of CPU, making them included", million, time.Since(began).Round(time.Second), (cpuTime() - cpu).Round(time.Second))
	})
	if t.Failed() {
		t.FailNow()
	}
	if err := os.Rename(building, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// pushAll pushes all records without HTTP.
func pushAll(ctx context.Context, s *sqlite.Store, w *workload) error {
	const callers, batch = 4, 500
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, callers)
	for c := range callers {
		wg.Go(func() {
			for errs[c] == nil {
				first := int(next.Add(batch)) - batch
				if first >= w.records {
					return
				}
				records := make([]*record.Record, 0, batch)
				for i := first; i < min(first+batch, w.records); i++ {
					records = append(records, w.record(i))
				}
				_, _, errs[c] = s.Push(ctx, "main", record.Agent{Host: fmt.Sprintf("web-%02d", c)}, records)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// multiplied returns the path of the store of ten million records: those of the
// other one ten times, with other ids and times between.
func multiplied(t *testing.T, dir, from string) string {
	path := filepath.Join(dir, "store-10m.db")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	building := path + ".building"
	_ = os.Remove(building)
	t.Run("schema", func(t *testing.T) { open(t, building) })
	began := time.Now()
	if err := multiply(t.Context(), from, building); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d records copied in %s", million*times, time.Since(began).Round(time.Second))
	if err := os.Rename(building, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func multiply(ctx context.Context, from, to string) error {
	db, err := sql.Open("sqlite", "file:"+to+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=cache_size(-2000000)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	run := func(query string, args ...any) {
		if err == nil {
			_, err = db.ExecContext(ctx, query, args...)
		}
	}
	run("ATTACH ? AS source", from)
	for _, table := range []string{"streams", "groups", "group_hosts", "group_hours", "releases", "runs", "hosts", "metadata"} {
		run("INSERT INTO main." + table + " SELECT * FROM source." + table)
	}
	shift := int64(month) / million / times
	const page = 20_000
	for seq := 0; seq < 2*million && err == nil; seq += page {
		run(`WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < ?1 - 1)
			INSERT INTO records (seq, id, stream, at, size, grp, number, who, what, data)
			SELECT (seq - 1) * ?1 + n + 1, substr(id, 1, 6) || randomblob(10), stream, at + n * ?2, size, grp, number, who, what, data
			FROM source.records CROSS JOIN n WHERE seq > ?3 AND seq <= ?4 ORDER BY seq, n`, times, shift, seq, seq+page)
	}
	run("INSERT INTO stream_days SELECT stream, at / 86400000000000, count(*), sum(size) FROM records GROUP BY 1, 2")
	run(`INSERT INTO stream_hours SELECT stream, (at - 1) / 3600000000000, count(*),
		ifnull(sum(number) FILTER (WHERE stream IN (SELECT id FROM streams WHERE kind = 'exception')), 0) FROM records GROUP BY 1, 2`)
	run("UPDATE groups SET count = count * ?", times)
	run("UPDATE group_hours SET count = count * ?", times)
	run("PRAGMA main.wal_checkpoint(TRUNCATE)")
	return err
}

// cpuTime is what this process has used of all CPUs.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
