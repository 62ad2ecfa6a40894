package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

func push(t *testing.T, s *Store, records ...*record.Record) {
	t.Helper()
	stored, _, err := s.Push(t.Context(), "main", record.Agent{Host: "web-1"}, records)
	if err != nil || stored != len(records) {
		t.Fatalf("%d of %d stored, %v", stored, len(records), err)
	}
}

func count(t *testing.T, s *Store) (n int) {
	t.Helper()
	ok(t, s.Times(t.Context(), everything(), func(*sessionstore.Stream, int64) bool { n++; return true }))
	return n
}

// A file of a newer version, of another program, or that is no database is
// refused, and has the same bytes after.
func TestRefusedUnharmed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pm25.db")
	s := openTest(t, Options{Path: path})
	push(t, s, testRecord(time.Now(), 1))
	ok(t, s.Close())
	good, err := os.ReadFile(path)
	ok(t, err)
	change := func(at int, to uint32) []byte {
		b := append([]byte(nil), good...)
		binary.BigEndian.PutUint32(b[at:], to)
		return b
	}
	for name, file := range map[string]struct {
		data  []byte
		newer bool
	}{
		"newer":   {change(60, uint32(len(migrations))+1), true},
		"other":   {change(68, 7), false},
		"text":    {[]byte(strings.Repeat("no database\n", 20)), false},
		"cut off": {good[:50], false},
	} {
		path := filepath.Join(dir, name)
		ok(t, os.WriteFile(path, file.data, 0o600))
		_, err := Open(Options{Path: path})
		if err == nil || errors.Is(err, sessionstore.ErrNewer) != file.newer {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(file.data) {
			t.Errorf("%s: the file is another one now, %v", name, err)
		}
		if beside, _ := filepath.Glob(path + "-*"); len(beside) > 0 {
			t.Errorf("%s: there is %v", name, beside)
		}
	}
}

// TestVersion1 opens what version 1 wrote. The file is never written anew.
func TestVersion1(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pm25.db")
	data, err := os.ReadFile("testdata/version1.db")
	ok(t, err)
	ok(t, os.WriteFile(path, data, 0o644))
	now := time.Date(2026, 11, 26, 13, 0, 0, 0, time.UTC)
	s := openTest(t, Options{Path: path, Now: func() time.Time { return now }})
	if n := count(t, s); n != 12 { // nine, a change of a group that somebody made, and two that a rule did
		t.Errorf("%d records", n)
	}
	groups, err := s.Groups(t.Context(), sessionstore.GroupQuery{})
	if err != nil || len(groups) != 2 || groups[1].State != sessionstore.StateResolved || groups[1].Count != 4 || groups[1].Owner != "ann" {
		t.Errorf("%+v, %v", groups, err)
	}
	if bucket, err := s.Authenticate(t.Context(), "pm25_of-no-store"); bucket != "" || !errors.Is(err, sessionstore.ErrToken) {
		t.Error(bucket, err)
	}
	if runs, err := s.Runs(t.Context(), sessionstore.RunQuery{PMID: -1}); err != nil || len(runs) != 1 || runs[0].Exceptions != 6 {
		t.Errorf("%+v, %v", runs, err)
	}
	if buckets, err := s.Buckets(t.Context()); err != nil || len(buckets) != 1 || len(buckets[0].Tokens) != 1 {
		t.Errorf("%+v, %v", buckets, err)
	}
	push(t, s, testRecord(now, 1))
	report, err := s.Check(t.Context(), false)
	if err != nil || len(report.Problems) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestWriteVersion1 makes testdata/version1.db. It is here to show how.
func TestWriteVersion1(t *testing.T) {
	const path = "testdata/version1.db"
	if len(migrations) != 1 || os.Getenv("PM25_TEST_WRITE") == "" {
		t.Skip("skipped: the file of a version is made once, with PM25_TEST_WRITE=1")
	}
	ok(t, os.MkdirAll("testdata", 0o755))
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	s := openTest(t, Options{Path: path, Now: func() time.Time { return now }})
	_, _, err := s.CreateBucket(t.Context(), "main")
	ok(t, err)
	for i := range 9 {
		push(t, s, testRecord(now.Add(time.Duration(i)*time.Second), i%3-1))
	}
	push(t, s) // a host
	groups, err := s.Groups(t.Context(), sessionstore.GroupQuery{})
	ok(t, err)
	owner := "ann"
	_, err = s.ChangeGroup(t.Context(), groups[1].ID, sessionstore.Change{To: sessionstore.StateResolved, Owner: &owner})
	ok(t, err)
	_, err = s.w.exec("UPDATE groups SET count = count + 1 WHERE gid = ?", groups[1].ID)
	ok(t, err)
	_, err = s.w.exec("UPDATE group_hours SET count = count + 1 WHERE grp = (SELECT id FROM groups WHERE gid = ?)", groups[1].ID)
	ok(t, err)
	ok(t, s.Close())
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "for it")
	path := filepath.Join(dir, "a?b#c%41.db") // no part of a name is a setting
	s := openTest(t, Options{Path: path})
	push(t, s, testRecord(time.Now(), 1))
	ok(t, s.Backup(t.Context(), filepath.Join(dir, "copy.db")))
	entries, err := os.ReadDir(dir)
	ok(t, err)
	if len(entries) != 5 { // the file, -wal, -shm, .room and the copy
		t.Errorf("files: %v", entries)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s has mode %s, %v", e.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %s, %v", info.Mode(), err)
	}
}

