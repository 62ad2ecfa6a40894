package pages

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"
)

const (
	maxLines    = 20
	chartPoints = 120
	chartWidth  = 720
	chartHeight = 180
	colors      = 8
)

// chart draws series over time, in the units of its SVG.
type chart struct {
	Width, Height     int
	Lines             []lineView
	Top, Half, Bottom string // labels
	Start, Mid, End   string
}

type lineView struct {
	Path, Series string
	Color        int // from 1 to colors
}

// newChart draws the first series; nil, if none has a value.
func newChart(m promql.Matrix, start, end time.Time) *chart {
	m = m[:min(len(m), maxLines)]
	low, high := scale(m)
	if low > high {
		return nil
	}
	const form = "15:04"
	c := &chart{
		Width: chartWidth, Height: chartHeight, Top: axis(high), Half: axis((low + high) / 2), Bottom: axis(low),
		Start: start.Format(form), Mid: start.Add(end.Sub(start) / 2).Format(form), End: end.Format(form + " MST"),
	}
	for i, s := range m {
		c.Lines = append(c.Lines, lineView{Path: path(s.Floats, low, high, start, end), Series: seriesText(s.Metric), Color: i%colors + 1})
	}
	return c
}

// scale is the lowest and the highest value to draw: from 0 on, unless the
// values differ so little that nothing would be seen.
func scale(m promql.Matrix) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, s := range m {
		for _, f := range s.Floats {
			if drawable(f.F) {
				low, high = min(low, f.F), max(high, f.F)
			}
		}
	}
	switch {
	case low > high:
	case low == high:
		low, high = min(low, 0), max(high, 0)
		if low == high {
			high = 1
		}
	case low > 0 && low < high/2:
		low = 0
	}
	return low, high
}

// drawable leaves out what has no place on an axis.
func drawable(f float64) bool { return !math.IsNaN(f) && math.Abs(f) < math.MaxFloat64/4 }

// path is the line of a series; where samples are missing it has a gap.
func path(points []promql.FPoint, low, high float64, start, end time.Time) string {
	var b strings.Builder
	span := float64(end.UnixMilli() - start.UnixMilli())
	step := int64(span) / chartPoints
	last := int64(math.MinInt64 / 2)
	for _, f := range points {
		if !drawable(f.F) {
			continue
		}
		x, y := float64(f.T-start.UnixMilli())/span*chartWidth, chartHeight-(f.F-low)/(high-low)*chartHeight
		if f.T-last > step*3/2 {
			fmt.Fprintf(&b, "M%.1f %.1fh0.1", x, y) // so that a single point is seen, too
		} else {
			fmt.Fprintf(&b, "L%.1f %.1f", x, y)
		}
		last = f.T
	}
	return b.String()
}
