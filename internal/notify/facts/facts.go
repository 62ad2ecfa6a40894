// Package facts looks up what a person who is told of an alert would look up
// first: how the app's process ended last, its latest exception, the last lines
// of its log, what was deployed, and how much of it is affected.
//
// Store asks the store of records, Metrics asks Prometheus. What is not known is
// absent, never a guess. How long it may take is the caller's to say, with the
// context.
package facts

import "time"

// Subject is what an alert is about. Empty parts are not known, or any.
type Subject struct {
	Alert, Bucket, Host, Daemon, Namespace, App string
	PMID                                        string
	At                                          time.Time // when the alert began
}

// Known is what was found out. Parts that are nil or empty were not.
type Known struct {
	End       *End
	Exception *Exception
	Logs      []string // the last lines, oldest first, without secrets
	Deploy    *Deploy
	Workers   *Share // processes that run, of all of the app's on the host
	Affected  *Share // processes of the app with the same alert, of all; only where the alert is about processes
	Hosts     *Share // hosts with the same alert, of all with the app
}

// End is how a process of the app ended last.
type End struct {
	At     time.Time
	Reason string // as pm2_app_exits_total calls it
	Code   int    // -1 where it is not known
	Signal string
	Lived  time.Duration // 0 where it is not known
	Peak   uint64        // bytes of memory; 0 where it is not known
}

// Exception is the app's exception that was seen last.
type Exception struct {
	Group string // id of its group, for links
	Title string
	Frame string // "handler (routes/users.js:12)"; may be empty
	Count uint64 // of the group, ever
}

// Deploy is the last change of what the app runs.
type Deploy struct {
	At       time.Time
	From, To string // versions or revisions; From may be empty
}

// Share is a part of a whole.
type Share struct{ Part, Of int }

// IsZero is true where nothing is known.
func (k Known) IsZero() bool {
	return k.End == nil && k.Exception == nil && len(k.Logs) == 0 && k.Deploy == nil && k.Workers == nil && k.Affected == nil && k.Hosts == nil
}

// And adds what other knows and k does not.
func (k Known) And(other Known) Known {
	k.End, k.Exception, k.Deploy = first(k.End, other.End), first(k.Exception, other.Exception), first(k.Deploy, other.Deploy)
	k.Workers, k.Affected, k.Hosts = first(k.Workers, other.Workers), first(k.Affected, other.Affected), first(k.Hosts, other.Hosts)
	if len(k.Logs) == 0 {
		k.Logs = other.Logs
	}
	return k
}

func first[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}
