package cron

import (
	"testing"
	"time"
)

// TestOddTimes holds what people would not expect, and what a small change
// here would lose; TestLikePM2 has the rest.
func TestOddTimes(t *testing.T) {
	newYork := zone(t, "America/New_York")
	for name, c := range map[string]struct {
		expression string
		from, want time.Time // a zero time: never
	}{
		"each minute":                      {"* * * * *", at(newYork, 11, 24, 13, 25, 30), at(newYork, 11, 24, 13, 26, 0)},
		"not at the very second":           {"* * * * * *", at(newYork, 11, 24, 13, 25, 30), at(newYork, 11, 24, 13, 25, 31)},
		"another weekday keeps the hour":   {"*/10 * * * 1", at(newYork, 11, 24, 13, 25, 0), at(newYork, 11, 30, 13, 30, 0)},
		"day and weekday":                  {"0 0 13 * FRI", at(newYork, 3, 14, 0, 0, 0), at(newYork, 11, 13, 0, 0, 0)},
		"months of 31 days":                {"0 0 1,30 * *", at(newYork, 2, 2, 0, 0, 0), at(newYork, 3, 30, 0, 0, 0)},
		"the last day":                     {"0 0 L * *", at(newYork, 1, 31, 13, 0, 0), at(newYork, 2, 28, 0, 0, 0)},
		"a step from a day begins later":   {"0 0 5/2 * *", at(newYork, 4, 1, 0, 0, 0), at(newYork, 4, 6, 0, 0, 0)},
		"a question mark is the time":      {"0 ? * * *", at(newYork, 4, 1, 7, 30, 0), at(newYork, 4, 2, 7, 0, 0)},
		"an hour that is left out":         {"30 2 * * *", at(newYork, 3, 8, 0, 0, 0), at(newYork, 3, 9, 2, 30, 0)},
		"an hour that comes twice":         {"* * * * *", time.Date(2026, 11, 1, 5, 59, 30, 0, time.UTC).In(newYork), at(newYork, 11, 1, 2, 0, 0)},
		"within the second of these hours": {"* * * * *", time.Date(2026, 11, 1, 6, 30, 30, 5e8, time.UTC).In(newYork), time.Date(2026, 11, 1, 6, 31, 0, 0, time.UTC)},
		"a day that never comes":           {"0 0 31 4 *", at(newYork, 1, 1, 0, 0, 0), time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse(c.expression, c.from)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := s.Next(c.from)
			if ok == c.want.IsZero() || !got.Equal(c.want) {
				t.Errorf("%q after %v is due %v (%v), want %v", c.expression, c.from, got, ok, c.want)
			}
		})
	}
}

func at(zone *time.Location, month time.Month, day, hour, minute, second int) time.Time {
	return time.Date(2026, month, day, hour, minute, second, 0, zone)
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestRefused(t *testing.T) {
	for _, expression := range []string{
		"", "0", "* * * *", "* * * * * * *", "@daily", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 8",
		"1-5,10 * * * *", "*/0 * * * *", "*/61 * * * *", "5-1 * * * *", "1-2-3 * * * *", "-1 * * * *", "*/5,10 * * * *", "/ * * * *", "* * * * MON-",
		"* * LW * *", "* * * * 5#2", "x * * * *", ", * * * *", "2026-11-26T12:00:00", "99/2 * * * *",
	} {
		if _, err := Parse(expression, time.Unix(0, 0)); err == nil {
			t.Errorf("%q was read", expression)
		}
	}
}

// FuzzNext: no input panics or takes long, and what is found lies ahead.
func FuzzNext(f *testing.F) {
	for _, expression := range append(expressions(), "* * * * 5#2", "1,,2 ? * * *", "*/7 2-3 L 2 7") {
		f.Add(expression, int64(1_793_000_000))
	}
	newYork := zone(f, "America/New_York")
	f.Fuzz(func(t *testing.T, expression string, unix int64) {
		from := time.Unix(unix%8_000_000_000, 0).In(newYork)
		s, err := Parse(expression, from)
		if err != nil {
			return
		}
		began := time.Now()
		due, ok := s.Next(from)
		if ok && (!due.After(from) || due.Year() > endOfTime) {
			t.Errorf("%q after %v is due at %v", expression, from, due)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%q took %v", expression, took)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	from := at(zone(b, "Europe/Berlin"), 11, 24, 13, 25, 0)
	for name, expression := range map[string]string{"daily": "0 3 * * *", "never": "0 0 31 4 *", "leap": "0 0 29 2 1"} {
		s, err := Parse(expression, from)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s.Next(from)
			}
		})
	}
}
