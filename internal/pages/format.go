package pages

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// span writes ids briefly: 0, 1, 2, 5 is "0–2, 5".
func span(ids []string) string {
	const most = 4 // parts; the rest is seen where the group is opened
	var parts []string
	for i := 0; i < len(ids); {
		if len(parts) == most {
			parts = append(parts, "…")
			break
		}
		j := i
		for j+1 < len(ids) && number(ids[j]) >= 0 && number(ids[j+1]) == number(ids[j])+1 {
			j++
		}
		switch j - i {
		case 0:
			parts = append(parts, ids[i])
		case 1:
			parts = append(parts, ids[i]+", "+ids[j])
		default:
			parts = append(parts, ids[i]+"–"+ids[j])
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

// memoryText writes bytes as people read them.
func memoryText(n float64) string {
	switch {
	case n <= 0:
		return ""
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", n/(1<<30))
	case n >= 10<<20:
		return fmt.Sprintf("%.0f MiB", n/(1<<20))
	default:
		return fmt.Sprintf("%.1f MiB", n/(1<<20))
	}
}

// percent writes a share; of CPUs, 100 % is one of them.
func percent(share float64) string {
	switch n := share * 100; {
	case n > 0 && n < 0.95:
		return fmt.Sprintf("%.1f%%", n)
	default:
		return fmt.Sprintf("%.0f%%", n)
	}
}

// figure writes a value in full, as far as a float can hold it.
func figure(f float64) string {
	if f == 0 || math.Abs(f) >= 1e-4 && math.Abs(f) < 1e15 {
		return strconv.FormatFloat(math.Round(f*1e6)/1e6, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', 6, 64)
}

// seriesText writes a series as one asks for it.
func seriesText(l labels.Labels) string {
	name := l.Get(model.MetricNameLabel)
	rest := l.DropReserved(func(n string) bool { return n == model.MetricNameLabel })
	if name != "" && rest.IsEmpty() {
		return name
	}
	return name + rest.String()
}

// axis writes a value briefly.
func axis(f float64) string {
	for _, u := range []struct {
		of   float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e4, "k"}} {
		if math.Abs(f) >= u.of {
			if u.name == "k" {
				u.of = 1e3
			}
			return strconv.FormatFloat(f/u.of, 'g', 4, 64) + u.name
		}
	}
	return strconv.FormatFloat(f, 'g', 4, 64)
}

// clock and date say a moment with its time zone: readers may be in another
// one than the server.
func clock(t time.Time) string { return t.Format("15:04:05 MST") }

func date(t time.Time) string { return t.Format("2006-01-02 15:04 MST") }
