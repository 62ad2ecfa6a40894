package alertmanager

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// journaled is how many whole entries a journal holds.
func journaled(t testing.TB, dir, of string) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, of+".journal"))
	ok(t, err)
	entries, rest, err := readJournal(data)
	if err != nil || rest != 0 {
		t.Fatalf("journal of %s: %d bytes too many, %v", of, rest, err)
	}
	return len(entries)
}

// words is a state that is a set of words, which its snapshot holds one a line.
type words struct {
	mu        sync.Mutex
	all       []string
	broadcast func([]byte)
	slow      func() // called amid a snapshot
}

func (w *words) set(word string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, word)
	w.broadcast([]byte(word))
}

func (w *words) Snapshot(to io.Writer) (int64, error) {
	w.mu.Lock()
	text := strings.Join(w.all, "\n")
	w.mu.Unlock()
	if w.slow != nil {
		w.slow()
	}
	n, err := io.WriteString(to, text)
	return int64(n), err
}

func (w *words) Merge(entry []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if string(entry) == "bad" {
		return errors.New("a bad word")
	}
	if !slices.Contains(w.all, string(entry)) {
		w.all = append(w.all, string(entry))
	}
	return nil
}

func (w *words) SetBroadcast(f func([]byte)) { w.broadcast = f }
func (w *words) GC() (int, error)            { return 0, nil }

// journal opens what is in dir, as New does.
func (w *words) journal(t *testing.T, dir string) (*journal, *logs) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "words"))
	if err == nil && len(data) > 0 {
		w.all = strings.Split(string(data), "\n")
	}
	l := &logs{}
	j, err := openJournal(journalOptions{
		Path: filepath.Join(dir, "words.journal"), Snapshot: filepath.Join(dir, "words"), Name: "words", State: w,
		Failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "failures"}),
		Logger:   slog.New(slog.NewTextHandler(l, nil)), Now: time.Now,
	})
	ok(t, err)
	w.SetBroadcast(j.append)
	t.Cleanup(j.close)
	return j, l
}

func (j *journal) failures(t *testing.T) int {
	t.Helper()
	var m dto.Metric
	ok(t, j.o.Failures.Write(&m))
	return int(m.GetCounter().GetValue())
}

// reopened is what a start finds after a kill now.
func reopened(t *testing.T, dir string) string {
	t.Helper()
	at := filepath.Join(t.TempDir(), "copy")
	ok(t, os.CopyFS(at, os.DirFS(dir)))
	w := &words{}
	w.journal(t, at)
	return strings.Join(w.all, " ")
}

func TestJournal(t *testing.T) {
	dir := t.TempDir()
	w := &words{}
	j, _ := w.journal(t, dir)
	for _, word := range []string{"one", "two", ""} {
		w.set(word)
	}
	if got := reopened(t, dir); got != "one two " {
		t.Errorf("%q", got)
	}
	before, err := os.ReadFile(j.o.Path)
	ok(t, err)
	w.set("three")
	all, err := os.ReadFile(j.o.Path)
	ok(t, err)
	size, err := j.compact()
	if err != nil || size != int64(len("one\ntwo\n\nthree")) {
		t.Errorf("a snapshot of %d bytes, %v", size, err)
	}
	if n := journaled(t, dir, "words"); n != 0 {
		t.Errorf("%d entries after a snapshot", n)
	}
	w.set("four")
	if got := reopened(t, dir); got != "one two  three four" {
		t.Errorf("%q", got)
	}
	// A crash between the snapshot and the new journal: the old one is there still.
	for _, old := range [][]byte{all, before} {
		ok(t, os.WriteFile(j.o.Path, old, 0o600))
		if got := reopened(t, dir); got != "one two  three" {
			t.Errorf("%q", got)
		}
	}
}

// A write that was cut off at any place costs itself only.
func TestTornJournal(t *testing.T) {
	dir := t.TempDir()
	w := &words{}
	j, _ := w.journal(t, dir)
	w.set("one")
	whole := j.size
	w.set("another")
	all, err := os.ReadFile(j.o.Path)
	ok(t, err)
	for cut := range all {
		at := t.TempDir()
		ok(t, os.WriteFile(filepath.Join(at, "words.journal"), all[:cut], 0o600))
		back := &words{}
		j, l := back.journal(t, at)
		if got, want := strings.Join(back.all, " "), map[bool]string{true: "one"}[int64(cut) >= whole]; got != want {
			t.Errorf("cut at %d: %q, want %q", cut, got, want)
		}
		first := int64(len(journalMagic))
		if warned := strings.Contains(l.String(), "no whole entry"); warned == (cut == 0 || int64(cut) == first || int64(cut) == whole) {
			t.Errorf("cut at %d: %s", cut, l)
		}
		back.set("after")
		if n := journaled(t, at, "words"); n != 1 || j.failures(t) != 0 {
			t.Errorf("cut at %d: %d entries after the repair", cut, n)
		}
	}
	flipped := slices.Clone(all)
	flipped[len(flipped)-1] ^= 1
	if entries, rest, err := readJournal(flipped); err != nil || len(entries) != 1 || rest == 0 {
		t.Errorf("with a flipped bit: %q, %d, %v", entries, rest, err)
	}
}

