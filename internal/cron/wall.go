package cron

import "time"

// wall is a time of day on a date as its parts. Parts may be out of their
// range, as the 31st of April or hour 24, until they are made regular.
type wall struct {
	part [5]int // second, minute, hour, day, month
	year int
}

func wallOf(t time.Time) wall {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return wall{part: [5]int{second, minute, hour, day, int(month)}, year: year}
}

// utc is the wall time as if it were in UTC.
func (w wall) utc() time.Time {
	return time.Date(w.year, time.Month(w.part[month]), w.part[day], w.part[hour], w.part[minute], w.part[second], 0, time.UTC)
}

// in is the moment at which clocks of a zone show the wall time, as JavaScript
// has it: the first one where they show it twice, and where they leave it out
// the moment that it would have been had they not been changed.
func (w wall) in(zone *time.Location) time.Time {
	utc := w.utc()
	before := utc.Add(-offset(utc.Add(-24*time.Hour), zone))
	after := utc.Add(-offset(utc.Add(24*time.Hour), zone))
	for _, t := range []time.Time{before, after} {
		if t.Add(offset(t, zone)).Equal(utc) {
			return t.In(zone)
		}
	}
	return before.In(zone)
}

func offset(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// lastDay is the number of days in the month, whose number is regular.
func (w wall) lastDay() int {
	return time.Date(w.year, time.Month(w.part[month])+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
