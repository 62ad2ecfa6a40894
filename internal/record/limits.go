package record

import "time"

// Limits of one record and one batch. Bytes, where it does not say more.
const (
	MaxRecord  = 128 << 10 // as JSON
	MaxBatch   = 4 << 20   // as JSON, after decompression
	MaxRecords = 1000      // in a batch

	MaxName    = 256     // names of hosts, daemons, apps, versions, events, routes and functions
	MaxMessage = 4 << 10 // messages and titles
	MaxStack   = 16 << 10
	MaxJSON    = 8 << 10 // context and data
	MaxDepth   = 32      // of objects in them
	MaxCauses  = 5
	MaxFrames  = 50
	MaxLogs    = 20
	MaxLogLine = 1 << 10
	MaxSource  = 240 // a line of source
	MaxAround  = 5   // lines of source before and after
)

// MaxSpoolAge is how long an agent keeps what it can not send, MaxAge how old
// what a server takes may be, and KeepIDs how long it knows an id: whatever an
// agent still has, a server still knows.
const (
	MaxSpoolAge = 7 * 24 * time.Hour
	MaxAge      = 8 * 24 * time.Hour
	KeepIDs     = 16 * 24 * time.Hour
	MaxAhead    = 24 * time.Hour // by which a host's clock may be ahead
)
