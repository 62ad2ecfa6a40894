package sessionstore

import (
	"fmt"
	"time"
)

// NewFor is how long a group is new after the store first heard of it.
const NewFor = 24 * time.Hour

// Status is what the rules of states know of a group. It is a value: each rule
// returns another one, and whether the state changed.
type Status struct {
	State      State
	Created    time.Time // when the store first heard of the group; by the store's clock, like Changed
	Changed    time.Time
	ChangedBy  string    // empty: a rule did
	Resolved   Release   // resolved: only newer ones regress; empty where the app has none
	Next       bool      // resolved: only releases first seen after Changed regress
	InVersion  bool      // resolved: somebody named Resolved.Version
	MutedUntil time.Time // muted: zero for no end by time
	MutedCount uint64    // muted: so many more occurrences end it; 0 for no end by count
}

// Sighting is a record of a group, as far as states go.
type Sighting struct {
	Release Release   // empty where it is not known
	Started time.Time // of the process; zero where it is not known
	Count   uint64    // occurrences
}

// Passed applies the rules of time: new groups become known, and what was muted
// for a while is so no longer.
func (s Status) Passed(now time.Time) (Status, bool) {
	switch {
	case s.State == StateNew && now.Sub(s.Created) >= NewFor,
		s.State == StateMuted && !s.MutedUntil.IsZero() && !now.Before(s.MutedUntil):
		return s.to(StateOngoing, "", now), true
	}
	return s, false
}

// Seen applies the rules of occurrences: a resolved group regresses if it is
// seen in something newer than what resolved it, and what was muted for a
// number of occurrences is so no longer. named is the release that Resolved
// names, as the app's releases know it now; it says when it was first seen.
func (s Status) Seen(now time.Time, by Sighting, named Release) (Status, bool) {
	s, changed := s.Passed(now)
	switch {
	case s.State == StateResolved && s.regresses(by, named):
		return s.to(StateRegressed, "", now), true
	case s.State == StateMuted && s.MutedCount > 0 && by.Count >= s.MutedCount:
		return s.to(StateOngoing, "", now), true
	case s.State == StateMuted && s.MutedCount > 0:
		s.MutedCount -= by.Count
	}
	return s, changed
}

func (s Status) regresses(by Sighting, named Release) bool {
	switch {
	case s.Next || s.Resolved.IsZero() && !by.Release.IsZero():
		return by.Release.First.After(s.Changed)
	case s.Resolved.IsZero(): // an app without versions
		return by.Started.After(s.Changed)
	}
	return by.Release.Newer(named)
}

// Asked applies what somebody wants of the state. newest is the newest release
// that the app ran, and the group was seen in.
func (s Status) Asked(now time.Time, c Change, newest Release) (Status, error) {
	if c.For < 0 {
		return s, fmt.Errorf("mute for %s: it has to be zero, for good, or more", c.For)
	}
	switch c.To {
	case "":
		return s, nil
	case StateOngoing:
		return s.to(StateOngoing, c.By, now), nil
	case StateMuted:
		s = s.to(StateMuted, c.By, now)
		s.MutedCount = c.Count
		if c.For > 0 {
			s.MutedUntil = now.Add(c.For)
		}
		return s, nil
	case StateResolved:
		if c.InVersion != "" && c.InNextDeploy {
			return s, fmt.Errorf("resolve in version %q and in the next deploy: choose one", c.InVersion)
		}
		s = s.to(StateResolved, c.By, now)
		switch {
		case c.InVersion != "":
			s.Resolved, s.InVersion = Release{Version: c.InVersion}, true
		case c.InNextDeploy:
			s.Next = true
		default:
			s.Resolved = newest
		}
		return s, nil
	}
	return s, fmt.Errorf("state %q can not be asked for: resolved, muted or ongoing", c.To)
}

// to is s in another state; what only the last state needed is gone.
func (s Status) to(state State, by string, now time.Time) Status {
	return Status{State: state, Created: s.Created, Changed: now, ChangedBy: by}
}
