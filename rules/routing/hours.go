package routing

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

var (
	hoursForm = regexp.MustCompile(`^((?:[01][0-9]|2[0-3]):[0-5][0-9])-((?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$`)
	days      = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
)

// hours are the first minute and the one after the last, as "09:00"; "" and ""
// are the whole day.
func (i Info) hours() (from, to string, err error) {
	if i.Between == "" {
		return "", "", nil
	}
	m := hoursForm.FindStringSubmatch(i.Between)
	if m == nil {
		return "", "", errors.New(`write it as "09:00-18:00", in quotes`)
	}
	if m[1] >= m[2] {
		return "", "", errors.New("it ends before it begins: a digest can not go over midnight, at which 24:00 ends it")
	}
	return m[1], m[2], nil
}

// weekdays are those of Days, from monday; none are all.
func (i Info) weekdays() ([]string, error) {
	if i.Days == "" {
		return nil, nil
	}
	first, last, isRange := strings.Cut(i.Days, ":")
	if !isRange {
		last = first
	}
	from, to := slices.Index(days, first), slices.Index(days, last)
	if from < 0 || to < 0 {
		return nil, errors.New("write it as monday:friday, or as one day")
	}
	if from > to {
		return nil, errors.New("it ends before it begins: a week begins with monday here, and ends with sunday")
	}
	return days[from : to+1], nil
}
