package pm2

import (
	"bytes"
	"time"

	"github.com/pm25/pm25/internal/pm2/jsonscan"
)

// Bounds of what is read of apps' logs. An app that writes more is still
// counted whole; only the text of the rest is passed over.
const (
	maxChunk     = 16 << 10 // the end of one message
	chunkSecond  = 64 << 10 // of a process and stream in a second
	daemonSecond = 2 << 20  // of all of a daemon
	chunkAtLeast = 64       // what an empty message costs
	maxBudgets   = 4096
)

// chunkReader takes the text of log messages, within what a process may use in
// a second.
type chunkReader struct {
	now     func() time.Time
	raw     []byte // of the message at hand, as it is written
	held    []byte // what of raw is meant
	cut     bool
	quoted  []byte
	scan    *jsonscan.Scanner
	in      bytes.Reader
	budgets map[budgetKey]*budget
	all     budget
}

type budgetKey struct {
	pmID int
	kind EventKind
}

type budget struct {
	left    int
	at      time.Time
	skipped bool // since the last text that was read
}

func newChunkReader(now func() time.Time) *chunkReader {
	return &chunkReader{now: now, raw: make([]byte, 0, 2*maxChunk+2), scan: jsonscan.New(), budgets: map[budgetKey]*budget{}}
}

// of returns what a process may still use.
func (c *chunkReader) of(ev *Event) *budget {
	key := budgetKey{ev.PMID, ev.Kind}
	b, ok := c.budgets[key]
	if !ok {
		if len(c.budgets) >= maxBudgets {
			clear(c.budgets)
		}
		b = &budget{left: chunkSecond, at: c.now()}
		c.budgets[key] = b
	}
	now := c.now()
	b.renew(chunkSecond, now)
	c.all.renew(daemonSecond, now)
	return b
}

func (b *budget) renew(perSecond int, now time.Time) {
	if now.Sub(b.at) >= time.Second || now.Before(b.at) {
		b.left, b.at = perSecond, now
	}
}

// spent says that no more is read of a process in this second.
func (c *chunkReader) spent(b *budget) bool { return b.left <= 0 || c.all.left <= 0 }

// take reads the data of a log message. PM2 says before or after it whose it
// is.
func (c *chunkReader) take(s *jsonscan.Scanner, ev *Event) (err error) {
	if ev.PMID >= 0 {
		if b := c.of(ev); c.spent(b) {
			b.skipped, ev.Skipped = true, true
			ev.Lines, err = s.Lines()
			return err
		}
	}
	c.held, c.cut, ev.Lines, err = s.Tail(c.raw, maxChunk)
	return err
}

// complete makes the text of what was read, once it is known whose it is.
func (c *chunkReader) complete(ev *Event) {
	raw := c.held
	c.held = nil
	if len(raw) == 0 || ev.PMID < 0 {
		return
	}
	b := c.of(ev)
	if c.spent(b) {
		b.skipped, ev.Skipped = true, true
		return
	}
	cost := max(len(raw), chunkAtLeast)
	b.left -= cost
	c.all.left -= cost
	c.quoted = append(append(append(c.quoted[:0], '"'), raw...), '"')
	c.in.Reset(c.quoted)
	c.scan.Reset(&c.in)
	text, err := c.scan.Text(maxChunk)
	if err != nil {
		b.skipped, ev.Skipped = true, true // begins within an escape
		return
	}
	ev.Chunk, ev.ChunkCut = text, c.cut || b.skipped
	b.skipped = false
}
