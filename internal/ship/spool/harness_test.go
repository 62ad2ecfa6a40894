package spool

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/record"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// dropped counts what a spool tells of.
type dropped struct {
	mu sync.Mutex
	n  map[string]uint64
}

func (d *dropped) add(kind record.Kind, why Reason, n uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.n == nil {
		d.n = map[string]uint64{}
	}
	d.n[string(kind)+" "+string(why)] += n
}

func (d *dropped) sum() (sum uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.n {
		sum += n
	}
	return sum
}

func options(dir string, d *dropped) Options {
	return Options{Dir: dir, MaxBytes: MinBytes, MaxAge: time.Hour, Dropped: d.add, Logger: log.NewNopLogger(), Now: time.Now}
}

func open(t testing.TB, dir string) (*Spool, *dropped) {
	t.Helper()
	d := &dropped{}
	s, err := Open(options(dir, d))
	ok(t, err)
	return s, d
}

// openFast is open without syncs, which only a power loss would miss.
func openFast(t testing.TB, dir string) (*Spool, *dropped) {
	t.Helper()
	d := &dropped{}
	o := options(dir, d)
	o.sync = func(*os.File) error { return nil }
	s, err := Open(o)
	ok(t, err)
	return s, d
}

// named is a record that is told by a number, of some size.
func named(n, size int) Record {
	return Record{Kind: record.Exception, JSON: fmt.Appendf(nil, `{"n":"%06d","fill":"%s"}`, n, strings.Repeat("x", max(size-30, 0)))}
}

func nameOf(r Record) string { return string(r.JSON[6:12]) }

func appendNamed(t testing.TB, s *Spool, from, to, size int) {
	t.Helper()
	for n := from; n < to; n++ {
		ok(t, s.Append(named(n, size)))
	}
}

func names(from, to int) []string {
	var out []string
	for n := from; n < to; n++ {
		out = append(out, fmt.Sprintf("%06d", n))
	}
	return out
}

// drain reads and acknowledges everything.
func drain(t testing.TB, s *Spool) (got []string) {
	t.Helper()
	for {
		b, err := s.Next(7, 1<<20)
		ok(t, err)
		if b == nil {
			return got
		}
		for _, r := range b.Records {
			got = append(got, nameOf(r))
		}
		b.Ack()
	}
}

// killed copies the folder as a kill would leave it.
func killed(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	ok(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

func segments(t testing.TB, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix))
	ok(t, err)
	return found
}