func TestOverloaded(t *testing.T) {
	s := openTest(t, Options{})
	stop := make(chan struct{})
	entered := make(chan struct{})
	go func() { // holds up the writer
		_ = s.do(t.Context(), func(*tx) error { close(entered); <-stop; return nil })
	}()
	<-entered
	var wg sync.WaitGroup
	errs := make(chan error, maxQueue+20)
	for range maxQueue + 20 {
		wg.Go(func() {
			_, _, err := s.Push(t.Context(), "main", record.Agent{Host: "h"}, []*record.Record{testRecord(time.Now(), 1)})
			errs <- err
		})
	}
	for range 20 { // those beyond the queue; they do not wait
		if err := <-errs; !errors.Is(err, sessionstore.ErrOverloaded) {
			t.Errorf("beyond the queue: %v", err)
		}
	}
	close(stop)
	wg.Wait()
	for range maxQueue {
		ok(t, <-errs)
	}
	if n := count(t, s); n != maxQueue+1 {
		t.Errorf("%d records", n)
	}
	if left := s.waiting.Load(); left != 0 {
		t.Errorf("%d bytes wait for ever", left)
	}
}

// A caller whose transaction fails does not fail those that share it.
func TestNeighbours(t *testing.T) {
	s := openTest(t, Options{})
	good := make([]*job, 3)
	for i := range good {
		r, err := s.newRow("main", testRecord(time.Now(), i))
		ok(t, err)
		good[i] = &job{shared: true, done: make(chan error, 1), do: func(t *tx) error { _, err := t.add("main", &r); return err }}
	}
	bad := &job{shared: true, done: make(chan error, 1), do: func(t *tx) error {
		_, err := t.c.exec("INSERT INTO buckets (name, created) VALUES ('half', 1)")
		return errors.Join(err, io.ErrUnexpectedEOF)
	}}
	s.attempt([]*job{good[0], bad, good[1], good[2]}) // the writer itself has nothing to do
	if err := <-bad.done; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	for _, j := range good {
		ok(t, <-j.done)
	}
	buckets, err := s.Buckets(t.Context())
	if n := count(t, s); n != 6 || err != nil || len(buckets) != 0 {
		t.Errorf("%d records, buckets %v, %v", n, buckets, err)
	}
}

// What another process writes is seen.
func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pm25.db")
	a, b := openTest(t, Options{Path: path}), openTest(t, Options{Path: path})
	r := testRecord(time.Now(), 1)
	push(t, a, r)
	if _, duplicates, err := b.Push(t.Context(), "main", record.Agent{Host: "h"}, []*record.Record{r}); err != nil || duplicates != 1 {
		t.Errorf("%d duplicates, %v", duplicates, err)
	}
	push(t, b, testRecord(time.Now(), 1), testRecord(time.Now(), 2))
	push(t, a, testRecord(time.Now(), 2))
	if n := count(t, a); n != 6 {
		t.Errorf("%d records", n)
	}
	_, secret, err := a.CreateBucket(t.Context(), "more")
	ok(t, err)
	push(t, b, testRecord(time.Now(), 3))
	if bucket, err := b.Authenticate(t.Context(), secret); bucket != "more" || err != nil {
		t.Error(bucket, err)
	}
	report, err := b.Check(t.Context(), false)
	if err != nil || len(report.Problems) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestBackup(t *testing.T) {
	s := openTest(t, Options{})
	_, secret, err := s.CreateBucket(t.Context(), "main")
	ok(t, err)
	push(t, s, testRecord(time.Now(), 1), testRecord(time.Now(), -1))
	path := filepath.Join(t.TempDir(), "copy.db")
	ok(t, s.Backup(t.Context(), path))
	push(t, s, testRecord(time.Now(), 1)) // not in it
	if err := s.Backup(t.Context(), path); err == nil {
		t.Error("a file that is there is written over")
	}
	if err := s.Backup(t.Context(), filepath.Join(path, "none", "x")); err == nil {
		t.Error("a folder that is not there is no error")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("left over: %v", left)
	}
	dup := openTest(t, Options{Path: path})
	if bucket, err := dup.Authenticate(t.Context(), secret); bucket != "main" || err != nil {
		t.Error(bucket, err)
	}
	if n := count(t, dup); n != 3 {
		t.Errorf("%d records in the copy", n)
	}
}

