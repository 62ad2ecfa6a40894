package sqlite

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/pm25/pm25/sessionstore"
)

// TestMetadataOfLongAgo: samples of groups outlive the rows that metadata is in.
func TestMetadataOfLongAgo(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	s := openTest(t, Options{Now: func() time.Time { return now }})
	old := testRecord(now, 1)
	push(t, s, old)
	now = now.Add(DefaultRetention + 72*time.Hour)
	recent := testRecord(now, 2)
	push(t, s, recent)
	ok(t, s.Sweep(t.Context()))
	push(t, s, testRecord(now, 1))
	err := s.read(t.Context(), func(c *conn) error {
		if n, err := c.number("SELECT count(*) FROM metadata WHERE used < ?", floorDiv(now.UnixNano(), day)); n != 0 || err != nil {
			t.Errorf("%d rows that nothing uses, %v", n, err)
		}
		lost := "SELECT count(*) FROM records WHERE at >= ? AND (who NOT IN (SELECT id FROM metadata) OR what NOT IN (SELECT id FROM metadata))"
		if n, err := c.number(lost, now.UnixNano()); n != 0 || err != nil {
			t.Errorf("%d new records whose metadata is gone, %v", n, err)
		}
		return nil
	})
	ok(t, err)
	s.pairs = pairTable{}
	for _, noLines := range []bool{false, true} {
		n := 0
		ok(t, s.Entries(t.Context(), sessionstore.Selection{End: math.MaxInt64, NoLines: noLines}, func(e *sessionstore.Entry) bool {
			r, _, err := s.Record(t.Context(), e.ID)
			ok(t, err)
			if !slices.Equal(e.Metadata, r.Metadata()) {
				t.Errorf("%v, want %v", e.Metadata, r.Metadata())
			}
			n++
			return true
		}))
		if n < 3 {
			t.Error(n, "entries")
		}
	}
}
