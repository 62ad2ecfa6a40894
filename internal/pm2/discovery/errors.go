package discovery

import "errors"

// Kinds of failure; test with errors.Is.
var (
	// ErrNotRunning: nothing listens there.
	ErrNotRunning = errors.New("no PM2 daemon is listening")
	// ErrRefused: the system does not let us connect.
	ErrRefused = errors.New("connection refused by permissions")
	// ErrForeign: what listens there is not proven to be PM2.
	ErrForeign = errors.New("not a PM2 daemon")
	// ErrNotAllowed: it is of a user that the agent, as root, was not told to watch.
	ErrNotAllowed = errors.New("user not allowed")
	// ErrBusy: something listens, but takes no connections at present.
	ErrBusy = errors.New("takes no connections")
)

// Reason says in one word why a socket is no PM2 daemon. The set is closed, so it
// may be a label value.
type Reason string

// The reasons.
const (
	ReasonBadPath      Reason = "bad_path"      // not an absolute, clean path
	ReasonNoPubSocket  Reason = "no_pub_socket" // an rpc.sock without pub.sock beside it
	ReasonSymlink      Reason = "symlink"       // the folder is a symlink, or no folder
	ReasonNotSocket    Reason = "not_socket"    // something else has the socket's name
	ReasonWrongOwner   Reason = "wrong_owner"   // the folder is not the listener's
	ReasonPeerMismatch Reason = "peer_mismatch" // two listeners, not one
	ReasonNotPM2       Reason = "not_pm2"       // the listener is another program
	ReasonWrongHome    Reason = "wrong_home"    // the listener is the PM2 of another home
	ReasonUnseenPeer   Reason = "unseen_peer"   // the listener's process is out of sight
	ReasonUnreachable  Reason = "unreachable"   // no mount namespace we see has the path
	ReasonTooMany      Reason = "too_many"      // over the limit of daemons
)

// Reasons are all reasons, for counters that start at 0.
func Reasons() []Reason {
	return []Reason{
		ReasonBadPath, ReasonNoPubSocket, ReasonSymlink, ReasonNotSocket, ReasonWrongOwner, ReasonPeerMismatch,
		ReasonNotPM2, ReasonWrongHome, ReasonUnseenPeer, ReasonUnreachable, ReasonTooMany,
	}
}

// Error is a failure to find or dial a daemon. Its text names the socket, the owner
// where known, and the fix.
type Error struct {
	Kind   error  // one of the Err values above
	Reason Reason // with ErrForeign
	Msg    string
	Err    error // what the system said, if it did
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Msg
	}
	return e.Msg + ": " + e.Err.Error()
}

func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// ReasonOf is the reason of an ErrForeign, or "".
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}
