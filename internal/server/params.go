package server

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// params reads the parameters of a question, and keeps the first problem.
type params struct {
	values url.Values
	now    time.Time
	err    error
}

func (p *params) fail(name, why string) {
	if p.err == nil {
		p.err = fmt.Errorf("parameter %s: %s", name, why)
	}
}

// text returns a name; whatever it holds, it is only compared with.
func (p *params) text(name string) string {
	v := p.values.Get(name)
	if len(v) > record.MaxName {
		p.fail(name, fmt.Sprintf("it is longer than %d bytes", record.MaxName))
	}
	return v
}

func (p *params) number(name string, fallback, least, most int) int {
	v := p.values.Get(name)
	if v == "" {
		return fallback
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		p.fail(name, fmt.Sprintf("it has to be a number from %d to %d", least, most))
	}
	return n
}

// since reads a time: RFC 3339, seconds since 1970, or a duration such as 2d
// that is counted back from now.
func (p *params) since(name string, fallback time.Duration) time.Time {
	v := p.values.Get(name)
	if v == "" {
		if fallback == 0 {
			return time.Time{}
		}
		return p.now.Add(-fallback)
	}
	if d, err := model.ParseDuration(v); err == nil {
		return p.now.Add(-time.Duration(d))
	}
	if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
		return t
	}
	if n, err := strconv.ParseFloat(v, 64); err == nil && n >= 0 && n < 1e11 {
		return time.UnixMilli(int64(n * 1000))
	}
	p.fail(name, "it has to be a duration such as 2d, a time such as 2026-01-31T12:00:00Z, or seconds since 1970")
	return time.Time{}
}

func (p *params) states(name string) []sessionstore.State {
	var out []sessionstore.State
	for _, given := range p.values[name] {
		for one := range strings.SplitSeq(given, ",") {
			state, ok := stateOf(strings.TrimSpace(one))
			if !ok {
				p.fail(name, "it has to be one of "+stateNames())
			}
			out = append(out, state)
		}
	}
	return out
}

func stateOf(name string) (sessionstore.State, bool) {
	for _, s := range sessionstore.States() {
		if string(s) == name {
			return s, true
		}
	}
	return "", false
}

func stateNames() string {
	names := make([]string, 0, 5)
	for _, s := range sessionstore.States() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// cursor is where a page of groups goes on.
func (p *params) cursor(name string) *sessionstore.GroupCursor {
	v := p.values.Get(name)
	if v == "" {
		return nil
	}
	at, id, found := strings.Cut(v, "_")
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil || !found || len(id) > record.MaxName {
		p.fail(name, "take it from next of the page before")
		return nil
	}
	return &sessionstore.GroupCursor{LastSeen: time.Unix(0, n), ID: id}
}

func cursorText(g sessionstore.Group) string {
	return strconv.FormatInt(g.LastSeen.UnixNano(), 10) + "_" + g.ID
}

// duration reads how long something is to last.
func duration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := model.ParseDuration(text)
	if err != nil || d <= 0 || time.Duration(d) > 366*24*time.Hour {
		return 0, errors.New("it has to be a duration such as 8h or 7d, at most a year")
	}
	return time.Duration(d), nil
}
