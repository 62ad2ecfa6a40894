package spool

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// boundaries are where the frames of a segment end.
func boundaries(t *testing.T, path string) (ends []int64) {
	t.Helper()
	data, err := os.ReadFile(path)
	ok(t, err)
	for sc := (scanner{r: bytes.NewReader(data), at: headerSize, end: int64(len(data))}); ; {
		_, _, err := sc.next()
		if errors.Is(err, io.EOF) {
			return ends
		}
		ok(t, err)
		ends = append(ends, sc.at)
	}
}

// Wherever the last segment is cut off, the records before that are all there, and
// nothing else; the rest is counted, and appending goes on.
func TestTornAtEachByte(t *testing.T) {
	origin := t.TempDir()
	s, _ := openFast(t, origin)
	appendNamed(t, s, 0, 4, 60)
	path := segments(t, origin)[0]
	ends := boundaries(t, path)
	size := ends[len(ends)-1]
	for cut := range size {
		dir := killed(t, origin)
		ok(t, os.Truncate(segments(t, dir)[0], cut))
		whole, good := 0, int64(headerSize)
		for _, end := range ends {
			if end <= cut {
				whole++
				good = end
			}
		}
		if cut < headerSize {
			good = 0
		}
		s, d := openFast(t, dir)
		if torn := s.Stats().TornBytes; torn != uint64(cut-good) {
			t.Errorf("cut at %d: %d bytes torn, want %d", cut, torn, cut-good)
		}
		appendNamed(t, s, 100, 102, 60)
		if diff := cmp.Diff(append(names(0, whole), names(100, 102)...), drain(t, s)); diff != "" {
			t.Errorf("cut at %d: %s", cut, diff)
		}
		if d.sum() != 0 {
			t.Errorf("cut at %d: dropped %v", cut, d.n)
		}
		ok(t, s.Close())
	}
}

// A bit that flips costs the record that it is in, and no other; it is counted once,
// over restarts too.
func TestFlippedBits(t *testing.T) {
	origin := t.TempDir()
	s, _ := openFast(t, origin)
	appendNamed(t, s, 0, 4, 60)
	ok(t, s.Close())
	s, _ = openFast(t, origin) // the damaged segment is not the last one
	appendNamed(t, s, 4, 6, 60)
	path := filepath.Base(segments(t, origin)[0])
	ends := boundaries(t, filepath.Join(origin, path))
	for at := int64(headerSize); at < ends[len(ends)-1]; at++ {
		dir := killed(t, origin)
		flip(t, filepath.Join(dir, path), at)
		var want []string
		begin := int64(headerSize)
		for n, end := range ends {
			if at < begin || at >= end {
				want = append(want, names(n, n+1)...)
			}
			begin = end
		}
		want = append(want, names(4, 6)...)
		s, d := openFast(t, dir)
		if st := s.Stats(); d.n["unknown corrupt"] != 1 || st.CorruptBytes == 0 || st.TornBytes != 0 {
			t.Errorf("bit in byte %d: dropped %v, %+v", at, d.n, st)
		}
		s, again := openFast(t, killed(t, dir))
		if diff := cmp.Diff(want, drain(t, s)); diff != "" {
			t.Errorf("bit in byte %d: %s", at, diff)
		}
		if again.sum() != 0 || s.Stats().CorruptBytes != 0 {
			t.Errorf("bit in byte %d: counted again: %v", at, again.n)
		}
		if info, err := os.Stat(s.path(1, corruptSuffix)); err != nil || info.Size() == 0 {
			t.Errorf("bit in byte %d: nothing is kept aside: %v", at, err)
		}
		ok(t, s.Close())
	}
}

func flip(t *testing.T, path string, at int64) {
	t.Helper()
	data, err := os.ReadFile(path)
	ok(t, err)
	data[at] ^= 1 << (at % 8)
	ok(t, os.WriteFile(path, data, 0o600))
}

// The same while the spool is open: what it knew to be there is counted by its kind.
func TestDamageWhileItRuns(t *testing.T) {
	dir := t.TempDir()
	s, d := openFast(t, dir)
	appendNamed(t, s, 0, 6, 60<<10) // two segments
	first := segments(t, dir)[0]
	flip(t, first, boundaries(t, first)[0]+headSize+30)
	got := drain(t, s)
	if diff := cmp.Diff(append(names(0, 1), names(2, 6)...), got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]uint64{"exception corrupt": 1}, d.n); diff != "" {
		t.Error(diff)
	}
	if st := s.Stats(); st.CorruptBytes < 60<<10 {
		t.Errorf("%+v", st)
	}
	if info, err := os.Stat(s.path(1, corruptSuffix)); err != nil || info.Size() < 60<<10 || info.Mode().Perm() != 0o600 {
		t.Errorf("kept aside: %v, %v", info, err)
	}
}

