package sessionstoretest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// testCounts compares counts with what they count, for cells that are hours and
// others, with records on their borders.
func testCounts(t *testing.T, h *harness) {
	random := rand.New(rand.NewPCG(3, 4))
	day := h.clock.Now().Truncate(24 * time.Hour)
	var records []*record.Record
	for i := range 900 {
		at := day.Add(time.Duration(random.IntN(16)-24) * 30 * time.Minute) // many on the border of an hour
		if i%3 == 0 {
			at = at.Add(time.Duration(random.IntN(5) - 2))
		}
		r := h.event(at.Sub(h.clock.Now()))
		switch i % 4 {
		case 0:
			r = h.exception(fmt.Sprint("bug", i%5), at.Sub(h.clock.Now()))
			r.Occurrences = uint64(random.IntN(40))
		case 1:
			r.Kind, r.Event, r.Request = record.SlowRequest, nil, &record.RequestInfo{Method: "GET", Route: "/", Code: 200, Seconds: 1.5}
		}
		r.App = fmt.Sprint("app-", i%3)
		records = append(records, r)
	}
	h.push(records...)
	for _, width := range []time.Duration{time.Nanosecond * 7, time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 5*time.Hour + time.Minute, 24 * time.Hour} {
		for _, shift := range []time.Duration{0, 1, -1, time.Hour, 7 * time.Minute} {
			for _, n := range []int{1, 3, 20} {
				cells := sessionstore.Cells{Start: day.Add(shift - 11*time.Hour).UnixNano(), Width: width, Count: n, Occurrences: true}
				if got, want := h.counts(cells), countsOf(records, cells); !maps.Equal(got, want) {
					t.Fatalf("%d cells of %s from %s on: got %v, want %v", n, width, time.Unix(0, cells.Start).UTC(), got, want)
				}
			}
		}
	}
	n := 0
	err := h.Counts(t.Context(), nil, sessionstore.Cells{Start: day.Add(-24 * time.Hour).UnixNano(), Width: time.Hour, Count: 48}, func(*sessionstore.Stream, int, sessionstore.Count) bool { n++; return false })
	if err != nil || n != 1 {
		t.Errorf("%d cells after the end, %v", n, err)
	}
}

type cellOf struct {
	app, kind string
	cell      int
}

func (h *harness) counts(cells sessionstore.Cells) map[cellOf]sessionstore.Count {
	h.t.Helper()
	out := map[cellOf]sessionstore.Count{}
	err := h.Counts(h.t.Context(), everything("host=web-1").Matchers, cells, func(st *sessionstore.Stream, cell int, c sessionstore.Count) bool {
		k := cellOf{st.Labels.Get("app"), st.Labels.Get("kind"), cell}
		if _, twice := out[k]; twice {
			h.t.Errorf("%v comes twice", k)
		}
		out[k] = c
		return true
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func countsOf(records []*record.Record, cells sessionstore.Cells) map[cellOf]sessionstore.Count {
	out := map[cellOf]sessionstore.Count{}
	for _, r := range records {
		if after := r.At - cells.Start; after > 0 && after <= int64(cells.Width)*int64(cells.Count) {
			k := cellOf{r.App, string(r.Kind), int((after - 1) / int64(cells.Width))}
			c := out[k]
			c.Entries++
			if r.Exception != nil {
				c.Occurrences += int64(r.Count())
			}
			out[k] = c
		}
	}
	return out
}

// testMetadataAlone: it is the same without lines, whatever is in it.
func testMetadataAlone(t *testing.T, h *harness) {
	var records []*record.Record
	for i, seconds := range []float64{0, 0.0004, 0.001, 1.9996, 12345.678, 1e17, 3e300} {
		r := h.event(time.Duration(i) * time.Second)
		r.Kind, r.Event, r.Request = record.SlowRequest, nil, &record.RequestInfo{Method: "GET", Route: "/购物车/:id", Code: 200 + i, Seconds: seconds, Aborted: i%2 == 0}
		r.PMID = i - 1
		records = append(records, r)
	}
	for i, occurrences := range []uint64{0, 1, 9999, 1 << 53} {
		r := h.exception(strconv.Itoa(i), time.Duration(10+i)*time.Second)
		r.Occurrences, r.Exception.Method, r.Node = occurrences, "seconds", ""
		records = append(records, r)
	}
	h.push(records...)
	for range 2 {
		sel := everything("host=web-1")
		sel.NoLines = true
		for i, e := range h.entries(sel) {
			if !slices.Equal(e.Metadata, records[i].Metadata()) {
				t.Errorf("entry %d: got %v, want %v", i, e.Metadata, records[i].Metadata())
			}
		}
		h.Store = h.again()
	}
}
