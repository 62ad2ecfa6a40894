package sessionstore

import "time"

// Run is one life of one process.
type Run struct {
	Bucket, Host, Daemon, Namespace, App string
	PMID, PID                            int
	Started                              time.Time // zero where it is not known
	Ended                                time.Time // zero while it runs, as far as is known
	Version, Revision                    string
	Reason                               string // as in record.ExitInfo; empty while it runs
	Code                                 int    // -1 where it is not known
	Signal                               string
	PeakMemory                           uint64 // bytes; 0 where it is not known
	Exceptions                           uint64 // in it; while it runs, as its records tell, which stand for those of several runs
}

// RunQuery chooses runs, the last started first.
type RunQuery struct {
	Bucket, Host, Daemon, Namespace, App string // empty: any
	PMID                                 int    // -1: any
	Since                                time.Time
	Limit                                int
}

// Host is a machine whose agent pushes.
type Host struct {
	Bucket, Name, AgentVersion string
	Advertise, Scheme          string // of its metrics; empty where it does not want to be found
	FirstSeen, LastSeen        time.Time
}

// Bucket is a tenant's name for what is its own.
type Bucket struct {
	Name    string
	Created time.Time
	Tokens  []Token
}

// Token lets agents push to a bucket. Its text is told once, when it is made.
type Token struct {
	ID       string // in lists; no secret
	Created  time.Time
	LastUsed time.Time // zero: never; exact to some minutes
	Expires  time.Time // zero: never; set by a rotation, which leaves the old one some time
	Revoked  time.Time // zero: not
}
