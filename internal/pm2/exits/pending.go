package exits

import (
	"slices"
	"time"
)

// wordWithin is how long PM2's words on an end may come after its line.
const wordWithin = time.Second

// pending is an end whose reason depends on what PM2 says next.
type pending struct {
	exit  Exit
	since time.Time
	// mayBeGivenUp until PM2 said anything else than that it gives up.
	mayBeGivenUp bool
	// mayHaveThrown is for a worker in cluster mode, whose end says the same
	// whether it threw or left with code 0. On a busy machine PM2 tells that it
	// threw only after it told of the end.
	mayHaveThrown bool
}

// end gives out an end, or has it wait for what PM2 says next.
func (c *Classifier) end(exit Exit, mayBeGivenUp, mayHaveThrown bool) {
	c.succeeded(exit.PMID) // or it could not have ended again
	c.pending = append(c.pending, pending{exit, c.opts.Now(), mayBeGivenUp, mayHaveThrown})
	c.advance()
}

// advance gives out the ends that wait for nothing any more.
func (c *Classifier) advance() {
	now := c.opts.Now()
	c.pending = slices.DeleteFunc(c.pending, func(p pending) bool {
		waits := (p.mayBeGivenUp || p.mayHaveThrown) && now.Sub(p.since) <= wordWithin
		if !waits {
			c.opts.Emit(p.exit)
		}
		return !waits
	})
}

// otherLine tells that PM2 logged something that is no word on the last end.
func (c *Classifier) otherLine() {
	if n := len(c.pending); n > 0 {
		c.pending[n-1].mayBeGivenUp = false
	}
	c.advance()
}

// gaveUp tells that PM2 does not start a process again after its last end.
func (c *Classifier) gaveUp(i int) {
	if i < 0 || !c.pending[i].mayBeGivenUp {
		return
	}
	p := &c.pending[i]
	p.exit.Reason, p.mayBeGivenUp, p.mayHaveThrown = Errored, false, false
	c.advance()
}

// succeeded tells that a process runs again: what is thrown from now on is that
// one's.
func (c *Classifier) succeeded(pmID int) {
	for i := range c.pending {
		if c.pending[i].exit.PMID == pmID {
			c.pending[i].mayBeGivenUp, c.pending[i].mayHaveThrown = false, false
		}
	}
	c.advance()
}

// lastOf is the last end of a process that waits, or -1.
func (c *Classifier) lastOf(pmID int) int {
	for i := len(c.pending) - 1; i >= 0; i-- {
		if c.pending[i].exit.PMID == pmID {
			return i
		}
	}
	return -1
}

// threwBefore takes an exception for the end of a process that was told of
// already. It is false where none waits for that.
func (c *Classifier) threwBefore(pmID int) bool {
	i := slices.IndexFunc(c.pending, func(p pending) bool { return p.mayHaveThrown && p.exit.PMID == pmID })
	if i < 0 {
		return false
	}
	p := &c.pending[i]
	p.exit.Reason, p.exit.Code, p.mayHaveThrown = Crash, crashCode, false
	c.advance()
	return true
}

// Flush gives out all ends as they stand.
func (c *Classifier) Flush() {
	for _, p := range c.pending {
		c.opts.Emit(p.exit)
	}
	c.pending = nil
}
