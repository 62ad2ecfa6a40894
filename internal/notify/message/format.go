package message

import (
	"fmt"
	"time"

	"github.com/pm25/pm25/rules/routing"
)

// duration is about how long, as people say it.
func (s Style) duration(d time.Duration) string {
	en := [][2]string{{"%d s", "%d 秒"}, {"%d min", "%d 分钟"}, {"%d h", "%d 小时"}, {"%d d", "%d 天"}}
	unit, n := 0, int64(max(d, 0).Round(time.Second)/time.Second)
	switch {
	case n >= 2*86400:
		unit, n = 3, n/86400
	case n >= 2*3600:
		unit, n = 2, n/3600
	case n >= 120:
		unit, n = 1, n/60
	}
	text := en[unit][0]
	if s.Language == routing.Chinese {
		text = en[unit][1]
	}
	return fmt.Sprintf(text, n)
}

// clock is the time of day; with the date where it is of another day.
func (s Style) clock(t time.Time) string {
	t = t.In(s.Location)
	if now := s.Now.In(s.Location); t.YearDay() != now.YearDay() || t.Year() != now.Year() {
		return t.Format("2006-01-02 15:04:05")
	}
	return t.Format("15:04:05")
}

func bytesText(n uint64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20))
}
