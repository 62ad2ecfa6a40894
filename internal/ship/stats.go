package ship

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/ship/spool"
)

// Reason says why a record was dropped.
type Reason string

// The reasons.
const (
	QueueFull  Reason = "queue_full"         // in memory: the disk is slow or full
	SpoolFull  Reason = Reason(spool.Full)   // the oldest made room for new ones
	TooOld     Reason = Reason(spool.TooOld) // longer in the spool than record.MaxSpoolAge
	Corrupt    Reason = Reason(spool.Corrupt)
	Unfit      Reason = "unfit"    // too large as a whole, or no JSON
	AtShutdown Reason = "shutdown" // it could not be written when the agent ended
	NoLetter   Reason = "no_dead_letter"
)

// Reasons lists them.
func Reasons() []Reason {
	return []Reason{QueueFull, SpoolFull, TooOld, Corrupt, Unfit, AtShutdown, NoLetter}
}

// Kinds lists the kinds that are counted.
func Kinds() []record.Kind {
	var out []record.Kind
	for _, k := range record.Kinds() {
		if k != record.GroupState { // made by the server
			out = append(out, k)
		}
	}
	return append(out, spool.Unknown)
}

// Failure says why a request brought no receipt.
type Failure string

// The failures.
const (
	NoToken      Failure = "no_token"     // the file can not be read
	Unauthorized Failure = "unauthorized" // 401, 403
	NotServer    Failure = "not_a_server" // an answer that no PM25 server gives
	TooMuch      Failure = "too_much"     // 400, 413: fewer at a time
	Throttled    Failure = "throttled"    // 429
	ServerError  Failure = "server_error" // 408, 5xx
	Unreachable  Failure = "unreachable"  // no answer
	BadReceipt   Failure = "bad_receipt"  // one that does not account for all records
)

// Failures lists them.
func Failures() []Failure {
	return []Failure{NoToken, Unauthorized, NotServer, TooMuch, Throttled, ServerError, Unreachable, BadReceipt}
}

// Reasons of dead letters beside record's.
const (
	TakenForNoBatch record.Reason = "bad_request" // 400 to the record alone
	TakenForTooBig  record.Reason = "too_large"   // 413 to the record alone
	OtherReason     record.Reason = "other"       // one that this version does not know
)

// LetterReasons lists the reasons of dead letters.
func LetterReasons() []record.Reason {
	return []record.Reason{record.Invalid, record.TooBig, record.TooOld, record.TooNew, TakenForNoBatch, TakenForTooBig, OtherReason}
}

// Drop is what was dropped and why.
type Drop struct {
	Kind   record.Kind
	Reason Reason
}

// Stats are a shipper's numbers. Counts are since Open.
type Stats struct {
	Spool              spool.Stats
	Queued             int // records that wait for the disk
	Stored, Duplicates uint64
	Requests           uint64 // that brought a receipt
	Failures           map[Failure]uint64
	Dropped            map[Drop]uint64
	DeadLetters        map[record.Reason]uint64
	DeadLetterBytes    int64
	LastReceipt        time.Time // zero: there was none yet
}

// Stats returns the shipper's numbers.
func (s *Shipper) Stats() Stats {
	out := s.count.copy()
	out.Spool = s.spool.Stats()
	out.Queued = s.queue.waiting()
	out.DeadLetterBytes = s.letters.size()
	return out
}

// counters are what the parts count.
type counters struct {
	mu    sync.Mutex
	stats Stats
	bad   bool
}

func (c *counters) copy() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.stats
	out.Failures, out.Dropped, out.DeadLetters = maps.Clone(c.stats.Failures), maps.Clone(c.stats.Dropped), maps.Clone(c.stats.DeadLetters)
	return out
}

func (c *counters) drop(kind record.Kind, why Reason, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stats.Dropped == nil {
		c.stats.Dropped = map[Drop]uint64{}
	}
	if !slices.Contains(Kinds(), kind) {
		kind = spool.Unknown
	}
	c.stats.Dropped[Drop{kind, why}] += n
}

func (c *counters) letter(why record.Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stats.DeadLetters == nil {
		c.stats.DeadLetters = map[record.Reason]uint64{}
	}
	if !slices.Contains(LetterReasons(), why) {
		why = OtherReason
	}
	c.stats.DeadLetters[why]++
}

func (c *counters) failure(why Failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stats.Failures == nil {
		c.stats.Failures = map[Failure]uint64{}
	}
	c.stats.Failures[why]++
}

func (c *counters) receipt(r record.Receipt, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Stored += uint64(r.Stored)
	c.stats.Duplicates += uint64(r.Duplicates)
	c.stats.Requests++
	c.stats.LastReceipt = now
}

// tellBad is true once.
func (c *counters) tellBad() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.bad
	c.bad = true
	return !was
}
