// Package record is the form in which exceptions, exits, deploys, slow requests
// and events travel from the agent to the server and are kept.
//
// It guarantees that a record which passes Check is within all limits, and that
// what is within them comes back from JSON as it was. It does not say how
// records are kept or sent, and scrubs nothing: that happens before one is made.
package record

import (
	"encoding/json"
	"time"
)

// Version of the form. A reader refuses a higher one.
const Version = 1

// Kind says what a record is about.
type Kind string

// The kinds.
const (
	Exception   Kind = "exception"    // thrown, or reported by the app
	Exit        Kind = "exit"         // a process ended
	Start       Kind = "start"        // a process runs, the first time that the agent sees it or after it was stopped
	Restart     Kind = "restart"      // a process runs again after one ended
	Stop        Kind = "stop"         // somebody stopped an app
	Reload      Kind = "reload"       // somebody reloaded an app
	Delete      Kind = "delete"       // PM2 no longer knows the process
	Deploy      Kind = "deploy"       // an app runs with another version or revision
	SlowRequest Kind = "slow_request" // an answer took long, or failed
	Event       Kind = "event"        // the app's own, by pm25-ext or a topic of PM2's bus
	LogTail     Kind = "log"          // the last lines of a log, where nothing else carries them
	GroupState  Kind = "group"        // somebody or a rule changed an exception group; made by the server only
)

// Kinds lists all kinds, as the API spells them.
func Kinds() []Kind {
	return []Kind{Exception, Exit, Start, Restart, Stop, Reload, Delete, Deploy, SlowRequest, Event, LogTail, GroupState}
}

// Level is how much a record matters, as Grafana colors it.
type Level string

// The levels.
const (
	LevelError Level = "error"
	LevelWarn  Level = "warn"
	LevelInfo  Level = "info"
)

// Source says who told of it.
type Source string

// The sources.
const (
	FromPM2    Source = "pm2"    // PM2's bus, list or log
	FromExt    Source = "ext"    // pm25-ext in the app
	FromLog    Source = "log"    // the app's own log
	FromServer Source = "server" // the server
)

// Record is one thing that happened. Of the parts at its end at most the one of
// its kind is set; Logs go with exceptions, exits and log tails.
type Record struct {
	V    int    `json:"v"`
	ID   string `json:"id"`        // UUIDv7, lower-case; the same thing told twice has the same
	At   int64  `json:"at,string"` // nanoseconds since 1970, when it happened
	Kind Kind   `json:"kind"`

	Host      string `json:"host"`
	Daemon    string `json:"daemon"`
	Namespace string `json:"pm2_namespace"`
	App       string `json:"app"`
	PMID      int    `json:"pm_id"`              // -1 where no process is meant
	PID       int    `json:"pid,omitempty"`      // 0 where it is not known
	Started   int64  `json:"started,omitempty"`  // milliseconds since 1970, of the process; 0 where it is not known
	Version   string `json:"version,omitempty"`  // of the app
	Revision  string `json:"revision,omitempty"` // of the app's repository
	Node      string `json:"node_version,omitempty"`
	Mode      string `json:"exec_mode,omitempty"` // fork or cluster

	Level       Level  `json:"level"`
	Source      Source `json:"source"`
	Occurrences uint64 `json:"occurrences,omitempty"` // what it stands for; 0 is 1
	Message     string `json:"message,omitempty"`     // what a person reads where no part says it better
	Truncated   bool   `json:"truncated,omitempty"`   // something was cut to be within the limits

	Exception *ExceptionInfo `json:"exception,omitempty"`
	Exit      *ExitInfo      `json:"exit,omitempty"`
	Deploy    *DeployInfo    `json:"deploy,omitempty"`
	Request   *RequestInfo   `json:"request,omitempty"`
	Event     *EventInfo     `json:"event,omitempty"`
	Group     *GroupInfo     `json:"group,omitempty"`
	Logs      []LogLine      `json:"logs,omitempty"` // oldest first
}

