package daemonlog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// dir is a folder that the test owns.
type dir string

func (d dir) Open(name string) (*os.File, error) { return os.Open(filepath.Join(string(d), name)) }

func (d dir) Stat(name string) (fs.FileInfo, error) { return os.Stat(filepath.Join(string(d), name)) }

func (d dir) Names() (names []string, err error) {
	entries, err := os.ReadDir(string(d))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func (d dir) append(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(string(d), name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// copyTruncate rotates as pm2-logrotate does.
func (d dir) copyTruncate(t *testing.T, to string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(string(d), FileName))
	if err != nil {
		t.Fatal(err)
	}
	d.append(t, to, string(data))
	if err := os.Truncate(filepath.Join(string(d), FileName), 0); err != nil {
		t.Fatal(err)
	}
}

func all(t *testing.T, tail *Tail) string {
	t.Helper()
	var lines []string
	for {
		line, err := tail.Next()
		if errors.Is(err, io.EOF) {
			return strings.Join(lines, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
}

func want(t *testing.T, tail *Tail, lines string) {
	t.Helper()
	if got := all(t, tail); got != lines {
		t.Fatalf("read %q, want %q", got, lines)
	}
}

func start(t *testing.T) (dir, *Tail) {
	d := dir(t.TempDir())
	d.append(t, FileName, "old1\nold2\n")
	tail := NewTail(d)
	t.Cleanup(tail.Close)
	if err := tail.SeekEnd(); err != nil {
		t.Fatal(err)
	}
	want(t, tail, "")
	return d, tail
}

func TestTailGivesEachLineOnce(t *testing.T) {
	d, tail := start(t)
	d.append(t, FileName, "a\nb\nhal")
	want(t, tail, "a b")
	d.append(t, FileName, "f\n\nc\n")
	want(t, tail, "half  c")
	want(t, tail, "")
}

func TestTailFollowsTruncation(t *testing.T) {
	d, tail := start(t)
	d.append(t, FileName, "a\n")
	want(t, tail, "a")
	d.copyTruncate(t, "pm2__2026.log")
	d.append(t, FileName, "b\n")
	want(t, tail, "b")
	// Truncated, and grown past the old place before we looked.
	d.copyTruncate(t, "pm2__2027.log")
	d.append(t, FileName, "a much longer line than before\nc\n")
	want(t, tail, "a much longer line than before c")
}

// TestPlaceInAnEmptiedLog: the tail stops when the log was rotated and nothing
// was written yet, and the log is rotated again before it is taken up.
func TestPlaceInAnEmptiedLog(t *testing.T) {
	d, tail := start(t)
	for i, name := range []string{"a", "b", "c"} {
		// Followed live, then taken up from a copy.
		d.append(t, FileName, name+"1\n")
		want(t, tail, name+"1")
		d.copyTruncate(t, fmt.Sprintf("pm2__%d.log", 2*i))
		want(t, tail, "")
		pos := tail.Position()
		tail.Close()
		d.append(t, FileName, name+"2\n")
		d.copyTruncate(t, fmt.Sprintf("pm2__%d.log", 2*i+1))
		if found, err := tail.Resume(pos); !found || err != nil {
			t.Fatalf("place %+v: found %v, %v", pos, found, err)
		}
		want(t, tail, name+"2")
		want(t, tail, "")
	}
	d.append(t, FileName, "end\n")
	want(t, tail, "end")
}

func TestTailFollowsRename(t *testing.T) {
	d, tail := start(t)
	if err := os.Rename(filepath.Join(string(d), FileName), filepath.Join(string(d), "pm2.log.1")); err != nil {
		t.Fatal(err)
	}
	d.append(t, FileName, "")
	d.append(t, "pm2.log.1", "the old daemon still writes here\n")
	want(t, tail, "the old daemon still writes here")
	d.append(t, FileName, "new\n")
	want(t, tail, "new")
}

func TestTailPassesOverLongLines(t *testing.T) {
	d, tail := start(t)
	d.append(t, FileName, strings.Repeat("x", 3*maxLine)+"\nshort\n")
	want(t, tail, "short")
}

func TestResume(t *testing.T) {
	for name, c := range map[string]struct {
		away  func(t *testing.T, d dir)
		found bool
		lines string
	}{
		"nothing happened": {func(*testing.T, dir) {}, true, ""},
		"lines added":      {func(t *testing.T, d dir) { d.append(t, FileName, "c\nd\n") }, true, "c d"},
		"copied and truncated": {func(t *testing.T, d dir) {
			d.append(t, FileName, "c\n")
			d.copyTruncate(t, "pm2__2026-11-22.log")
			d.append(t, FileName, "d\n")
		}, true, "c d"},
		"twice": {func(t *testing.T, d dir) {
			d.append(t, FileName, "c\n")
			d.copyTruncate(t, "pm2__1.log")
			old(t, d, "pm2__1.log")
			d.append(t, FileName, "d\n")
			d.copyTruncate(t, "pm2__2.log")
			d.append(t, FileName, "e\n")
		}, true, "c d e"},
		"renamed": {func(t *testing.T, d dir) {
			d.append(t, FileName, "c\n")
			if err := os.Rename(filepath.Join(string(d), FileName), filepath.Join(string(d), "pm2.log.1")); err != nil {
				t.Fatal(err)
			}
			d.append(t, FileName, "d\n")
		}, true, "c d"},
		"renamed, nothing new yet": {func(t *testing.T, d dir) {
			d.append(t, FileName, "c\n")
			if err := os.Rename(filepath.Join(string(d), FileName), filepath.Join(string(d), "pm2.log.1")); err != nil {
				t.Fatal(err)
			}
		}, true, "c"},
		"lost": {func(t *testing.T, d dir) {
			if err := os.Truncate(filepath.Join(string(d), FileName), 0); err != nil {
				t.Fatal(err)
			}
			d.append(t, FileName, strings.Repeat("other\n", 20))
		}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, tail := start(t)
			d.append(t, FileName, "a\nb\n")
			want(t, tail, "a b")
			pos := tail.Position()
			tail.Close()
			c.away(t, d)
			again := NewTail(d)
			t.Cleanup(again.Close)
			found, err := again.Resume(pos)
			if err != nil || found != c.found {
				t.Fatalf("Resume = %v, %v", found, err)
			}
			want(t, again, c.lines)
			d.append(t, FileName, "after\n")
			want(t, again, "after")
		})
	}
}

// TestPositionIsTheLastLineGiven holds that lines read ahead into the buffer
// but not given out are given after a Resume.
func TestPositionIsTheLastLineGiven(t *testing.T) {
	d, tail := start(t)
	for i := range 100 {
		d.append(t, FileName, fmt.Sprintf("line%d\n", i))
	}
	for range 10 {
		if _, err := tail.Next(); err != nil {
			t.Fatal(err)
		}
	}
	again := NewTail(d)
	t.Cleanup(again.Close)
	if found, err := again.Resume(tail.Position()); !found || err != nil {
		t.Fatal(found, err)
	}
	if line, err := again.Next(); string(line) != "line10" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
}

func old(t *testing.T, d dir, name string) {
	t.Helper()
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(string(d), name), past, past); err != nil {
		t.Fatal(err)
	}
}