// What is set while a snapshot is made is in the journal that follows.
func TestSetDuringSnapshot(t *testing.T) {
	dir := t.TempDir()
	w := &words{}
	j, _ := w.journal(t, dir)
	w.set("one")
	w.slow = func() { w.set("two") }
	_, err := j.compact()
	ok(t, err)
	w.slow = nil
	w.set("three")
	if n := journaled(t, dir, "words"); n != 2 {
		t.Errorf("%d entries", n)
	}
	if got := reopened(t, dir); got != "one two three" {
		t.Errorf("%q", got)
	}
}

func TestJournalIsBounded(t *testing.T) {
	dir := t.TempDir()
	w := &words{}
	j, _ := w.journal(t, dir)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		j.run(stop)
	}()
	t.Cleanup(func() { close(stop); <-stopped })
	for i := range 5 {
		w.set(fmt.Sprint(i) + strings.Repeat("x", maxJournal/4))
	}
	until(t, "an empty journal", func() bool {
		info, err := os.Stat(j.o.Path)
		ok(t, err)
		return info.Size() < maxJournal/2
	})
	if len(reopened(t, dir)) < 5*maxJournal/4 {
		t.Error("something was lost")
	}
	// An entry that the reader would not take is not written.
	w.set(strings.Repeat("x", maxEntry+1))
	if j.failures(t) != 1 || !j.due() {
		t.Errorf("%d failures", j.failures(t))
	}
	j.mu.Lock()
	j.size = maxJournalEver + 1
	j.mu.Unlock()
	w.set("more")
	if j.failures(t) != 2 {
		t.Errorf("a journal grows without end")
	}
	until(t, "a snapshot", func() bool { // of a journal that is shorter than it believes
		_, err := j.compact()
		return err == nil
	})
	if !strings.HasSuffix(reopened(t, dir), "more") {
		t.Error("something was lost")
	}
}

// A full disk: all stays in memory, it is told once, and written when it can be.
func TestJournalFails(t *testing.T) {
	dir := t.TempDir()
	w := &words{}
	j, l := w.journal(t, dir)
	w.set("one")
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	ok(t, j.file.Close())
	j.file = full
	for _, word := range []string{"two", "three", "four"} {
		w.set(word)
	}
	if j.failures(t) != 3 || strings.Count(l.String(), "in memory only") != 1 || !strings.Contains(l.String(), "no space left") {
		t.Errorf("%d failures, logged: %s", j.failures(t), l)
	}
	if got := reopened(t, dir); got != "one" {
		t.Errorf("%q", got)
	}
	if !j.due() {
		t.Error("no snapshot is due")
	}
	// Snapshots fail too, for some time.
	away := dir + ".away"
	ok(t, os.Rename(dir, away))
	if _, err := j.compact(); err == nil || !j.due() {
		t.Errorf("error %v", err)
	}
	ok(t, os.Rename(away, dir))
	_, err = j.compact()
	ok(t, err)
	if j.due() {
		t.Error("a snapshot is due still")
	}
	w.set("five")
	if got := reopened(t, dir); got != "one two three four five" {
		t.Errorf("%q", got)
	}
}

// When the new journal can not be made, entries are not written to a file that
// is no longer there.
func TestNoJournalAfterAFailedShift(t *testing.T) {
	dir := t.TempDir()
	w := &words{}
	j, _ := w.journal(t, dir)
	w.set("one")
	ok(t, os.Mkdir(j.o.Path+".tmp", 0o700))
	if _, err := j.compact(); err == nil {
		t.Fatal("no error")
	}
	w.set("two")
	if j.failures(t) != 1 || !j.due() {
		t.Errorf("%d failures", j.failures(t))
	}
	ok(t, os.Remove(j.o.Path+".tmp"))
	_, err := j.compact()
	ok(t, err)
	w.set("three")
	if got := reopened(t, dir); got != "one two three" {
		t.Errorf("%q", got)
	}
}

func TestForeignJournal(t *testing.T) {
	for text, want := range map[string]string{
		"hello":               "not a journal",
		"pm25 am journal 2\n": "not a journal",
		"":                    "",
		string(appendEntry([]byte(journalMagic), []byte("bad"))): "a bad word",
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "words.journal")
		ok(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := openJournal(journalOptions{Path: path, Snapshot: filepath.Join(dir, "words"), Name: "words", State: &words{}, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
		if want == "" {
			ok(t, err)
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("%q: %v", text, err)
		}
		if data, err := os.ReadFile(path); err != nil || string(data) != text {
			t.Errorf("%q: it now holds %q, %v", text, data, err)
		}
	}
	big := filepath.Join(t.TempDir(), "words.journal")
	ok(t, os.WriteFile(big, nil, 0o600))
	ok(t, os.Truncate(big, maxJournalEver+maxEntry+1))
	if _, err := openJournal(journalOptions{Path: big, Name: "words"}); err == nil {
		t.Error("a journal of too many bytes was read")
	}
}

func FuzzReadJournal(f *testing.F) {
	whole := appendEntry(appendEntry([]byte(journalMagic), []byte("one")), nil)
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add([]byte("pm25"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, rest, err := readJournal(data)
		if err != nil {
			return
		}
		back := []byte(journalMagic)
		for _, e := range entries {
			back = appendEntry(back, e)
		}
		if rest > len(data) || len(data) >= len(journalMagic) && !bytes.Equal(back, data[:len(data)-rest]) {
			t.Errorf("%d entries and %d bytes of %q", len(entries), rest, data)
		}
	})
}