// ExceptionInfo is an error with what groups it.
type ExceptionInfo struct {
	Fingerprint string `json:"fingerprint"`      // 64 hexadecimal digits
	Algo        int    `json:"algo"`             // version of what made it
	Coarse      string `json:"coarse,omitempty"` // a wider fingerprint, to merge groups by
	Title       string `json:"title"`            // "TypeError: x is not a function", its first line
	Culprit     string `json:"culprit"`          // the frame that it is told by: "handler (routes/users.js)"; may be empty

	Name      string    `json:"name"`
	Code      string    `json:"code,omitempty"` // such as ECONNREFUSED
	Message   string    `json:"message"`
	Stack     string    `json:"stack,omitempty"`        // as the runtime wrote it
	Mapped    string    `json:"mapped_stack,omitempty"` // by source maps; empty where none applied
	Causes    []Cause   `json:"causes,omitempty"`       // outermost first
	Frames    []Frame   `json:"frames,omitempty"`       // innermost first, of the mapped stack where there is one
	Handled   bool      `json:"handled"`
	Mechanism Mechanism `json:"mechanism"`

	Method  string          `json:"method,omitempty"` // of the request in which it was thrown
	Route   string          `json:"route,omitempty"`
	Context json.RawMessage `json:"context,omitempty"` // what the app gave to notifyError
}

// Mechanism is how an exception came to be known.
type Mechanism string

// The mechanisms.
const (
	Uncaught  Mechanism = "uncaught"
	Rejection Mechanism = "rejection"
	Handled   Mechanism = "handled"  // by a framework
	Notified  Mechanism = "notified" // the app reported it
	Logged    Mechanism = "logged"   // found in the app's log
	Unknown   Mechanism = "unknown"  // PM2 does not say
)

// Cause is an error that led to another.
type Cause struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	Stack   string `json:"stack,omitempty"`
}

// Frame is one call of a stack.
type Frame struct {
	Function string   `json:"function,omitempty"`
	File     string   `json:"file"` // below the app's folder where it is, else as the runtime wrote it
	Line     int      `json:"line,omitempty"`
	Column   int      `json:"column,omitempty"`
	InApp    bool     `json:"in_app"`
	Before   []string `json:"before,omitempty"` // source lines around Text
	Text     string   `json:"text,omitempty"`   // the line itself
	After    []string `json:"after,omitempty"`
}

// ExitInfo is how a process ended.
type ExitInfo struct {
	Reason string  `json:"reason"`                      // a value of pm2_app_exits_total's label
	Code   int     `json:"code"`                        // as pm2_process_last_exit_code; -1 where it is not known
	Signal string  `json:"signal,omitempty"`            // such as SIGKILL
	Uptime float64 `json:"uptime_seconds,omitempty"`    // 0 where it is not known
	Memory uint64  `json:"peak_memory_bytes,omitempty"` // the most that was seen resident
	// Exceptions is how many throws were seen in this life. Records of exceptions
	// stand for those of several.
	Exceptions uint64 `json:"exceptions,omitempty"`
}

// DeployInfo is what an app ran before; what it runs now is in the record.
type DeployInfo struct {
	FromVersion  string `json:"from_version,omitempty"`
	FromRevision string `json:"from_revision,omitempty"`
}

// RequestInfo is one HTTP request.
type RequestInfo struct {
	Method  string  `json:"method"`
	Route   string  `json:"route"`
	Code    int     `json:"code"`
	Seconds float64 `json:"seconds"`
	Aborted bool    `json:"aborted,omitempty"`
	Target  string  `json:"target,omitempty"` // the path, where the app asked for it
}

// EventInfo is an event of an app's own.
type EventInfo struct {
	Name string          `json:"name"`
	Data json.RawMessage `json:"data,omitempty"`
}

// GroupInfo is a change of an exception group.
type GroupInfo struct {
	Fingerprint string `json:"fingerprint"`
	Title       string `json:"title"`
	From        string `json:"from,omitempty"` // states
	To          string `json:"to"`
	By          string `json:"by,omitempty"` // who changed it; empty: a rule did
	Note        string `json:"note,omitempty"`
}

// LogLine is one line of an app's log.
type LogLine struct {
	At     int64  `json:"at,string,omitempty"` // nanoseconds since 1970; 0 where it is not known
	Stream string `json:"stream"`              // out or err
	Text   string `json:"text"`
}

// Time is when it happened.
func (r *Record) Time() time.Time { return time.Unix(0, r.At).UTC() }

// Count is how many occurrences the record stands for.
func (r *Record) Count() uint64 { return max(r.Occurrences, 1) }
