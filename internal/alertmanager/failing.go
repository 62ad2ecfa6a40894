package alertmanager

import (
	"sync"
	"time"
)

// failureStays is how long a failed delivery counts that nobody tried again: its
// alerts have ended.
const failureStays = 10 * time.Minute

// Failure is a delivery that does not succeed.
type Failure struct {
	Since  time.Time
	Groups int    // of alerts, that wait for it
	Err    string // of the newest
}

// failures knows which groups of alerts could not be told.
type failures struct {
	now func() time.Time

	mu     sync.Mutex
	groups map[string]failed
}

type failed struct {
	since, at time.Time
	err       string
}

func newFailures(now func() time.Time) *failures {
	return &failures{now: now, groups: map[string]failed{}}
}

// note takes the outcome of a pass over a group.
func (f *failures) note(group string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		delete(f.groups, group)
		return
	}
	g := f.groups[group]
	g.at, g.err = f.now(), redact(err.Error())
	if g.since.IsZero() {
		g.since = g.at
	}
	f.groups[group] = g
}

// Failing tells of deliveries that do not succeed now, if there are any.
func (s *Server) Failing() (Failure, bool) {
	f := s.failures
	f.mu.Lock()
	defer f.mu.Unlock()
	var out Failure
	var newest time.Time
	for key, g := range f.groups {
		if f.now().Sub(g.at) > failureStays {
			delete(f.groups, key)
			continue
		}
		out.Groups++
		if out.Since.IsZero() || g.since.Before(out.Since) {
			out.Since = g.since
		}
		if g.at.After(newest) {
			newest, out.Err = g.at, g.err
		}
	}
	return out, out.Groups > 0
}

// Integrations is how many ways there are to tell somebody of an alert.
func (s *Server) Integrations() int { return int(s.integrations.Load()) }
