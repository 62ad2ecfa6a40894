package central

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

const (
	localQueue    = 4096
	localBytes    = 32 << 20
	localBatch    = 500
	localPatience = 5 * time.Second // with the store, at the end
	localTries    = time.Second
	heartbeat     = time.Minute
)

// Local takes the records of the agent in the same process straight to the
// store, into a bucket of their own. What waits is bounded, and lost with the
// process: what must not be lost then is in a spool of the agent's before.
type Local struct {
	central *Central
	agent   record.Agent
	queue   chan *record.Record
	stop    chan struct{}
	done    chan struct{}

	patience context.Context // done some seconds after Close was called
	giveUp   context.CancelFunc

	mu    sync.Mutex
	bytes int64
}

// NewLocal starts to store. Close ends it.
func (c *Central) NewLocal(agent record.Agent) *Local {
	l := &Local{central: c, agent: agent, queue: make(chan *record.Record, localQueue), stop: make(chan struct{}), done: make(chan struct{})}
	l.patience, l.giveUp = context.WithCancel(context.Background())
	go l.run()
	return l
}

// Offer takes a record, which belongs to the store from here on. It never blocks;
// false means that it was dropped, and counted.
func (l *Local) Offer(r *record.Record) bool {
	size := sizeOf(r)
	if !l.reserve(size) {
		l.drop(r)
		return false
	}
	select {
	case l.queue <- r:
		return true
	default:
		l.release(size)
		l.drop(r)
		return false
	}
}

func (l *Local) drop(r *record.Record) { l.central.dropped.WithLabelValues(string(r.Kind)).Inc() }

func (l *Local) reserve(size int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes+size > localBytes {
		return false
	}
	l.bytes += size
	return true
}

func (l *Local) release(size int64) {
	l.mu.Lock()
	l.bytes -= size
	l.mu.Unlock()
}

// sizeOf is about what a record takes.
func sizeOf(r *record.Record) int64 {
	n := 512 + len(r.Message)
	if e := r.Exception; e != nil {
		n += len(e.Message) + len(e.Stack) + len(e.Mapped) + len(e.Context) + 512*len(e.Frames)
	}
	if r.Event != nil {
		n += len(r.Event.Data)
	}
	for _, line := range r.Logs {
		n += 48 + len(line.Text)
	}
	return int64(n)
}

// Close stores what waits, for some seconds at most.
func (l *Local) Close() error {
	timer := time.AfterFunc(localPatience, l.giveUp)
	defer timer.Stop()
	close(l.stop)
	<-l.done
	l.giveUp()
	if left := len(l.queue); left > 0 {
		return fmt.Errorf("%d records of this process' agent were not stored", left)
	}
	return nil
}

func (l *Local) run() {
	defer close(l.done)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	l.store(nil)
	for {
		select {
		case r := <-l.queue:
			l.store(l.gather(r))
		case <-beat.C:
			l.store(nil)
		case <-l.stop:
			l.drain()
			return
		}
	}
}

func (l *Local) drain() {
	for l.patience.Err() == nil {
		select {
		case r := <-l.queue:
			l.store(l.gather(r))
		default:
			return
		}
	}
}

// gather takes what waits beside a first record, without what can not be kept.
func (l *Local) gather(first *record.Record) []*record.Record {
	var batch []*record.Record
	for r := first; ; {
		l.release(sizeOf(r))
		if refusal := check(r, l.central.opts.Now()); refusal != nil {
			l.central.opts.Logger.Warn("A record of this process' agent can not be kept", "kind", r.Kind, "err", refusal.Error)
			l.drop(r)
		} else {
			batch = append(batch, r)
		}
		if len(batch) == localBatch {
			return batch
		}
		select {
		case r = <-l.queue:
		default:
			return batch
		}
	}
}

// check is what the server asks of records that are pushed.
func check(r *record.Record, now time.Time) *record.Refusal {
	if refusal := r.Check(now); refusal != nil {
		return refusal
	}
	if raw, err := json.Marshal(r); err != nil || len(raw) > record.MaxRecord {
		return &record.Refusal{Reason: record.TooBig, Error: fmt.Sprintf("the record is %d bytes, at most %d are kept", len(raw), record.MaxRecord)}
	}
	return nil
}

// store tries until the batch is stored, fails for good, or ctx is done; after
// Close it is for some seconds more. Meanwhile the queue fills, and drops.
func (l *Local) store(batch []*record.Record) {
	ctx := l.patience
	for {
		stored, duplicates, err := l.central.pusher.Push(ctx, LocalBucket, l.agent, batch)
		if err == nil {
			if l.central.server != nil {
				l.central.server.Stored(LocalBucket, stored, duplicates)
			}
			return
		}
		l.central.failures.WithLabelValues("local").Inc()
		later := errors.Is(err, sessionstore.ErrFull) || errors.Is(err, sessionstore.ErrOverloaded)
		if !later || len(batch) == 0 {
			l.central.opts.Logger.Error("Storing records of this process' agent failed", "records", len(batch), "err", err)
			for _, r := range batch {
				l.drop(r)
			}
			return
		}
		select {
		case <-time.After(localTries):
		case <-ctx.Done():
			for _, r := range batch {
				l.drop(r)
			}
			return
		}
	}
}
