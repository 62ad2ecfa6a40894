package spool

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/record"
)

func TestRecordsComeInOrderOverRestarts(t *testing.T) {
	dir := t.TempDir()
	s, d := open(t, dir)
	appendNamed(t, s, 0, 20, 100)
	b, err := s.Next(5, 1<<20)
	ok(t, err)
	b.Ack()
	b, err = s.Next(5, 1<<20)
	ok(t, err)
	b.Release() // comes again
	ok(t, s.Close())

	s, _ = open(t, dir)
	appendNamed(t, s, 20, 30, 100)
	if diff := cmp.Diff(names(5, 30), drain(t, s)); diff != "" {
		t.Error(diff)
	}
	if st := s.Stats(); st.Records != 0 || !st.Oldest.IsZero() {
		t.Errorf("stats %+v", st)
	}
	ok(t, s.Close())
	if left := segments(t, dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	if d.sum() != 0 {
		t.Errorf("dropped %v", d.n)
	}
	s, _ = open(t, dir) // numbers go on: the position is not of a new segment
	appendNamed(t, s, 30, 31, 100)
	s, _ = open(t, killed(t, dir))
	if diff := cmp.Diff(names(30, 31), drain(t, s)); diff != "" {
		t.Error(diff)
	}
	ok(t, s.Close())
}

func TestALostPositionOnlySendsTwice(t *testing.T) {
	for _, content := range []string{"", "garbage", formatPosition(position{1, 1 << 40})[:20], strings.Repeat("f", 44)} {
		dir := t.TempDir()
		s, _ := open(t, dir)
		appendNamed(t, s, 0, 9, 100)
		b, err := s.Next(5, 1<<20)
		ok(t, err)
		b.Ack()
		dir = killed(t, dir)
		ok(t, os.WriteFile(filepath.Join(dir, positionName), []byte(content), 0o600))
		s, _ = open(t, dir)
		if diff := cmp.Diff(names(0, 9), drain(t, s)); diff != "" {
			t.Errorf("%q: %s", content, diff)
		}
	}
}

func TestBatchesAreBounded(t *testing.T) {
	s, _ := open(t, t.TempDir())
	appendNamed(t, s, 0, 10, 1000)
	for _, tc := range []struct {
		records int
		size    int64
		want    int
	}{{3, 1 << 20, 3}, {100, 4500, 4}, {100, 1, 1}, {100, 1 << 20, 10}} {
		b, err := s.Next(tc.records, tc.size)
		ok(t, err)
		if len(b.Records) != tc.want {
			t.Errorf("at most %d records and %d bytes: %d records", tc.records, tc.size, len(b.Records))
		}
		b.Release()
	}
	if _, err := s.Next(1, 1); err != nil {
		t.Error(err)
	}
	if _, err := s.Next(1, 1); err == nil {
		t.Error("a second batch before the first is ended")
	}
}

// When it is full the oldest go, and what was appended is what was read and what was
// counted, whatever was on its way meanwhile.
func TestFull(t *testing.T) {
	for _, end := range []string{"ack", "release", "none"} {
		t.Run(end, func(t *testing.T) {
			dir := t.TempDir()
			s, d := openFast(t, dir)
			const size, all = 10_000, 1000 // 10 MB into 4 MiB
			appendNamed(t, s, 0, 100, size)
			var b *Batch
			if end != "none" {
				var err error
				b, err = s.Next(5, 1<<20)
				ok(t, err)
			}
			appendNamed(t, s, 100, all, size)
			if st := s.Stats(); st.Bytes > MinBytes || st.Bytes < MinBytes*9/10 {
				t.Errorf("%d bytes", st.Bytes)
			}
			want := uint64(all)
			switch end {
			case "ack":
				b.Ack()
				want -= 5
			case "release":
				b.Release()
			}
			got := drain(t, s)
			if n := d.sum(); uint64(len(got))+n != want || n < 500 || d.n["exception spool_full"] != n {
				t.Errorf("read %d, dropped %v of %d", len(got), d.n, want)
			}
			if diff := cmp.Diff(names(all-len(got), all), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTooOld(t *testing.T) {
	d := &dropped{}
	now := time.Now()
	o := options(t.TempDir(), d)
	o.Now = func() time.Time { return now }
	s, err := Open(o)
	ok(t, err)
	ok(t, s.Append(named(0, 200<<10/2), named(1, 100<<10))) // more than half a segment
	now = now.Add(30 * time.Minute)
	appendNamed(t, s, 2, 4, 120<<10)
	ok(t, s.Append(Record{record.Exit, []byte(`{"n":"000004"}`)}))
	now = now.Add(31 * time.Minute)
	appendNamed(t, s, 5, 6, 100)
	if diff := cmp.Diff(names(2, 6), drain(t, s)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]uint64{"exception too_old": 2}, d.n); diff != "" {
		t.Error(diff)
	}
	appendNamed(t, s, 6, 9, 100) // of one segment: each record for itself
	now = now.Add(59 * time.Minute)
	appendNamed(t, s, 9, 10, 100)
	now = now.Add(2 * time.Minute)
	if diff := cmp.Diff(names(9, 10), drain(t, s)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]uint64{"exception too_old": 5}, d.n); diff != "" {
		t.Error(diff)
	}
}

func TestANewerFormatIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	appendNamed(t, s, 0, 3, 100)
	dir = killed(t, dir)
	newer := filepath.Join(dir, "0000000000000007.seg")
	ok(t, os.WriteFile(newer, []byte("pm25 spool 0002\nwhatever"), 0o600))
	ok(t, os.Truncate(segments(t, dir)[0], 100)) // would be repaired
	_, err := Open(options(dir, &dropped{}))
	if err == nil || !strings.Contains(err.Error(), "newer pm25-agent") || !strings.Contains(err.Error(), newer) {
		t.Fatalf("error %v", err)
	}
	data, err := os.ReadFile(newer)
	ok(t, err)
	info, err := os.Stat(segments(t, dir)[0])
	ok(t, err)
	if string(data) != "pm25 spool 0002\nwhatever" || info.Size() != 100 {
		t.Error("something was changed")
	}
	ok(t, os.Remove(newer))
	s, _ = open(t, dir) // the lock was given back
	ok(t, s.Close())
}

func TestOneProcessHasTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "spool")
	s, _ := open(t, dir)
	if _, err := Open(options(dir, &dropped{})); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("error %v", err)
	}
	appendNamed(t, s, 0, 1, 100)
	for path, want := range map[string]os.FileMode{dir: 0o700, segments(t, dir)[0]: 0o600, filepath.Join(dir, positionName): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	ok(t, s.Close())
	s, _ = open(t, dir)
	ok(t, s.Close())
}

// After a sync that failed nobody knows what is on the disk: what was refused may
// come, what was taken has to.
func TestSyncFails(t *testing.T) {
	broken := errors.New("broken")
	var fail bool
	d := &dropped{}
	dir := t.TempDir()
	o := options(dir, d)
	o.sync = func(f *os.File) error {
		if fail {
			return broken
		}
		return f.Sync()
	}
	s, err := Open(o)
	ok(t, err)
	appendNamed(t, s, 0, 3, 100)
	fail = true
	for n := 3; n < 6; n++ {
		if err := s.Append(named(n, 100)); !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
	}
	fail = false
	appendNamed(t, s, 6, 9, 100)
	if n := len(segments(t, dir)); n != 2 {
		t.Errorf("%d segments: nothing may be appended after a sync that failed", n)
	}
	want := append(names(0, 3), names(6, 9)...)
	again, _ := open(t, killed(t, dir))
	for _, s := range []*Spool{s, again} {
		if diff := cmp.Diff(want, drain(t, s)); diff != "" {
			t.Error(diff)
		}
	}
	if st := s.Stats(); st.Failures != 3 || d.sum() != 0 {
		t.Errorf("failures %d, dropped %v", st.Failures, d.n)
	}
	if err := s.Append(Record{record.Exit, make([]byte, record.MaxRecord+1)}); err == nil {
		t.Error("took a record that is too large")
	}
}

func TestEachKindHasItsNumber(t *testing.T) {
	for _, k := range record.Kinds() {
		if code := codeOf(k); code == 0 || kindOf(code) != k {
			t.Errorf("kind %q has number %d", k, code)
		}
	}
	if codeOf("new") != 0 || kindOf(200) != Unknown {
		t.Error("what is not known is not Unknown")
	}
}

// Append returns after the records, and the name of a new file, are on the disk.
func TestWhatIsSynced(t *testing.T) {
	var synced []string
	dir := t.TempDir()
	o := options(dir, &dropped{})
	o.sync = func(f *os.File) error {
		info, err := f.Stat()
		ok(t, err)
		size := "folder"
		if !info.IsDir() {
			size = strconv.Itoa(int(info.Size()))
		}
		synced = append(synced, size)
		return f.Sync()
	}
	s, err := Open(o)
	ok(t, err)
	ok(t, s.Append(named(0, 100)))
	frame := headSize + len(named(0, 100).JSON)
	ok(t, s.Append(named(1, 100), named(2, 100)))
	want := []string{strconv.Itoa(headerSize), "folder", strconv.Itoa(headerSize + frame), strconv.Itoa(headerSize + 3*frame)}
	if diff := cmp.Diff(want, synced); diff != "" {
		t.Error(diff)
	}
	ok(t, s.Close())
}

// The age that alerts are made of: of what waits longest, over restarts.
func TestOldest(t *testing.T) {
	dir := t.TempDir()
	d := &dropped{}
	began := time.UnixMilli(1_800_000_000_000)
	now := began
	o := options(dir, d)
	o.Now = func() time.Time { return now }
	s, err := Open(o)
	ok(t, err)
	for n := range 5 {
		ok(t, s.Append(named(n, 100)))
		now = now.Add(time.Minute)
	}
	oldest := func(want time.Duration) {
		t.Helper()
		if got := s.Stats().Oldest.Sub(began); got != want {
			t.Errorf("the oldest is %s later, want %s", got, want)
		}
	}
	oldest(0)
	b, err := s.Next(2, 1<<20)
	ok(t, err)
	b.Ack()
	oldest(time.Minute) // not read yet: that of the one before
	o.Dir = killed(t, dir)
	s, err = Open(o)
	ok(t, err)
	oldest(2 * time.Minute)
	b, err = s.Next(2, 1<<20)
	ok(t, err)
	b.Release()
	oldest(2 * time.Minute)
	drain(t, s)
	if !s.Stats().Oldest.IsZero() {
		t.Error("there is an oldest of none")
	}
	appendNamed(t, s, 5, 6, 100)
	oldest(5 * time.Minute)
	drain(t, s)
	now = now.Add(time.Minute)
	appendNamed(t, s, 6, 7, 100)
	oldest(6 * time.Minute)
}
