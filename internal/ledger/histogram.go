package ledger

import (
	"github.com/pm25/pm25/internal/pm2"
)

// Histogram counts durations of requests, in classic buckets and in
// exponential ones. Both hold each request once.
type Histogram struct {
	Count   uint64     `json:"count"`
	Sum     float64    `json:"sum"`
	Classic [13]uint64 `json:"classic"` // not cumulative, see pm2.ReportBounds
	Zero    uint64     `json:"zero,omitempty"`
	// Native are the exponential buckets from the index Offset on.
	Offset int      `json:"offset,omitempty"`
	Native []uint64 `json:"native,omitempty"`
}

// bucket returns how many requests an exponential bucket holds.
func (h *Histogram) bucket(index int) uint64 {
	if i := index - h.Offset; i >= 0 && i < len(h.Native) {
		return h.Native[i]
	}
	return 0
}

// follows tells whether s can be a later state of what h is: nothing fell.
func (h *Histogram) follows(s *pm2.ReportSeries) bool {
	if s.Zero < h.Zero || s.Sum < h.Sum {
		return false
	}
	for i, n := range h.Classic {
		if s.Classic[i] < n {
			return false
		}
	}
	// Above the last bound lies what is not in the classic buckets.
	if above(s.Count, s.Classic) < above(h.Count, h.Classic) {
		return false
	}
	kept := uint64(0)
	for _, b := range s.Native {
		was := h.bucket(b.Index)
		if b.Count < was {
			return false
		}
		kept += was
	}
	return kept == h.Count-h.Zero // else a bucket is gone
}

func above(count uint64, classic [13]uint64) uint64 {
	for _, n := range classic {
		count -= n
	}
	return count
}

// widen makes room for the buckets of s and returns by how much it grew.
func (h *Histogram) widen(s *pm2.ReportSeries) int {
	if len(s.Native) == 0 {
		return 0
	}
	first, last := s.Native[0].Index, s.Native[len(s.Native)-1].Index
	before := len(h.Native)
	if before > 0 {
		first, last = min(first, h.Offset), max(last, h.Offset+before-1)
	}
	if n := last - first + 1; n > before {
		wider := make([]uint64, n)
		if before > 0 {
			copy(wider[h.Offset-first:], h.Native)
		}
		h.Offset, h.Native = first, wider
	}
	return len(h.Native) - before
}

// grow adds to h what s has more than base.
func (h *Histogram) grow(s *pm2.ReportSeries, base *Histogram) {
	h.Count += s.Count - base.Count
	h.Sum += s.Sum - base.Sum
	h.Zero += s.Zero - base.Zero
	for i := range h.Classic {
		h.Classic[i] += s.Classic[i] - base.Classic[i]
	}
	h.widen(s)
	for _, b := range s.Native {
		h.Native[b.Index-h.Offset] += b.Count - base.bucket(b.Index)
	}
}

// become makes h what s is.
func (h *Histogram) become(s *pm2.ReportSeries) {
	h.Count, h.Sum, h.Zero, h.Classic = s.Count, s.Sum, s.Zero, s.Classic
	h.widen(s)
	for _, b := range s.Native {
		h.Native[b.Index-h.Offset] = b.Count
	}
}