func TestCheckRepairs(t *testing.T) {
	s := openTest(t, Options{})
	for i := range 20 {
		push(t, s, testRecord(time.Now().Add(time.Duration(i)*-time.Hour), i%4-1))
	}
	for _, query := range []string{
		"UPDATE groups SET count = count + 7 WHERE id = 1", "DELETE FROM groups WHERE id = 2", "UPDATE stream_days SET entries = entries + 1", "DELETE FROM stream_days WHERE stream = 2",
		"UPDATE records SET stream = 99 WHERE seq = 3", "INSERT INTO tokens VALUES ('x', 'none', x'00', 0, 0, 0, 0)",
	} {
		ok(t, s.do(t.Context(), func(t *tx) error { _, err := t.c.exec(query); return err }))
	}
	found, err := s.Check(t.Context(), false)
	if err != nil || len(found.Problems) != 8 || found.Sound() {
		t.Errorf("%+v, %v", found, err)
	}
	repaired, err := s.Check(t.Context(), true)
	if err != nil || len(repaired.Problems) != 8 || !repaired.Sound() || repaired.Records != found.Records-1 {
		t.Errorf("%+v, %v", repaired, err)
	}
	if again, err := s.Check(t.Context(), true); err != nil || len(again.Problems) != 0 {
		t.Errorf("%+v, %v", again, err)
	}
	push(t, s, testRecord(time.Now(), 1)) // of the group that is gone
	if report, err := s.Check(t.Context(), false); err != nil || len(report.Problems) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// Retention by size keeps the file within its bound, samples of groups, and the
// ids of what an agent may send again.
func TestSize(t *testing.T) {
	const bound = 3 << 20
	s := openTest(t, Options{MaxBytes: bound})
	now := time.Now()
	var first []*record.Record
	for i := range 60 {
		batch := batchOf(100)
		for j, r := range batch {
			r.At = now.Add(time.Duration(i*100+j-6000) * time.Minute).UnixNano()
			r.ID = record.NewID(r.Time())
			if r.Event != nil {
				r.Event.Data = []byte(`"` + strings.Repeat(r.ID, 40) + `"`)
			}
			r.Message = fmt.Sprint(batch[(j*7)%100].ID, batch[(j*3)%100].ID, strings.Repeat(r.ID, 3))
		}
		if i == 0 {
			first = batch
		}
		push(t, s, batch...)
		if i%10 == 9 {
			ok(t, s.Sweep(t.Context()))
		}
	}
	var used int64
	ok(t, s.read(t.Context(), func(c *conn) (err error) { used, err = usedBytes(c); return err }))
	if used > bound || used < bound*8/10 || s.Dropped() == 0 {
		t.Errorf("%d bytes of at most %d, %d dropped", used, bound, s.Dropped())
	}
	ok(t, s.Sweep(t.Context())) // what no longer needs to be remembered goes
	stored, duplicates, err := s.Push(t.Context(), "main", record.Agent{Host: "h"}, first)
	if err != nil || stored != 0 || duplicates != 100 {
		t.Errorf("what was deleted comes again: %d stored, %d duplicates, %v", stored, duplicates, err)
	}
	groups, err := s.Groups(t.Context(), sessionstore.GroupQuery{})
	ok(t, err)
	for _, g := range groups {
		samples, err := s.GroupSamples(t.Context(), g.ID, 1000)
		if err != nil || len(samples) < keepFirst+keepNewest || !samples[len(samples)-1].Time().Equal(g.FirstSeen) {
			t.Errorf("%d samples, %v", len(samples), err)
		}
	}
	report, err := s.Check(t.Context(), false)
	if err != nil || len(report.Problems) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestClosed(t *testing.T) {
	s := openTest(t, Options{})
	push(t, s, testRecord(time.Now(), 1))
	ok(t, s.Close())
	ok(t, s.Close())
	if _, _, err := s.Push(t.Context(), "main", record.Agent{}, nil); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if err := s.Times(t.Context(), everything(), func(*sessionstore.Stream, int64) bool { return true }); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if _, err := Open(Options{}); err == nil {
		t.Error("a store without a path")
	}
}
