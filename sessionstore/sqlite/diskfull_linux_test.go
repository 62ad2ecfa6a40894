package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/disktest"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// With a full disk Push says so, what was acknowledged stays and can be read,
// and when there is room again it goes on.
func TestDiskFull(t *testing.T) {
	disktest.Run(t, 8<<20, func(dir string) {
		ballast := filepath.Join(dir, "ballast")
		ok(t, os.WriteFile(ballast, make([]byte, 4<<20), 0o600))
		path := filepath.Join(dir, "pm25.db")
		s := openTest(t, Options{Path: path})
		told := pushUntilFull(t, s, map[string]bool{})
		checkTold(t, s, told)
		if _, _, err := s.CreateBucket(t.Context(), "more"); err != nil && !errors.Is(err, sessionstore.ErrFull) {
			t.Error(err)
		}
		again := batchOf(200)
		if _, _, err := s.Push(t.Context(), "main", record.Agent{Host: "h"}, again); !errors.Is(err, sessionstore.ErrFull) {
			t.Errorf("a large batch on a full disk: %v", err)
		}
		ok(t, os.Remove(ballast))
		stored, duplicates, err := s.Push(t.Context(), "main", record.Agent{Host: "h"}, again)
		if err != nil || stored != 200 || duplicates != 0 {
			t.Errorf("with room again: %d stored, %d duplicates, %v", stored, duplicates, err)
		}
		told = pushUntilFull(t, s, told)
		ok(t, s.Close())
		s = openTest(t, Options{Path: path})
		checkTold(t, s, told)
		report, err := s.Check(t.Context(), false)
		if err != nil || len(report.Problems) > 0 {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

func batchOf(n int) (batch []*record.Record) {
	for i := range n {
		r := testRecord(time.Now(), i%7-1)
		if r.Event != nil {
			r.Event.Data = []byte(`"` + record.NewID(time.Now()) + `"`) // no two alike: it does not compress
		}
		batch = append(batch, r)
	}
	return batch
}

func pushUntilFull(t *testing.T, s *Store, told map[string]bool) map[string]bool {
	t.Helper()
	for range 10_000 {
		batch := batchOf(50)
		_, _, err := s.Push(t.Context(), "main", record.Agent{Host: "h"}, batch)
		if errors.Is(err, sessionstore.ErrFull) {
			return told
		}
		ok(t, err)
		for _, r := range batch {
			told[r.ID] = true
		}
	}
	t.Fatal("the disk does not get full")
	return nil
}

func checkTold(t *testing.T, s *Store, told map[string]bool) {
	t.Helper()
	n := 0
	ok(t, s.Entries(t.Context(), everything(), func(e *sessionstore.Entry) bool {
		if told[e.ID] {
			n++
		}
		return true
	}))
	if n != len(told) {
		t.Errorf("%d of %d acknowledged records are there", n, len(told))
	}
}

// A store opens on a disk that others have filled to the last byte, and can be
// read; and again, and after a kill.
func TestOpensOnAFullDisk(t *testing.T) {
	disktest.Run(t, 8<<20, func(dir string) {
		path := filepath.Join(dir, "pm25.db")
		s := openTest(t, Options{Path: path})
		push(t, s, batchOf(50)...)
		stored := count(t, s)
		ok(t, s.Close())
		ballast, err := os.Create(filepath.Join(dir, "ballast"))
		ok(t, err)
		defer ballast.Close()
		for round := range 3 {
			for err = nil; err == nil; {
				_, err = ballast.Write(make([]byte, 4096))
			}
			s := openTest(t, Options{Path: path})
			if n := count(t, s); n != stored {
				t.Errorf("round %d: %d records, want %d", round, n, stored)
			}
			ok(t, s.Close())
		}
	})
}

// Push leaves to others what it is told to.
func TestMinFree(t *testing.T) {
	s := openTest(t, Options{MinFree: 1 << 60})
	if _, _, err := s.Push(t.Context(), "main", record.Agent{Host: "h"}, batchOf(1)); !errors.Is(err, sessionstore.ErrFull) {
		t.Errorf("%v", err)
	}
	if _, _, err := s.Push(t.Context(), "main", record.Agent{Host: "h"}, nil); err != nil {
		t.Errorf("a sign of life: %v", err)
	}
}
