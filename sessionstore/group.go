package sessionstore

import "time"

// State of an exception group.
type State string

// The states.
const (
	StateNew       State = "new"       // seen first less than NewFor ago
	StateOngoing   State = "ongoing"   // known
	StateRegressed State = "regressed" // seen in a version newer than the one that resolved it
	StateResolved  State = "resolved"
	StateMuted     State = "muted"
)

// States lists all states.
func States() []State {
	return []State{StateNew, StateOngoing, StateRegressed, StateResolved, StateMuted}
}

// Group is all occurrences of one bug in one app, on all hosts and versions.
type Group struct {
	ID          string // 16 hexadecimal digits, in links; stable
	Bucket      string
	Namespace   string
	App         string
	Algo        int
	Fingerprint string
	Coarse      string
	Title       string
	Culprit     string
	Level       string
	Handled     bool

	State                 State
	FirstSeen, LastSeen   time.Time
	Count                 uint64 // occurrences, ever
	Hosts                 []string
	FirstVersion, Version string    // first and newest that it was seen in
	Changed               time.Time // of the state
	ChangedBy             string    // empty: a rule did
	ResolvedIn            string    // version; empty for "now" and "next deploy"
	ResolvedNext          bool      // resolved in the next deploy
	MutedUntil            time.Time // zero: for good, or until MutedCount
	MutedCount            uint64    // muted until so many more occurrences; 0: by time
	Owner                 string
	Note                  string
}

// Change is what somebody wants of a group. Unset parts stay.
type Change struct {
	To    State // resolved, muted or ongoing (reopen); empty leaves the state
	By    string
	Owner *string
	Note  *string

	InVersion    string        // resolved: regresses in newer versions only
	InNextDeploy bool          // resolved: regresses in versions not seen yet
	For          time.Duration // muted
	Count        uint64        // muted
}

// GroupQuery chooses groups, the last seen first.
type GroupQuery struct {
	Bucket, Namespace, App string // empty: any
	States                 []State
	Text                   string    // in title or culprit
	Since                  time.Time // last seen then or later
	Limit                  int
	Before                 *GroupCursor // continue behind it
}

// GroupCursor is the place of a group in the order of all.
type GroupCursor struct {
	LastSeen time.Time
	ID       string
}

// HourCount is how often a group was seen in one hour by one version.
type HourCount struct {
	Hour    time.Time
	Version string
	Count   uint64
}

// NoHost is host and daemon of records of kind "group": a group is of all hosts.
const NoHost = "-"
