// Package cron tells when PM2's cron_restart is due.
//
// PM2 5 to 7 leave that to croner 4.1.97, whose times differ from those of
// crontab and of the libraries for Go, some by hours or a month: day and
// weekday must both match; a list holds no ranges; when the search moves on to
// another weekday it keeps the time of day that it had, so "*/10 * * * 1"
// looked at on a Tuesday at 13:25 is due on Monday at 13:30; every month is
// taken to have 31 days, so "0 0 1,30 * *" leaves out the 1st of March; where
// clocks are set back, the hour that comes twice is slept through. Whoever
// wants to know whether PM2 missed a job needs PM2's times, the odd ones too,
// so these are what Next returns: the tests hold it to the library itself.
//
// Every expression is read in bounded time and no input makes it panic. It
// does not know croner's other form, a single date and time: that is an error.
package cron

import "time"

// The places of the fields.
const (
	second = iota
	minute
	hour
	day
	month
	weekday
)

// set holds values, counted from 0, as bits.
type set uint64

func (s set) has(i int) bool { return i >= 0 && i < 64 && s>>i&1 == 1 }

// Schedule is an expression that was read.
type Schedule struct {
	sets    [6]set
	lastDay bool // of the days, only the last one of the month
}

const (
	// endOfTime is the year in which a search gives up, as croner's does.
	endOfTime = 4000
	// maxRounds bounds a search anyway: it needs a few for each month.
	maxRounds = 200_000
	// maxTimer is the longest that a timer of JavaScript can be set to. croner
	// looks again when it is over.
	maxTimer = (1<<31 - 1) * time.Millisecond
	// maxLooks bounds how often that is followed: about ten years.
	maxLooks = 150
)

// Next returns when a job that is registered at the given time is due, by the
// clocks of that time's location; false where that is never.
func (s Schedule) Next(registered time.Time) (time.Time, bool) {
	now := registered.Truncate(time.Millisecond)
	wait, ok := s.wait(now)
	if !ok {
		return time.Time{}, false
	}
	if wait > maxLooks*maxTimer {
		return now.Add(wait), true
	}
	// Each look begins at another time of day, which may be the one that is kept.
	for ok && wait > maxTimer {
		now = now.Add(maxTimer)
		wait, ok = s.wait(now)
	}
	return now.Add(wait), ok
}

// wait is for how long a job that is looked at now is to wait: the difference
// of two wall times. In the second of two hours of the same name both are read
// as of the first one.
func (s Schedule) wait(now time.Time) (time.Duration, bool) {
	zone := now.Location()
	start := wallOf(now)
	found, ok := s.search(start, zone)
	began := start.in(zone).Add(time.Duration(now.Nanosecond()))
	wait := found.in(zone).Sub(began)
	return wait, ok && wait < 1<<63-1 // a difference of more than 292 years is cut
}

// search finds the first wall time after start that matches and that clocks of
// the zone show.
func (s Schedule) search(start wall, zone *time.Location) (wall, bool) {
	w := start
	w.part[second]++
	for range maxRounds {
		before := w.in(zone)
		if w = s.advance(w); w.year >= endOfTime {
			return w, false
		}
		// The time of day stays: see above.
		for !s.sets[weekday].has(int(w.utc().Weekday())) {
			w.part[day]++
		}
		if w.in(zone).Equal(before) {
			return w, true
		}
		w = wallOf(w.in(zone))
	}
	return w, false
}

// advance finds the first wall time from w on whose parts match, weekdays
// aside. Every month has 31 days here.
func (s Schedule) advance(w wall) wall {
	for i := second; i <= month; i++ {
		value, ok := s.from(w, i, w.part[i])
		switch {
		case ok && value == w.part[i]:
		case ok:
			w.part[i] = value
			w = s.reset(w, i-1)
		case i == month:
			w.year++
			w = s.reset(w, i)
		default: // none is left: the next larger part moves on
			w.part[i+1]++
			w = s.reset(w, i)
		}
	}
	return w
}

// from finds the first value of a part that matches, from low on.
func (s Schedule) from(w wall, i, low int) (int, bool) {
	f := fields()[i]
	for v := max(low, f.first); v < f.first+f.size; v++ {
		if !s.sets[i].has(v - f.first) {
			continue
		}
		if i == day && s.lastDay && v < w.lastDay() {
			continue
		}
		return v, true
	}
	return 0, false
}

// reset sets the parts up to i to their first value.
func (s Schedule) reset(w wall, i int) wall {
	for ; i >= second; i-- {
		if v, ok := s.from(w, i, 0); ok {
			w.part[i] = v
		}
	}
	return w
}
