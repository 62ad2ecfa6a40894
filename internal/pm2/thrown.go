package pm2

import "time"

// Thrown is an error as PM2 or pm25-ext tells of it. All texts are within the
// limits of package record, and nothing in it comes from the environment. It
// outlives the call of the handler.
type Thrown struct {
	Name, Code, Message, Stack string // Name is empty where PM2 does not say it
	Causes                     []ThrownCause
	// NonError says that what was thrown is no Error: PM2 sends whatever is
	// left of it.
	NonError bool

	Source      string // lines of source around the place, the place itself after ">>"; PM2 in fork mode only
	Callsite    string // "file:line" of that place
	Method      string // of the request in which it was thrown
	Route       string
	Context     []byte // a JSON object that the app gave, not scrubbed; nil for none
	Occurrences uint64 // what it stands for, at least 1
	Kind        string // uncaught, rejection, handled or notified; empty where PM2 does not say
	ID          string // pm25-ext's UUID; empty for PM2's
	PID         int    // of the process that threw; pm25-ext's only, likewise Start and At
	Start       int64  // milliseconds since 1970
	At          time.Time
	Cut         bool // something was left out to be within the limits
	ByApp       bool // the app handled it, or reported it
}

// ThrownCause is an error that led to another.
type ThrownCause struct{ Name, Message, Stack string }

// Custom is an event of an app's own.
type Custom struct {
	Name  string // the topic, or the name that the app gave
	Data  []byte // JSON, not scrubbed; nil for none, and where Cut
	Cut   bool   // there were more data than are taken
	ID    string // pm25-ext's UUID, else empty
	PID   int    // pm25-ext's only, likewise Start and At
	Start int64
	At    time.Time
}

// Life is what a message about a process says of it.
type Life struct {
	StartedAt                                          time.Time // last start
	Version, Revision, NodeVersion, ExecMode, UniqueID string
	Dir                                                string // its working directory; never exported
}
