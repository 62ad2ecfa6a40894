package sqlite

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// randomText is a value of a label, sometimes none.
func randomText(random *rand.Rand) string {
	return []string{"", "a", "b", "ab", "a.b", "中", "'", `"`, "%", "_", "A", "a\u00e9", "x y"}[random.IntN(13)]
}

func randomRecord(random *rand.Rand, at time.Time) *record.Record {
	r := testRecord(at, random.IntN(5)-1)
	r.At += int64(random.IntN(100)) // many share a time
	r.Host, r.Daemon, r.Namespace, r.App = randomText(random), randomText(random), randomText(random), randomText(random)
	r.Level = []record.Level{record.LevelError, record.LevelInfo}[random.IntN(2)]
	return r
}

// evaluate is the plain reading of what a selection means.
func evaluate(records []*record.Record, sel sessionstore.Selection) (ids []string) {
	records = slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool {
		for _, m := range sel.Matchers {
			value := ""
			for _, p := range r.StreamLabels("main") {
				if p.Name == m.Name {
					value = p.Value
				}
			}
			if !m.Matches(value) {
				return true
			}
		}
		return r.At < sel.Start || r.At >= sel.End
	})
	slices.SortFunc(records, func(a, b *record.Record) int {
		if a.At != b.At {
			return compareInt(a.At, b.At)
		}
		return slices.Compare([]byte(a.ID), []byte(b.ID))
	})
	if sel.Backward {
		slices.Reverse(records)
	}
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	return ids
}

// FuzzSelection compares what the store selects with the plain reading.
func FuzzSelection(f *testing.F) {
	s, err := Open(Options{Path: f.TempDir() + "/pm25.db"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	random, at := rand.New(rand.NewPCG(3, 4)), time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	var records []*record.Record
	for range 400 {
		records = append(records, randomRecord(random, at))
	}
	if _, _, err := s.Push(f.Context(), "main", record.Agent{}, records); err != nil {
		f.Fatal(err)
	}
	// The store adds records of changes of groups: they are read from it.
	known := len(records)
	err = s.Entries(f.Context(), everything(), func(e *sessionstore.Entry) bool {
		if e.Stream.Labels.Get("kind") == "group" {
			r, _, err := s.Record(f.Context(), e.ID)
			if err != nil {
				f.Fatal(err)
			}
			records = append(records, r)
		}
		return true
	})
	if err != nil || len(records) == known {
		f.Fatal(len(records), err)
	}
	for i, value := range []string{"a", "", "a|b", ".+", ".*", "[^a]*", "(?i)a", "中", "' OR 1=1 --", "a.b", "(", "%"} {
		f.Add(uint8(i), uint8(i), value, uint8(i+1), "a", int16(-1), int16(110), i%2 == 0)
		f.Add(uint8(i+1), uint8(i+3), value, uint8(7), "", int16(5), int16(50), i%2 == 0)
	}
	names := []string{"app", "bucket", "daemon", "host", "kind", "level", "pm2_namespace", "none", "__name__"}
	f.Fuzz(func(t *testing.T, op, name uint8, value string, other uint8, otherValue string, start, end int16, backward bool) {
		sel := sessionstore.Selection{Start: at.UnixNano() + int64(start), End: at.UnixNano() + int64(end), Backward: backward}
		for _, m := range []struct {
			op, name uint8
			value    string
		}{{op, name, value}, {op / 4, other, otherValue}} {
			matcher, err := labels.NewMatcher(labels.MatchType(m.op%4), names[int(m.name)%len(names)], m.value)
			if err != nil {
				return // no regular expression
			}
			sel.Matchers = append(sel.Matchers, matcher)
		}
		want := evaluate(records, sel)
		var got []string
		ok(t, s.Entries(t.Context(), sel, func(e *sessionstore.Entry) bool { got = append(got, e.ID); return true }))
		if !slices.Equal(got, want) {
			t.Fatalf("%v from %d to %d: got %d, want %d entries\n%v\n%v", sel.Matchers, start, end, len(got), len(want), got, want)
		}
		compareCounts(t, s, sel, len(want))
		compareRest(t, s, sel, want)
	})
}

func compareCounts(t *testing.T, s *Store, sel sessionstore.Selection, want int) {
	t.Helper()
	times, last := 0, int64(0)
	ok(t, s.Times(t.Context(), sel, func(st *sessionstore.Stream, at int64) bool {
		if times > 0 && (at < last) != sel.Backward && at != last || !st.Matches(sel.Matchers) {
			t.Fatalf("time %d after %d", at, last)
		}
		times, last = times+1, at
		return true
	}))
	v, err := s.Volume(t.Context(), sel.Matchers, sel.Start, sel.End)
	ok(t, err)
	streams, err := s.Streams(t.Context(), sel.Matchers, sel.Start, sel.End)
	ok(t, err)
	if times != want || int(v.Entries) != want || int(v.Streams) != len(streams) || (len(streams) == 0) != (want == 0) {
		t.Fatalf("%v: %d times, volume %+v, %d streams, want %d", sel.Matchers, times, v, len(streams), want)
	}
}

// compareRest continues behind an entry in the middle.
func compareRest(t *testing.T, s *Store, sel sessionstore.Selection, want []string) {
	t.Helper()
	if len(want) == 0 {
		return
	}
	middle := len(want) / 2
	r, _, err := s.Record(t.Context(), want[middle])
	ok(t, err)
	sel.After = sessionstore.Cursor{At: r.At, ID: r.ID}
	var got []string
	ok(t, s.Entries(t.Context(), sel, func(e *sessionstore.Entry) bool { got = append(got, e.ID); return true }))
	if !slices.Equal(got, want[middle+1:]) {
		t.Fatalf("behind the entry %d of %d there are %d", middle, len(want), len(got))
	}
}

// FuzzData reads data that is damaged.
func FuzzData(f *testing.F) {
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	for i := range 3 {
		data, _, err := c.encode(testRecord(time.Now(), i-1))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte{formPlain, 3, 2, 'a', 'b'})
	f.Fuzz(func(t *testing.T, data []byte) {
		line, lineErr := c.line(data)
		if r, err := c.record(data); err == nil && r == nil {
			t.Fatal("neither a record nor an error")
		}
		if lineErr == nil && len(line) > maxPlain*2 {
			t.Fatal("more than it may be")
		}
	})
}
