package cron

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// field is one of the six parts of an expression.
type field struct {
	name  string
	first int // the smallest value
	size  int // how many values there are; Sunday is 0 and 7
}

func fields() [6]field {
	return [6]field{{"second", 0, 60}, {"minute", 0, 60}, {"hour", 0, 24}, {"day", 1, 31}, {"month", 1, 12}, {"weekday", 0, 8}}
}

func months() []string {
	return []string{"jan", "1", "feb", "2", "mar", "3", "apr", "4", "may", "5", "jun", "6", "jul", "7", "aug", "8", "sep", "9", "oct", "10", "nov", "11", "dec", "12"}
}

func weekdays() []string {
	return []string{"sun", "0", "mon", "1", "tue", "2", "wed", "3", "thu", "4", "fri", "5", "sat", "6"}
}

// maxLength is that of the longest expression that is read. One that names
// every value of every field has about 450 bytes.
const maxLength = 512

// Parse reads an expression of five or six fields that was registered at the
// given time, which is what its question marks stand for. The text of an error
// does not repeat the expression.
func Parse(expression string, at time.Time) (Schedule, error) {
	var s Schedule
	if len(expression) > maxLength {
		return s, fmt.Errorf("cron expression of %d bytes: at most %d are read", len(expression), maxLength)
	}
	parts := strings.Fields(expression)
	switch len(parts) {
	case 5:
		parts = append([]string{"0"}, parts...)
	case 6:
	default:
		return s, fmt.Errorf("cron expression of %d fields: five or six are needed", len(parts))
	}
	if strings.EqualFold(parts[3], "L") {
		parts[3], s.lastDay = "28,29,30,31", true
	}
	// Lower case only for these two: elsewhere letters are an error anyway.
	parts[4] = strings.NewReplacer(months()...).Replace(strings.ToLower(parts[4]))
	parts[5] = strings.NewReplacer(weekdays()...).Replace(strings.ToLower(parts[5]))
	now := [6]int{at.Second(), at.Minute(), at.Hour(), at.Day(), int(at.Month()), int(at.Weekday())}
	for i, f := range fields() {
		part := strings.Replace(parts[i], "?", strconv.Itoa(now[i]), 1)
		bits, err := f.parse(part)
		if err != nil {
			return Schedule{}, fmt.Errorf("cron expression, %s: %w", f.name, err)
		}
		if bits == 0 {
			return Schedule{}, fmt.Errorf("cron expression, %s: no value", f.name)
		}
		s.sets[i] = bits
	}
	if s.sets[weekday].has(7) {
		s.sets[weekday] |= 1
	}
	return s, nil
}

func (f field) parse(part string) (set, error) {
	if strings.Trim(part, "0123456789*/,-") != "" {
		return 0, fmt.Errorf("a character that is neither a digit nor one of * , - /")
	}
	items := strings.Split(part, ",")
	var all set
	for _, item := range items {
		// A list may hold numbers and stars only.
		if len(items) > 1 && strings.ContainsAny(item, "-/") {
			return 0, fmt.Errorf("a range or step in a list")
		}
		bits, err := f.item(item)
		if err != nil {
			return 0, err
		}
		all |= bits
	}
	return all, nil
}

func (f field) item(item string) (set, error) {
	span, step, stepped := strings.Cut(item, "/")
	switch {
	case item == "*":
		return f.every(0, f.size-1, 1), nil
	case strings.Contains(item, "-"):
		return f.between(span, step, stepped)
	case stepped:
		return f.stepped(span, step)
	}
	n, ok := leading(item)
	if !ok {
		return 0, nil // such as "1,,2": no value, and no error
	}
	if n -= f.first; n < 0 || n >= f.size {
		return 0, fmt.Errorf("a value out of range")
	}
	return f.every(n, n, 1), nil
}

// between reads "from-to" and "from-to/step".
func (f field) between(span, step string, stepped bool) (set, error) {
	from, to, _ := strings.Cut(span, "-")
	read := leading
	every := 1
	if stepped {
		read = whole
		var err error
		if every, err = f.step(step, whole); err != nil {
			return 0, err
		}
	}
	low, okLow := read(from)
	high, okHigh := read(to)
	if !okLow || !okHigh || strings.Contains(to, "-") {
		return 0, fmt.Errorf("a range that is none")
	}
	low, high = low-f.first, high-f.first
	if low < 0 || high >= f.size || low > high {
		return 0, fmt.Errorf("a range beyond its limits, or from a larger to a smaller value")
	}
	return f.every(low, high, every), nil
}

// stepped reads "*/step" and "from/step". What comes before the slash counts
// from 0 also where days and months count from 1: "5/2" begins at the 6th.
func (f field) stepped(from, step string) (set, error) {
	every, err := f.step(step, leading)
	if err != nil {
		return 0, err
	}
	start := 0
	if from != "*" {
		var ok bool
		if start, ok = leading(from); !ok {
			return 0, nil
		}
	}
	return f.every(start, f.size-1, every), nil
}

func (f field) step(text string, read func(string) (int, bool)) (int, error) {
	n, ok := read(text)
	if !ok || n < 1 || n > f.size || strings.Contains(text, "/") {
		return 0, fmt.Errorf("a step that is none, 0, or larger than the field")
	}
	return n, nil
}

// every is the set of the values at low, low+step … high, counted from 0.
func (f field) every(low, high, step int) set {
	var bits set
	for i := low; i <= high; i += step {
		bits |= 1 << i
	}
	return bits
}

// leading reads the digits that a text begins with, as JavaScript's parseInt.
func leading(text string) (int, bool) {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return whole(text[:n])
}

// whole reads a text of nothing but digits. What is larger than any field is
// as good as the largest number.
func whole(text string) (int, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		n = 1<<16 - 1
	}
	return int(n), true
}
