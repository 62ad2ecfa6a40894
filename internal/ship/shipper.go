package ship

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/ship/spool"
)

// ErrClosed is what Put returns after Close.
var ErrClosed = errors.New("the shipper is closed")

// linger is how long a record waits for others to go with it.
const linger = time.Second

// closeTimeout bounds how long Close waits for the disk.
const closeTimeout = 5 * time.Second

// Shipper keeps records and sends them.
type Shipper struct {
	o       Options
	spool   *spool.Spool
	queue   *queue
	written chan struct{} // closed when the queue is on disk for good
	more    chan struct{} // something is on disk that was not
	count   counters
	letters *deadLetters
	pusher  *pusher
	buffers sync.Pool // to encode records in

	closing sync.Once
	closed  error

	diskTrouble trouble // the writer's
	pushTrouble trouble // the sender's

	most   int       // records in a batch; less after the server wanted less
	failed int       // requests since the last receipt
	since  time.Time // when the sender first saw what waits
	pushed time.Time // when the last receipt came
}

// Open takes the folder and repairs what a crash left in it. Records can be put
// from here on; Run sends them. Close has to follow.
func Open(o Options) (*Shipper, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.linger == 0 {
		o.linger = linger
	}
	if o.random == nil {
		o.random = rand.Float64
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Shipper{o: o, queue: newQueue(), written: make(chan struct{}), more: make(chan struct{}, 1), most: record.MaxRecords}
	var err error
	if s.pusher, err = newPusher(&s.o); err != nil {
		return nil, err
	}
	s.spool, err = spool.Open(spool.Options{
		Dir: o.Dir, MaxBytes: o.MaxBytes, MaxAge: record.MaxSpoolAge, Logger: o.Logger, Now: o.Now,
		Dropped: func(kind record.Kind, why spool.Reason, n uint64) { s.count.drop(kind, Reason(why), n) },
	})
	if err != nil {
		return nil, err
	}
	s.letters = newDeadLetters(filepath.Join(o.Dir, deadLettersName))
	go s.write()
	return s, nil
}

// Offer takes a record without waiting. False: it was dropped, and counted. The
// record is not to be changed from here on.
func (s *Shipper) Offer(r *record.Record) bool {
	kept, err := s.encode(r)
	if err != nil {
		if s.count.tellBad() {
			level.Warn(s.o.Logger).Log("msg", "A record can not be kept; only the first is told of", "kind", kept.Kind, "err", err)
		}
		s.count.drop(kept.Kind, Unfit, 1)
		return false
	}
	added, closed := s.queue.add(entry{Record: kept})
	switch {
	case closed:
		s.count.drop(kept.Kind, AtShutdown, 1)
	case !added:
		s.count.drop(kept.Kind, QueueFull, 1)
	}
	return added
}

// Put returns nil when the record is on disk, written and synced. With an error it
// may be there all the same if ctx ended the wait; putting the same record again
// does no harm, as its id is the same.
func (s *Shipper) Put(ctx context.Context, r *record.Record) error {
	kept, err := s.encode(r)
	if err != nil {
		return err
	}
	e := entry{Record: kept, done: make(chan error, 1)}
	if added, _ := s.queue.add(e); !added {
		return ErrClosed
	}
	select {
	case err := <-e.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("waiting for the spool: %w", ctx.Err())
	}
}

// encode is a record as it is kept and sent. What of V, ID and Host is missing is
// filled in.
func (s *Shipper) encode(r *record.Record) (spool.Record, error) {
	if r.V == 0 {
		r.V = record.Version
	}
	if r.ID == "" {
		r.ID = record.NewID(r.Time())
	}
	if r.Host == "" {
		r.Host = s.o.Host
	}
	kept := spool.Record{Kind: r.Kind}
	b := s.scratch()
	defer s.giveBack(b)
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return kept, fmt.Errorf("record of kind %q: %w", r.Kind, err)
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if len(text) > record.MaxRecord {
		return kept, fmt.Errorf("record of kind %q has %d bytes as JSON, at most %d are kept", r.Kind, len(text), record.MaxRecord)
	}
	kept.JSON = bytes.Clone(text)
	return kept, nil
}

// keptScratch is the largest buffer that stays for the next record.
const keptScratch = 64 << 10

func (s *Shipper) scratch() *bytes.Buffer {
	if b, found := s.buffers.Get().(*bytes.Buffer); found {
		return b
	}
	return &bytes.Buffer{}
}

func (s *Shipper) giveBack(b *bytes.Buffer) {
	if b.Cap() <= keptScratch {
		b.Reset()
		s.buffers.Put(b)
	}
}

// Close writes what waits for the disk and gives the folder back. Run has to have
// ended. What follows the first call does nothing.
func (s *Shipper) Close() error {
	s.closing.Do(func() { s.closed = s.close() })
	return s.closed
}

func (s *Shipper) close() error {
	s.queue.close()
	select {
	case <-s.written:
	case <-time.After(closeTimeout):
		return fmt.Errorf("the spool's disk does not answer: %d records in memory are lost", s.queue.waiting())
	}
	s.pusher.close()
	return errors.Join(s.letters.close(), s.spool.Close())
}