// A segment that is gone, or no file any more, costs its records.
func TestASegmentThatCanNotBeRead(t *testing.T) {
	dir := t.TempDir()
	s, d := openFast(t, dir)
	appendNamed(t, s, 0, 6, 60<<10)
	first := segments(t, dir)[0]
	inFirst := uint64(len(boundaries(t, first)))
	ok(t, os.Remove(first))
	ok(t, os.Mkdir(first, 0o700))
	if diff := cmp.Diff(names(int(inFirst), 6), drain(t, s)); diff != "" {
		t.Error(diff)
	}
	if d.n["exception corrupt"] != inFirst {
		t.Errorf("dropped %v, want %d", d.n, inFirst)
	}
}

// Whole files of garbage, in any place, cost themselves only and stay bounded.
func TestGarbage(t *testing.T) {
	dir := t.TempDir()
	s, _ := openFast(t, dir)
	appendNamed(t, s, 0, 3, 100)
	ok(t, s.Close())
	random := rand.New(rand.NewPCG(1, 2))
	garbage := make([]byte, 3<<20)
	for i := range garbage {
		garbage[i] = byte(random.Uint32())
	}
	for i, content := range [][]byte{garbage, bytes.Repeat([]byte{mark}, 3<<20), make([]byte, 5000), nil, []byte("pm25 spool"), []byte("x")} {
		ok(t, os.WriteFile(s.path(uint64(100+i), segmentSuffix), content, 0o600))
	}
	ok(t, os.Symlink("/etc/passwd", s.path(200, segmentSuffix)))
	for i := range 20 {
		ok(t, os.WriteFile(s.path(uint64(300+i), corruptSuffix), nil, 0o600))
	}
	s, d := openFast(t, dir)
	appendNamed(t, s, 3, 5, 100)
	if diff := cmp.Diff(names(0, 5), drain(t, s)); diff != "" {
		t.Error(diff)
	}
	if st := s.Stats(); st.CorruptBytes < 6<<20 || d.n["unknown corrupt"] < 3 {
		t.Errorf("%+v, %v", st, d.n)
	}
	aside, err := filepath.Glob(filepath.Join(dir, "*"+corruptSuffix))
	ok(t, err)
	if len(aside) > maxAsideFiles {
		t.Errorf("%d files are kept aside", len(aside))
	}
	for _, path := range aside {
		if info, err := os.Stat(path); err != nil || info.Size() > maxAsideFile {
			t.Errorf("%s: %v", path, err)
		}
	}
	ok(t, s.Close())
}

func FuzzScanner(f *testing.F) {
	frames := appendFrame(nil, 1, 5, []byte(`{"a":1}`))
	f.Add(frames)
	f.Add(append([]byte{mark, 1, 2}, appendFrame(frames, 200, -1, []byte(`"x"`))...))
	f.Add(appendFrame(nil, 0, 0, frames)) // a frame within a frame
	f.Add([]byte{mark, 0, 0, 0, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		var rebuilt, read int64
		for sc := (scanner{r: bytes.NewReader(data), end: int64(len(data))}); ; {
			r, damaged, err := sc.next()
			rebuilt += damaged
			if errors.Is(err, io.EOF) {
				break
			}
			ok(t, err)
			whole := appendFrame(nil, r.kind, r.at, r.json)
			if r.offset != rebuilt || !bytes.Equal(whole, data[r.offset:sc.at]) {
				t.Fatalf("frame at %d is not what is there", r.offset)
			}
			rebuilt += r.size()
			read++
		}
		if rebuilt != int64(len(data)) {
			t.Fatalf("%d of %d bytes are accounted for", rebuilt, len(data))
		}
		// In front of anything, a frame is found.
		sc := scanner{r: bytes.NewReader(append(frames[:len(frames):len(frames)], data...)), end: int64(len(frames) + len(data))}
		if r, damaged, err := sc.next(); err != nil || damaged != 0 || string(r.json) != `{"a":1}` {
			t.Fatalf("%q, %d, %v", r.json, damaged, err)
		}
	})
}
