package pages

import (
	"time"

	"github.com/pm25/pm25/sessionstore"
)

const (
	sparkSpan   = 7 * 24 * time.Hour
	sparkStep   = 2 * time.Hour // of a bar
	sparkHeight = 40
	sparkBar    = 8 // width with its gap
)

// spark draws how often something was seen, in the units of its SVG.
type spark struct {
	Width, Height int
	Bars          []sparkBarView
	Most, Total   uint64 // in a bar, and in all
	Start, End    string
}

type sparkBarView struct {
	X, Y, Height int
	Count        uint64
	When         string
}

// newSpark draws the last days up to now; nil where nothing was seen.
func newSpark(hours []sessionstore.HourCount, now time.Time) *spark {
	const bars = int(sparkSpan / sparkStep)
	end := now.Truncate(sparkStep).Add(sparkStep)
	start := end.Add(-sparkSpan)
	var counts [bars]uint64
	s := &spark{Width: bars * sparkBar, Height: sparkHeight, Start: start.In(now.Location()).Format("01-02"), End: now.Format("01-02 15:04")}
	for _, h := range hours {
		if i := int(h.Hour.Sub(start) / sparkStep); !h.Hour.Before(start) && i < bars {
			counts[i] += h.Count
			s.Total += h.Count
			s.Most = max(s.Most, counts[i])
		}
	}
	if s.Total == 0 {
		return nil
	}
	for i, n := range counts {
		if n == 0 {
			continue
		}
		// Something is never drawn as nothing.
		height := max(2, int(float64(n)/float64(s.Most)*sparkHeight))
		s.Bars = append(s.Bars, sparkBarView{
			X: i * sparkBar, Y: sparkHeight - height, Height: height, Count: n,
			When: start.Add(time.Duration(i) * sparkStep).In(now.Location()).Format("01-02 15:04"),
		})
	}
	return s
}
