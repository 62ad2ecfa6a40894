// Package api is the form of what `pm25 server` answers as JSON, for who asks and
// who answers. It has no code but what reads and writes times.
package api

import (
	"time"

	"github.com/pm25/pm25/internal/record"
)

// Answer is around everything, as in Prometheus' API.
type Answer[T any] struct {
	Status    string `json:"status"` // success or error
	Data      T      `json:"data,omitempty"`
	ErrorType string `json:"errorType,omitempty"`
	Error     string `json:"error,omitempty"`
}

// Group is an exception group.
type Group struct {
	ID           string     `json:"id"`
	Bucket       string     `json:"bucket"`
	Namespace    string     `json:"pm2_namespace"`
	App          string     `json:"app"`
	Title        string     `json:"title"`
	Culprit      string     `json:"culprit"`
	Level        string     `json:"level"`
	Handled      bool       `json:"handled"`
	State        string     `json:"state"`
	FirstSeen    time.Time  `json:"first_seen"`
	LastSeen     time.Time  `json:"last_seen"`
	Count        uint64     `json:"count"` // occurrences, ever
	Hosts        []string   `json:"hosts"`
	FirstVersion string     `json:"first_version,omitempty"`
	Version      string     `json:"version,omitempty"` // the newest that it was seen in
	Changed      *time.Time `json:"changed,omitempty"` // of the state
	ChangedBy    string     `json:"changed_by,omitempty"`
	ResolvedIn   string     `json:"resolved_in_version,omitempty"`
	ResolvedNext bool       `json:"resolved_in_next_deploy,omitempty"`
	MutedUntil   *time.Time `json:"muted_until,omitempty"`
	MutedCount   uint64     `json:"muted_count,omitempty"`
	Owner        string     `json:"owner,omitempty"`
	Note         string     `json:"note,omitempty"`
	Algo         int        `json:"algo"`
	Fingerprint  string     `json:"fingerprint"`
}

// Groups is a page of groups, the last seen first.
type Groups struct {
	Groups []Group `json:"groups"`
	Next   string  `json:"next,omitempty"` // ?after= of the next page
}

// GroupDetails is all that is known of one.
type GroupDetails struct {
	Group   Group            `json:"group"`
	Hours   []Hour           `json:"hours"`
	Samples []*record.Record `json:"samples"` // newest first
	Runs    []Run            `json:"runs"`    // of the app, the last started first
}

// Hour is how often a group was seen in one hour by one version.
type Hour struct {
	Hour    time.Time `json:"hour"`
	Version string    `json:"version"`
	Count   uint64    `json:"count"`
}

// Change is what somebody wants of a group; what is left out stays.
type Change struct {
	State        string  `json:"state,omitempty"` // resolved, muted or ongoing (reopen)
	By           string  `json:"by,omitempty"`    // where the credentials name nobody
	Owner        *string `json:"owner,omitempty"`
	Note         *string `json:"note,omitempty"`
	InVersion    string  `json:"in_version,omitempty"`
	InNextDeploy bool    `json:"in_next_deploy,omitempty"`
	For          string  `json:"for,omitempty"`   // a duration such as 2d
	Count        uint64  `json:"count,omitempty"` // muted until so many more
}

// Run is one life of one process.
type Run struct {
	Bucket     string     `json:"bucket"`
	Host       string     `json:"host"`
	Daemon     string     `json:"daemon"`
	Namespace  string     `json:"pm2_namespace"`
	App        string     `json:"app"`
	PMID       int        `json:"pm_id"`
	PID        int        `json:"pid,omitempty"`
	Started    *time.Time `json:"started,omitempty"`
	Ended      *time.Time `json:"ended,omitempty"`
	Version    string     `json:"version,omitempty"`
	Revision   string     `json:"revision,omitempty"`
	Reason     string     `json:"reason,omitempty"`
	Code       *int       `json:"code,omitempty"`
	Signal     string     `json:"signal,omitempty"`
	PeakMemory uint64     `json:"peak_memory_bytes,omitempty"`
	Exceptions uint64     `json:"exceptions"`
}

// Stored is a record with its bucket.
type Stored struct {
	Bucket string         `json:"bucket"`
	Record *record.Record `json:"record"`
}

// Host is a machine whose agent pushes.
type Host struct {
	Bucket       string    `json:"bucket"`
	Name         string    `json:"name"`
	AgentVersion string    `json:"agent_version,omitempty"`
	Advertise    string    `json:"advertise,omitempty"`
	Scheme       string    `json:"scheme,omitempty"`
	FirstSeen    time.Time `json:"first_seen"`
	LastSeen     time.Time `json:"last_seen"`
}

// Bucket is a bucket with its tokens.
type Bucket struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Tokens  []Token   `json:"tokens"`
}

// Token is a token without its secret.
type Token struct {
	ID       string     `json:"id"`
	Created  time.Time  `json:"created"`
	LastUsed *time.Time `json:"last_used,omitempty"`
	Expires  *time.Time `json:"expires,omitempty"`
	Revoked  *time.Time `json:"revoked,omitempty"`
}

// Identity is who asks, by checked credentials.
type Identity struct {
	Name string `json:"name"`
}

// NewBucket asks for a bucket.
type NewBucket struct {
	Name string `json:"name"`
}

// Rotate asks for a new token of a bucket; KeepOld is how long the others go on.
type Rotate struct {
	KeepOld string `json:"keep_old,omitempty"`
}

// Revoke ends a token.
type Revoke struct {
	TokenID string `json:"token_id"`
}

// Issued is a new token, with its secret told this once.
type Issued struct {
	Bucket string `json:"bucket"`
	Token  Token  `json:"token"`
	Secret string `json:"secret"`
}

// Time is t, or nil where there is none.
func Time(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
